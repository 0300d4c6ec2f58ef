// Times one training step of a network on random images whose pixels are four fifths zero, as
// MNIST's are: forward, backward, optimiser. Prints "name milliseconds" per workload: the median of
// blocks of steps. Run beside PyTorch by compare_step.py.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "learners/registry.h"
#include "models/registry.h"
#include "utils/kernels.h"
#include "utils/parallel.h"

namespace engram {
namespace {

double median_step_ms(Network& net, Rule& rule, Optimizer& optimizer, const Batch& batch,
                      int blocks, int steps) {
  std::vector<double> times;
  std::uint64_t step = 0;
  for (int b = 0; b <= blocks; ++b) {  // the first block warms up
    const auto start = std::chrono::steady_clock::now();
    for (int s = 0; s < steps; ++s) {
      net.params().zero_grad();
      rule.learn(net, batch, {true, Rng(1).fork("pass", step++), batch.task}, {});
      net.params().mask_gradients();
      optimizer.step(0.1);
    }
    const std::chrono::duration<double, std::milli> t = std::chrono::steady_clock::now() - start;
    if (b > 0) times.push_back(t.count() / steps);
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

Batch sparse_images(int rows) {
  Batch batch;
  Rng rng(1);
  const Mat x = batch.x.resize(rows, 784);
  for (real& v : x.all())
    v = rng.uniform() < 0.2 ? static_cast<real>(rng.uniform()) : real{0};
  for (int i = 0; i < rows; ++i)
    batch.target.push_back(static_cast<int>(rng.below(10))), batch.task.push_back(0);
  return batch;
}

void measure(const char* name, int layers, bool sparse, double kept, int blocks, int steps) {
  ModelOptions m;
  m.hidden_units = 4000, m.hidden_layers = layers, m.sparsify = sparse;
  m.percent_on_fc = 0.001, m.winners.boost_strength = 1, m.weight_sparsity_fc = kept;
  OptimizerOptions o;
  o.lr = 0.1, o.momentum = 0.9, o.nesterov = true, o.weight_decay = 1e-4;
  const auto net = build_model(m, {28, 28, 1}, {1, 10}, Rng(1));
  const auto rule = make_rule("backprop");
  const auto optimizer = make_optimizer(o, net->params());
  const Batch batch = sparse_images(128);
  std::printf("%s %.3f\n", name, median_step_ms(*net, *rule, *optimizer, batch, blocks, steps));
  std::fflush(stdout);
}

}  // namespace
}  // namespace engram

int main(int argc, char** argv) {
  using namespace engram;
  kernels::use_one_blas_thread();
  set_threads(argc > 1 ? std::max(1, std::atoi(argv[1])) : 1);
  measure("784-4000-10 dense", 1, false, 1, 7, 10);
  measure("784-4000-10 k=4", 1, true, 1, 7, 10);
  measure("784-4000-10 k=4, half of the weights", 1, true, 0.5, 7, 10);
  measure("784-4000-4000-10 k=4", 2, true, 1, 5, 5);
}
