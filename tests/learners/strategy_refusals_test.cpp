// What strategies refuse before training because they would do nothing there, or harm.
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "models/registry.h"
#include "tests/learners/rewiring_bench.h"
#include "tests/utils/error_of.h"
#include "utils/error.h"

namespace engram::testing {
namespace {

using Keys = std::vector<std::pair<const char*, const char*>>;

TEST(SingleOutput, IsRefusedByThoseThatNeedOneForEveryClass) {
  BenchPlan plan;
  plan.scenario = {
      .scenario = Scenario::Domain, .head = Head::Shared, .head_outputs = HeadOutputs::Single};
  StrategyBench s(plan, stack(linear(5), relu()));
  ASSERT_EQ(s.net->outputs(), 1);
  const auto dgr = [](const char* labels) {
    return Keys{{"dgr.labels", labels}, {"dgr.hidden", "5"}, {"dgr.codes", "2"}};
  };
  const std::vector<std::pair<const char*, Keys>> refused{
      {"ewc", {}},      {"ewc", {{"ewc.fisher", "batched"}}},
      {"lwf", {}},      {"slda", {}},
      {"cwr_star", {}}, {"dgr", dgr("soft")}};
  for (const auto& [name, keys] : refused) {
    const std::string why = s.refusal(name, keys);
    EXPECT_TRUE(contains(why, name) && contains(why, "head_outputs = own")) << name << ": " << why;
  }
  EXPECT_EQ(s.refusal("dgr", dgr("hard")), "");
  EXPECT_EQ(s.refusal("mas"), "");
}

TEST(Icarl, RefusesPhasesThatShareClasses) {
  BenchPlan plan;
  plan.classes = 6, plan.tasks = 3, plan.each = 10;
  plan.scenario = {.scenario = Scenario::Class};
  const auto why = [&](StreamOptions o) {
    StrategyBench s(plan, stack(linear(5), relu()));
    o.benchmark = "tiny", o.stream = StreamKind::Split, o.tasks = plan.tasks;
    s.stream = make_stream(o, s.data, 1);
    s.targets = std::make_unique<Targets>(*s.stream, plan.scenario);
    return s.refusal("icarl", {{"icarl.memory", "12"}});
  };
  EXPECT_EQ(why({}), "");
  StreamOptions linear_borders, blurry, again, order, cumulative, joint;
  linear_borders.boundaries = Boundaries::Linear, linear_borders.blur = 0.5;
  blurry.boundaries = Boundaries::IBlurry;
  blurry.disjoint_classes = 0, blurry.blurry_share = 0.5;
  again.repeats = 2;
  order.task_order = {0, 1, 0, 2};
  for (const StreamOptions& o : {linear_borders, blurry, again, order})
    EXPECT_TRUE(contains(why(o), "icarl learns the labels of a class in one phase")) << why(o);
  cumulative.protocol = Protocol::Cumulative;
  joint.protocol = Protocol::Joint;
  EXPECT_EQ(why(cumulative), "") << "labels of all classes were learnt before they come back";
  EXPECT_EQ(why(joint), "");
}

TEST(Rewiring, IsRefusedWhereNobodySteps) {
  for (const char* instead : {"slda", "gdumb"})
    for (const char* name : {"set", "rigl", "dynamic_synapses"}) {
      SCOPED_TRACE(std::string(instead) + ", " + name);
      StrategyBench s(rewiring_plan(), sparse_layers());
      s.add(instead), s.add(name);
      const std::string why = s.not_served();
      EXPECT_TRUE(contains(why, name) && contains(why, instead)) << why;
    }
}

TEST(AnchoredWeights, RefuseModelsThatHandNoErrorsDown) {
  for (const char* model : {"ff", "pff"}) {
    StrategyBench s;
    ModelOptions o = default_options(model);
    o.model = model, o.hidden_units = 60;
    const auto rule = make_rule(model, Config{});
    s.optimizer.reset();  // it is of the other network
    s.net = build_model(o, s.stream->shape(), {1, s.targets->width()}, Rng(1), 1, rule->feedback());
    for (const char* name : {"ewc", "mas"})
      EXPECT_TRUE(contains(s.refusal(name), name)) << model << ", " << name;
    for (const char* name : {"l2", "si"})
      EXPECT_EQ(s.refusal(name), "") << model << ", " << name;
  }
}

TEST(Isolation, StatisticsThatWouldGoOnMovingAreRefused) {
  const auto plan = [](bool one_head) {
    BenchPlan p;
    p.scenario = {.scenario = one_head ? Scenario::Class : Scenario::Task,
                  .head = one_head ? Head::Shared : Head::PerTask};
    return p;
  };
  const auto winners = [](double boost) {
    KWinnersOptions o;
    o.percent_on = 0.4, o.boost_strength = boost;
    return stack(linear(5), k_winners(o));
  };
  const auto normed = [] { return stack(linear(5), batch_norm(), relu()); };
  for (const char* name : {"cwr_star", "packnet"}) {
    SCOPED_TRACE(name);
    const bool cwr = std::string(name) == "cwr_star";
    StrategyBench with_norm(plan(cwr), normed()), boosted(plan(cwr), winners(1.5));
    StrategyBench plain(plan(cwr), winners(0));
    EXPECT_TRUE(contains(with_norm.refusal(name), "batch norm"));
    EXPECT_TRUE(contains(boosted.refusal(name), "boost_strength = 0"));
    EXPECT_EQ(plain.refusal(name), "");
  }
  StrategyBench s(plan(true), normed());
  EXPECT_EQ(s.refusal("cwr_star", {{"cwr_star.freeze_body", "false"}}), "");
}

/// A strategy over a stream of new classes (split), or over tasks that share labels (permuted).
bool needs_borders(StreamKind kind, const char* name, const Keys& keys) {
  BenchPlan plan;
  plan.stream = kind;
  plan.scenario = {.scenario = Scenario::Domain, .head = Head::Shared};
  StrategyBench s(plan, sparse_layers());
  const bool needs = s.add(name, keys).needs_borders();
  if (needs) {
    EXPECT_THROW(check_served(s.strategies, {s.rule->provides(), false}), Error) << name;
  } else {
    check_served(s.strategies, {s.rule->provides(), false});
  }
  return needs;
}

TEST(TaskFree, StreamsTellNoMemoryWhichTaskAnExampleIsOf) {
  const auto split = StreamKind::Split, permuted = StreamKind::Permuted;
  for (const char* name : {"er", "der", "derpp", "agem"}) {
    SCOPED_TRACE(name);
    const std::string policy_key = std::string(name) + ".policy",
                      insert_key = std::string(name) + ".insert";
    const auto needs = [&](StreamKind kind, const char* policy) {
      return needs_borders(kind, name,
                           {{policy_key.c_str(), policy}, {insert_key.c_str(), "step"}});
    };
    for (const char* policy : {"task_balanced", "task_ring"})
      EXPECT_TRUE(needs(split, policy)) << policy;
    for (const char* policy : {"class_balanced", "class_ring", "greedy"}) {
      EXPECT_FALSE(needs(split, policy)) << policy;
      EXPECT_TRUE(needs(permuted, policy)) << policy;
    }
    EXPECT_FALSE(needs(permuted, "reservoir"));
  }
  EXPECT_TRUE(needs_borders(split, "er", {{"er.loss", "by_tasks"}}));
  EXPECT_FALSE(needs_borders(split, "er", {{"er.loss", "half"}}));
}

TEST(TaskFree, StreamsTellNoRewiringWhereToBeginAnew) {
  for (const char* name : {"set", "rigl", "dynamic_synapses"})
    EXPECT_TRUE(needs_borders(StreamKind::Split, name, {})) << name;
  EXPECT_TRUE(needs_borders(StreamKind::Split, "set", {{"set.every", "5"}}));
}

}  // namespace
}  // namespace engram::testing
