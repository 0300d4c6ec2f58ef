// Networks whose states are copied within a run: what training made of these is no fault of a file.
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "learners/agents/agents.h"
#include "models/registry.h"
#include "tests/learners/small_worlds.h"
#include "tests/learners/strategy_bench.h"
#include "tests/utils/error_of.h"

namespace engram::testing {
namespace {

/// Makes a weight below batch norm infinite before the second task is learnt: its unit says NaN
/// from then on, in training as in the running statistics, and relu makes 0 of that.
class Overflow final : public Observer {
 public:
  explicit Overflow(StrategyBench& s) : s_(s) {}
  void before_step(const Cursor& c) override {
    if (c.experience == 1 && c.step == 0)
      s_.net->params().values()[0] = std::numeric_limits<real>::infinity();
  }
  void after_step(const Cursor& c, const BatchStats& stats, int, std::int64_t, int) override {
    EXPECT_TRUE(std::isfinite(stats.loss));
    steps_of_second += c.experience == 1;
  }
  int steps_of_second = 0;

 private:
  StrategyBench& s_;
};

TEST(CopiedStates, AreNotJudgedByDeepGenerativeReplay) {
  BenchPlan plan;
  plan.each = 6, plan.learner.batch_size = 4;
  plan.scenario = {.scenario = Scenario::Class, .head = Head::Shared};
  StrategyBench s(plan, stack(linear(5), batch_norm(), relu()));
  s.add("dgr", {{"dgr.hidden", "5"}, {"dgr.codes", "2"}});
  Overflow observer(s);
  Cursor cursor;
  // Where all weights are looked at.
  EXPECT_SAYS(error_of([&] { s.run(observer, cursor); }, Fault::Numerical),
              "a weight is no longer finite after task 1");
  EXPECT_EQ(observer.steps_of_second, 3);
}

TEST(CopiedStates, AreJudgedByDqnWhereTheyAreAFilesAlone) {
  ChainWorld world{5, 1};
  const auto make = [](std::uint64_t seed) {
    ModelOptions m;
    m.hidden = {4}, m.dropout = 0, m.batch_norm = true;
    return build_model(m, {1, 1, 5}, {1, 2, 1}, Rng(seed));
  };
  const auto net = make(1);
  DqnOptions options;
  options.copy_every = 3, options.memory = 10;
  const auto agent = make_dqn(
      options, {.world = world, .inputs = 5, .net = net.get(), .twin = [&] { return make(2); }});
  real& variance = net->params().states().back();
  EXPECT_EQ(variance, 1);
  variance = std::numeric_limits<real>::quiet_NaN();
  EXPECT_NO_THROW(agent->after_update(3));
  EXPECT_TRUE(std::isnan(agent->state().back().back())) << "was not copied";
  EXPECT_SAYS(error_of([&] { agent->restored(); }, Fault::Data), "batch_norm1.variance holds");
}

}  // namespace
}  // namespace engram::testing
