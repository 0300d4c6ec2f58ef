// Layers that learn nothing: rules say which they are, they work as in evaluation, no strategy
// moves their synapses, and those that count on them ask no more of a network than that.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "learners/fine_tuning.h"
#include "models/registry.h"
#include "tests/learners/rewiring_bench.h"
#include "tests/utils/error_of.h"

namespace engram::testing {
namespace {

void freeze(StrategyBench& s, const char* until, FrozenFrom from = FrozenFrom::Start) {
  s.rule = make_fine_tuned({.frozen_until = until, .frozen_from = from}, std::move(s.rule));
  s.rule->prepare(*s.net, Rng(1).fork("rule"));
}
BenchPlan plan_of(const char* rule) {
  BenchPlan plan = rewiring_plan();
  plan.rule = rule;
  return plan;
}
const char* const kRewiring[] = {"set", "rigl", "dynamic_synapses"};
const Synapses kSome{.density = 0.3, .storage = WeightStorage::Sparse, .rewirable = true};

/// A whole run with a strategy that moves synapses every three steps.
void rewire(StrategyBench& s, const char* name, Observer& observer) {
  const std::string every = std::string(name) + ".every";
  s.add(name, {{every.c_str(), "3"}});
  Cursor cursor;
  ASSERT_TRUE(s.run(observer, cursor));
}
/// Of the two hidden layers of sparse_layers().
void expect_the_upper_alone_moves(StrategyBench& s, const char* name) {
  const Edges lower = edges_of(*s.net, 0), upper = edges_of(*s.net, 2);
  Observer nobody;
  rewire(s, name, nobody);
  EXPECT_EQ(edges_of(*s.net, 0), lower);
  EXPECT_NE(edges_of(*s.net, 2), upper);
}

TEST(RestingLayers, AreKnownFromTheRule) {
  const auto two = [](const char* rule) {
    StrategyBench s(plan_of(rule), stack(linear(6), relu(), linear(5), relu()));
    return std::pair{s.rule->resting(0), s.rule->resting(1)};
  };
  EXPECT_EQ(two("backprop"), std::pair(0, 0));
  EXPECT_EQ(two("krotov"), std::pair(0, 0));
  EXPECT_EQ(two("frozen"), std::pair(2, 2));
  EXPECT_EQ(two("class_means"), std::pair(4, 4));
  EXPECT_EQ(two("hebb_deep"), std::pair(2, 2));
  for (const FrozenFrom from : {FrozenFrom::Start, FrozenFrom::FirstTask}) {
    StrategyBench s(rewiring_plan(), stack(linear(6), relu()));
    freeze(s, "relu1", from);
    EXPECT_EQ(s.rule->resting(0), from == FrozenFrom::Start ? 2 : 0);
    EXPECT_EQ(s.rule->resting(1), 2);
  }
}

TEST(RestingLayers, KeepTheirDutyCyclesAndTheirBoost) {
  KWinnersOptions winners;
  winners.percent_on = 0.4, winners.boost_strength = 1.5, winners.boost_strength_factor = 0.9;
  for (const char* rule : {"class_means", "fly", "frozen"}) {
    StrategyBench s(plan_of(rule), stack(linear(10), k_winners(winners)));
    const auto states = s.net->params().states();
    const std::vector<real> before(states.begin(), states.end());
    Observer nobody;
    Cursor cursor;
    ASSERT_TRUE(s.run(nobody, cursor));
    EXPECT_EQ(std::vector<real>(states.begin(), states.end()), before) << rule;
  }
}

TEST(RestingLayers, KeepTheirSynapses) {
  for (const char* name : kRewiring) {
    SCOPED_TRACE(name);
    StrategyBench s(plan_of("frozen"), sparse_layers());
    expect_the_upper_alone_moves(s, name);
  }
}

/// Notes after every task where the synapses of the lowest layer lead.
class EdgesOfTasks final : public Observer {
 public:
  explicit EdgesOfTasks(Network& net) : net_(net) {}
  void after_experience(const Experience&) override { seen.push_back(edges_of(net_, 0)); }
  std::vector<Edges> seen;

 private:
  Network& net_;
};

TEST(RestingLayers, KeepTheirSynapsesFromTheTaskOnInWhichTheyRest) {
  for (const char* name : kRewiring) {
    SCOPED_TRACE(name);
    StrategyBench s(rewiring_plan(), sparse_layers());
    const Edges start = edges_of(*s.net, 0);
    freeze(s, "relu1", FrozenFrom::FirstTask);
    EdgesOfTasks edges(*s.net);
    rewire(s, name, edges);
    ASSERT_EQ(edges.seen.size(), 2u);
    EXPECT_NE(edges.seen[0], start);
    EXPECT_EQ(edges.seen[1], edges.seen[0]);
  }
}

TEST(RestingLayers, AreLookedAtAsStepsSeeThem) {
  for (const char* name : {"rigl", "dynamic_synapses"}) {
    SCOPED_TRACE(name);
    const auto trained = [&](double dropped) {
      StrategyBench s(rewiring_plan(), stack(linear(20, kSome), relu(), dropout(dropped),
                                             linear(16, kSome), relu()));
      freeze(s, "dropout1");
      Observer nobody;
      rewire(s, name, nobody);
      return std::pair{edges_of(*s.net, 3), s.weights()};
    };
    EXPECT_EQ(trained(0.5), trained(0)) << "there is no dropout in evaluation";
  }
}

TEST(RestingLayers, AreAlsoThoseThatLearnInEpochsOfTheirOwn) {
  const auto make = [](std::vector<LayerPtr> layers) {
    StrategyBench s(rewiring_plan(), std::move(layers));
    Config config;
    config.set("hebbian.epochs", "1", "test");
    s.rule = make_rule("krotov", config);
    s.rule->prepare(*s.net, Rng(1).fork("rule"));
    return s;
  };
  for (const char* name : kRewiring) {
    SCOPED_TRACE(name);
    StrategyBench one = make(stack(linear(20, kSome), relu()));
    EXPECT_SAYS(one.refusal(name), "hidden layers that an optimiser teaches");
    StrategyBench s = make(sparse_layers());
    expect_the_upper_alone_moves(s, name);
  }
}

TEST(RestingLayers, AreNothingForStrategiesThatMoveSynapses) {
  for (const char* name : kRewiring) {
    StrategyBench means(plan_of("class_means"), sparse_layers());
    EXPECT_SAYS(means.refusal(name), "hidden layers that an optimiser teaches");
    // Were there any, nobody would step.
    StrategyBench s(rewiring_plan(), sparse_layers());
    s.add(name);
    const std::string why =
        refusal_of([&] { check_served(s.strategies, {means.rule->provides()}); });
    EXPECT_TRUE(contains(why, name)) << why;
  }
}

BenchPlan one_head_of_classes() {
  BenchPlan plan;
  plan.scenario = {.scenario = Scenario::Class, .head = Head::Shared};
  return plan;
}

TEST(CwrStar, TakesABodyWhoseStatisticsRestAfterTheFirstTask) {
  const auto why = [](const char* until, FrozenFrom from) {
    StrategyBench s(one_head_of_classes(),
                    stack(linear(5), batch_norm(), relu(), linear(6), relu()));
    freeze(s, until, from);
    return s.refusal("cwr_star");
  };
  EXPECT_EQ(why("batch_norm1", FrozenFrom::Start), "");
  EXPECT_EQ(why("relu1", FrozenFrom::FirstTask), "");
  EXPECT_SAYS(why("linear1", FrozenFrom::Start), "the statistics of batch norm");
}

TEST(Isolation, ContextsThatLaterTasksBringAreRefused) {
  for (const char* name : {"cwr_star", "packnet"}) {
    SCOPED_TRACE(name);
    const bool cwr = std::string(name) == "cwr_star";
    BenchPlan plan = one_head_of_classes();
    if (!cwr) plan.scenario = {.scenario = Scenario::Task, .head = Head::PerTask};
    const auto why = [&](int segments) {
      StrategyBench s(plan);
      ModelOptions o = default_options("mlp");
      o.model = "mlp", o.hidden = {6}, o.dendrites.segments = segments;
      s.optimizer.reset();  // it is of the other network
      s.net = build_model(o, s.stream->shape(), {s.targets->heads(), s.targets->width()}, Rng(1), 1,
                          s.rule->feedback());
      return s.refusal(name);
    };
    EXPECT_EQ(why(0), "");
    EXPECT_SAYS(why(3), "contexts of dendrites");
  }
}

TEST(GenerativeReplay, IsRefusedBesideAStrategyThatLearnsInstead) {
  StrategyBench s;
  ModelOptions o = default_options("pff");
  o.model = "pff", o.hidden_units = 60;
  s.rule = make_rule("pff", Config{});
  s.optimizer.reset();
  s.net = build_model(o, s.stream->shape(), {1, s.targets->width()}, Rng(1), 1, s.rule->feedback());
  s.add("generative_replay");
  EXPECT_EQ(s.not_served(), "");
  s.add("gdumb");
  const std::string why = s.not_served();
  EXPECT_TRUE(contains(why, "generative_replay") && contains(why, "gdumb")) << why;
}

}  // namespace
}  // namespace engram::testing
