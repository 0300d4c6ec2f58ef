// Which rules serve strategies that show them other batches than the one at hand, and how those
// that learn in place of the rule use one that makes several updates of a batch.
#include <string>
#include <utility>
#include <vector>

#include "tests/learners/replay_bench.h"
#include "tests/utils/error_of.h"
#include "utils/error.h"

namespace engram::testing {
namespace {

/// Why a strategy is refused with a rule; empty: it is not.
std::string refusal(const char* strategy, const Rule& rule,
                    const std::vector<std::pair<const char*, const char*>>& keys = {}) {
  BenchPlan plan;
  plan.scenario = {.scenario = Scenario::Class, .head = Head::Shared};
  StrategyBench s(plan);
  s.add(strategy, keys);
  return refusal_of([&] { check_served(s.strategies, {rule.provides()}); });
}

TEST(ServedRules, LocalOnesTrainTheirLayersWithEveryBatchThatTheyAreShown) {
  int local = 0;
  for (const RuleEntry& entry : rules()) {
    if (!entry.local) continue;
    SCOPED_TRACE(entry.name);
    const auto rule = make_rule(std::string(entry.name), Config{});
    for (const char* strategy : {"agem", "gem", "gdumb", "cwr_star"}) {
      const std::string why = refusal(strategy, *rule);
      if (entry.name == "frozen") {  // nothing of it learns
        EXPECT_EQ(why, "");
      } else {
        EXPECT_TRUE(contains(why, strategy) && contains(why, "changes weights")) << why;
      }
    }
    EXPECT_EQ(refusal("si", *rule), "");
    ++local;
  }
  EXPECT_GT(local, 5);
}

TEST(ServedRules, LocalOnesMayBeShownOtherBatchesOnceTheirLayersAreFrozen) {
  Config config;
  config.set("hebbian.later_rate", "0", "test");
  const auto krotov = make_rule("krotov", config);
  for (const char* strategy : {"agem", "gem", "cwr_star"})
    EXPECT_EQ(refusal(strategy, *krotov), "") << strategy;
  // These would show some in the first task.
  EXPECT_SAYS(refusal("gdumb", *krotov), "changes weights");
  EXPECT_SAYS(refusal("agem", *krotov, {{"agem.insert", "step"}}), "changes weights");
  // It is a body that learns on which does not go with them, not the classifier.
  EXPECT_EQ(refusal("cwr_star", *make_rule("krotov", {}), {{"cwr_star.freeze_body", "false"}}), "");
}

TEST(ServedRules, AGradientOfOneLevelIsNotCompared) {
  for (const bool in_turn : {false, true}) {
    Config config;
    config.set("ff.in_turn", in_turn ? "true" : "false", "test");
    const auto rule = make_rule("ff", config);
    for (const char* strategy : {"agem", "gem"})
      EXPECT_EQ(contains(refusal(strategy, *rule), "ff.in_turn"), in_turn) << strategy;
    EXPECT_EQ(refusal("gdumb", *rule), "");
  }
  for (const char* name : {"backprop", "feedback_alignment", "pff"})
    for (const char* strategy : {"agem", "gem", "gdumb"})
      EXPECT_EQ(refusal(strategy, *make_rule(name, Config{})), "") << name << ", " << strategy;
}

/// Two updates for every batch.
class Twice final : public Rule {
 public:
  explicit Twice(std::unique_ptr<Rule> rule) : rule_(std::move(rule)) {}
  Provides provides() const override { return rule_->provides(); }
  const Tape& tape() const override { return rule_->tape(); }
  int updates() const override { return 2; }
  BatchStats learn(Network& net, const Batch& batch, const Pass& pass,
                   const ErrorHook& hook) override {
    seen.push_back(pass.update);
    return rule_->learn(net, batch, pass, hook);
  }
  std::vector<int> seen;

 private:
  std::unique_ptr<Rule> rule_;
};

TEST(Gdumb, StepsAfterEveryUpdateOfTheRule) {
  BenchPlan plan;
  plan.scenario = {.scenario = Scenario::Class};
  StrategyBench s(plan), twin(plan);
  auto twice = std::make_unique<Twice>(std::move(s.rule));
  const Twice& rule = *twice;
  s.rule = std::move(twice);
  Strategy& gdumb =
      s.add("gdumb", {{"gdumb.memory", "8"}, {"gdumb.passes", "1"}, {"gdumb.lr", "0.1"}});
  auto t = s.training(0);
  gdumb.begin_experience(t);
  gdumb.after_step(t, s.batch(0));
  gdumb.end_experience(t);
  EXPECT_EQ(rule.seen, (std::vector{0, 1}));
  auto u = twin.training(0);
  for (int update = 0; update < 2; ++update) {
    const Numbers g = gradient_alone(u, twin.batch(0));
    for (std::size_t i = 0; i < g.size(); ++i)
      twin.net->params().values()[i] -= static_cast<real>(0.01 * g[i]);  // the first pass: lr / 10
  }
  const Numbers ours = s.weights(), theirs = twin.weights();
  for (std::size_t i = 0; i < theirs.size(); ++i)
    EXPECT_NEAR(ours[i], theirs[i], 1e-5);
}

}  // namespace
}  // namespace engram::testing
