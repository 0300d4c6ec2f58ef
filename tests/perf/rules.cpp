// Time of a training step by every rule, relative to back-propagation: medians over rounds in which
// all rules take turns, so that whatever else runs meets them alike. Arguments: the number of
// threads, and of rounds.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "learners/registry.h"
#include "models/registry.h"
#include "utils/parallel.h"

namespace engram {
namespace {

constexpr int kRows = 64;

/// A network that one rule trains with SGD.
struct Trained {
  std::string name;
  std::unique_ptr<Rule> rule;
  std::unique_ptr<Network> net;
  std::unique_ptr<Optimizer> optimizer;
  std::vector<double> seconds{};

  void step(const Batch& batch, std::uint64_t number) {
    const auto begin = std::chrono::steady_clock::now();
    net->params().zero_grad();
    rule->learn(*net, batch, {true, Rng(3).fork("pass", number), batch.task}, {});
    optimizer->step(0.01);
    seconds.push_back(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  double median() {
    const auto middle = seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2);
    std::nth_element(seconds.begin(), middle, seconds.end());
    return *middle;
  }
};

Batch batch_of(ImageShape in) {
  Batch batch;
  Rng rng(5);
  for (real& v : batch.x.resize(kRows, in.size()).all())
    v = static_cast<real>(rng.normal());
  for (int i = 0; i < kRows; ++i)
    batch.target.push_back(static_cast<int>(rng.below(10))), batch.task.push_back(0);
  return batch;
}

void compare(const char* title, const ModelOptions& model, ImageShape in, int rounds) {
  const OptimizerOptions o{.lr = 0.01, .weight_decay = 1e-4};
  std::vector<Trained> all;
  for (const RuleEntry& entry : rules()) {
    if (!entry.model.empty()) continue;  // teaches a model of its own
    auto rule =
        make_rule(std::string(entry.name), Config(), {.loss = {}, .weight_decay = o.weight_decay});
    auto net = build_model(model, in, {1, 10}, Rng(1), 1, rule->feedback());
    rule->prepare(*net, Rng(2));
    auto optimizer = make_optimizer(o, net->params());
    all.push_back({std::string(entry.name), std::move(rule), std::move(net), std::move(optimizer)});
  }
  const Batch batch = batch_of(in);
  constexpr int kWarm = 5;
  for (int round = 0; round < kWarm + rounds; ++round) {
    for (Trained& t : all)
      t.step(batch, static_cast<std::uint64_t>(round));
    if (round + 1 == kWarm)
      for (Trained& t : all)
        t.seconds.clear();
  }
  const double reference = all.front().median();
  std::printf("%s\n", title);
  for (Trained& t : all)
    std::printf("  %-20s %9.1f us  x%.3f\n", t.name.c_str(), t.median() * 1e6,
                t.median() / reference);
  std::fflush(stdout);
}

ModelOptions named(const char* name) {
  ModelOptions o = default_options(name);
  o.model = name;
  return o;
}

}  // namespace
}  // namespace engram

int main(int argc, char** argv) {
  using namespace engram;
  set_threads(argc > 1 ? std::max(1, std::atoi(argv[1])) : 1);
  const int rounds = argc > 2 ? std::max(1, std::atoi(argv[2])) : 300;
  ModelOptions mlp = named("mlp");
  mlp.hidden = {256, 256}, mlp.dropout = 0;
  compare("784-256-256-10", mlp, {28, 28, 1}, rounds);
  compare("lenet", named("lenet"), {32, 32, 1}, rounds);
  compare("simple_net", named("simple_net"), {28, 28, 1}, rounds);
}
