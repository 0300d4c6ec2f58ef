// A stream of a few tiny images, a network of a few weights and all else that a strategy sees:
// small enough to work out by hand what it should do.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/stream_table.h"
#include "learners/gather_batch.h"
#include "learners/learner.h"
#include "learners/registry.h"
#include "tests/models/harness.h"
#include "tests/utils/error_of.h"

namespace engram::testing {

/// 2x2 images, `each` of every class in turn, pixels drawn from a seed; train and test alike.
inline Dataset tiny_images(int classes, int each, std::uint64_t seed = 11) {
  auto images = std::make_shared<Images>();
  images->shape = {2, 2, 1};
  Rng rng(seed);
  for (int i = 0; i < classes * each; ++i) {
    for (int p = 0; p < 4; ++p)
      images->pixels.push_back(static_cast<std::uint8_t>(rng.below(256)));
    images->labels.push_back(static_cast<std::uint8_t>(i % classes));
  }
  return {.name = "tiny", .classes = classes, .train = images, .test = images, .sha256 = ""};
}

struct BenchPlan {
  int classes = 4, each = 3, tasks = 2;
  StreamKind stream = StreamKind::Split;
  ScenarioOptions scenario{};
  LearnerOptions learner{};
  OptimizerOptions optimizer{};
  std::string rule = "backprop";
};

/// Everything around strategies. `layers` without the classifier's last linear layer, which is
/// added as wide as the targets need, or one per task.
class StrategyBench {
 public:
  explicit StrategyBench(BenchPlan p = {}, std::vector<LayerPtr> below = {}, std::uint64_t seed = 1,
                         std::unique_ptr<Gating> gating = nullptr)
      : plan(std::move(p)), data(tiny_images(plan.classes, plan.each)) {
    StreamOptions so;
    so.benchmark = "tiny", so.stream = plan.stream, so.tasks = plan.tasks;
    stream = make_stream(so, data, seed);
    targets = std::make_unique<Targets>(*stream, plan.scenario);
    rule = make_rule(plan.rule, Config{});
    if (targets->heads() > 1)
      below.push_back(multi_head(targets->heads(), targets->width(), false, {}));
    else
      below.push_back(linear(targets->width()));
    net = std::make_unique<Network>(stream->shape(), std::move(below), Rng(seed), 1,
                                    rule->feedback(), std::move(gating));
    optimizer = make_optimizer(plan.optimizer, net->params());
    rule->prepare(*net, Rng(seed).fork("rule"));
  }

  Strategy& add(const std::string& name,
                const std::vector<std::pair<const char*, const char*>>& keys = {}) {
    Config config;
    for (const auto& [key, value] : keys)
      config.set(key, value, "test");
    strategies.push_back(make_strategy(name, config,
                                       {.net = *net,
                                        .stream = stream.get(),
                                        .targets = targets.get(),
                                        .batch_size = plan.learner.batch_size,
                                        .rule = rule.get()}));
    return *strategies.back();
  }

  /// Why a strategy is not taken; "": it is, and is one of the run from now on.
  std::string refusal(const char* name,
                      const std::vector<std::pair<const char*, const char*>>& keys = {}) {
    return refusal_of([&] { add(name, keys); });
  }
  /// Why the rule cannot serve those that were taken; "": it does.
  std::string not_served() const {
    return refusal_of([&] { check_served(strategies, {rule->provides()}); });
  }

  /// What strategies see while task `e` is learnt.
  Training training(int e) {
    experience = stream->experience(e);
    return {.net = *net,
            .rule = *rule,
            .optimizer = *optimizer,
            .stream = stream.get(),
            .targets = targets.get(),
            .experience = &experience,
            .phase = e,
            .tasks_seen = e + 1,
            .tasks_before = e,
            .batch_size = plan.learner.batch_size,
            .rng = Rng(7),
            .seen = targets->test_mask(e, e + 1)};
  }
  /// All training examples of task `e`, or some of them.
  Batch batch(int e, std::vector<std::uint32_t> places = {}) const {
    const ExampleSet train = stream->experience(e).train;
    if (places.empty())
      for (std::uint32_t i = 0; i < train.size(); ++i)
        places.push_back(i);
    Batch b;
    gather_batch(train, places, *targets, e + 1, b);
    return b;
  }
  bool run(Observer& observer, Cursor& cursor) {
    Learner learner(plan.learner, *net, *rule, *optimizer, plan.optimizer, strategies, *targets,
                    Rng(2));
    return learner.run(*stream, cursor, observer);
  }
  std::vector<double> weights() const {
    const auto v = std::as_const(*net).params().values();
    return {v.begin(), v.end()};
  }

  BenchPlan plan;
  Dataset data;
  std::unique_ptr<TaskStream> stream;
  std::unique_ptr<Targets> targets;
  std::unique_ptr<Rule> rule;
  std::unique_ptr<Network> net;
  std::unique_ptr<Optimizer> optimizer;
  StrategyList strategies;
  Experience experience;
};

}  // namespace engram::testing
