// Time of predictive forward-forward's updates of one batch beside its matrix products alone, and
// of what else an update does: medians over rounds in which all take turns, so that whatever else
// runs meets them alike. Arguments: the number of threads, and of rounds.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <vector>

#include "learners/registry.h"
#include "models/circuits/pff.h"
#include "models/registry.h"
#include "tests/perf/timing.h"
#include "utils/kernels.h"
#include "utils/parallel.h"

namespace engram {
namespace {

constexpr int kPixels = 784, kLabels = 10;

/// c [m, n] = a b over k terms; `gradient`: a is stored transposed.
struct Product {
  Product(int m, int n, int k, bool gradient = false)
      : a(gradient ? random_signal(k, m, 1, 1) : random_signal(m, k, 1, 1)),
        b(random_signal(k, n, 1, 2)),
        transposed(gradient) {
    c.resize(m, n);
  }
  void run() {
    kernels::gemm(transposed, false, 1, std::as_const(a).value(), std::as_const(b).value(), 0,
                  c.value());
  }
  double macs() const { return 1. * c.rows() * c.cols() * b.rows(); }

  Signal a, b, c;
  bool transposed;
};

/// The products of one update of `images` images: learners/rules/pff.cpp and pff_generator.cpp. Two
/// states an image, but one input; the sweep, the probe and the first code are not among them.
std::vector<Product> products(int images, int n, int latents, bool generates) {
  const int states = 2 * images;
  std::vector<Product> all;
  all.emplace_back(images, n, kPixels);        // the input's drive
  all.emplace_back(kPixels, n, images, true);  // and its gradient
  for (int level = 0; level < 2; ++level) {
    all.emplace_back(states, n, n);  // from one level to the other
    all.emplace_back(n, n, states, true);
  }
  all.emplace_back(images, kLabels, n);  // the fast classifier
  all.emplace_back(n, kLabels, images, true);
  if (!generates) return all;
  for (const auto& [above, below] :
       {std::pair{n, kPixels}, std::pair{n, n}, std::pair{latents, n}}) {
    all.emplace_back(states, below, above);
    all.emplace_back(above, below, states, true);
  }
  return all;
}

Batch batch_of(int images) {
  Batch batch;
  Rng rng(5);
  for (real& v : batch.x.resize(images, kPixels).all())
    v = static_cast<real>(std::max(0., rng.uniform(-1, 1)));
  for (int i = 0; i < images; ++i)
    batch.target.push_back(static_cast<int>(rng.below(kLabels))), batch.task.push_back(0);
  return batch;
}

class Stopwatch {
 public:
  void time(const std::function<void()>& body) {
    const std::clock_t begin = std::clock();
    body();
    seconds_.push_back(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC);
  }
  double median_ms() {
    const auto middle = seconds_.begin() + static_cast<std::ptrdiff_t>(seconds_.size() / 2);
    std::nth_element(seconds_.begin(), middle, seconds_.end());
    return *middle * 1e3;
  }

 private:
  std::vector<double> seconds_;
};

void compare(int images, int hidden, bool generates, int rounds) {
  ModelOptions model = default_options("pff");
  model.model = "pff", model.hidden_units = hidden;
  Config config;
  config.set("pff.generative", generates ? "yes" : "no", "here");
  const auto rule = make_rule("pff", config, {});
  const auto net = build_model(model, {28, 28, 1}, {1, kLabels}, Rng(1), 1, rule->feedback());
  rule->prepare(*net, Rng(2));
  OptimizerOptions adam{.optimizer = "adam", .lr = 0.00025, .epsilon = 1e-7, .clip = 1};
  adam.epsilon_at = EpsilonAt::Moment;
  const auto optimizer = make_optimizer(adam, net->params());
  const Batch batch = batch_of(images);
  auto needed = products(images, hidden, model.pff.latents, generates);
  const int updates = rule->updates();

  Stopwatch whole, alone, rules, steps;
  for (int round = 0; round <= rounds; ++round) {
    const Rng rng = Rng(3).fork("pass", static_cast<std::uint64_t>(round));
    if (round == 1) whole = alone = rules = steps = {};  // the first round warms up
    whole.time([&] {
      for (int u = 0; u < updates; ++u) {
        net->params().zero_grad();
        rules.time(
            [&] { rule->learn(*net, batch, {.training = true, .rng = rng, .update = u}, {}); });
        steps.time([&] {
          net->params().clip_gradients(adam.clip);
          optimizer->step(adam.lr);
        });
      }
    });
    alone.time([&] {
      for (int u = 0; u < updates; ++u)
        for (Product& p : needed)
          p.run();
    });
  }
  double macs = 0;
  for (const Product& p : needed)
    macs += updates * p.macs();
  const double ms = whole.median_ms(), floor = alone.median_ms();
  std::printf(
      "%5d units, %d images, generator %-3s  %9.1f ms, products alone %9.1f ms "
      "(%.0f GMAC/s)  x%.3f; an update: rule %.2f ms, clip and Adam %.2f ms\n",
      hidden, images, generates ? "on" : "off", ms, floor, macs / floor / 1e6, ms / floor,
      rules.median_ms(), steps.median_ms());
  std::fflush(stdout);
}

}  // namespace
}  // namespace engram

int main(int argc, char** argv) {
  using namespace engram;
  kernels::use_one_blas_thread();
  set_threads(argc > 1 ? std::max(1, std::atoi(argv[1])) : 1);
  const int rounds = argc > 2 ? std::max(1, std::atoi(argv[2])) : 5;
  std::printf("%d threads, BLAS core %s\n", threads(), kernels::blas_core());
  for (const bool generates : {true, false})
    compare(250, 500, generates, 2 * rounds);
  compare(250, 2000, true, rounds);
}
