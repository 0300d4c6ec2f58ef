// Epochs in which nothing is learnt from labels, so that no optimiser steps and the rule's records
// are empty: strategies that follow steps wait, those that remember examples do not.
#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "models/gatings/hat.h"
#include "tests/learners/rewiring_bench.h"
#include "tests/learners/stopped_run.h"

namespace engram::testing {
namespace {

using Keys = std::vector<std::pair<const char*, const char*>>;

/// A rule whose labels come from the second epoch of every task on, or from a later one.
class LaterLabels final : public Rule {
 public:
  explicit LaterLabels(std::unique_ptr<Rule> rule, int without = 1)
      : rule_(std::move(rule)), without_(without) {}
  Provides provides() const override { return rule_->provides(); }
  const Tape& tape() const override { return unlabelled_ ? empty_ : rule_->tape(); }
  EpochKind begin_epoch(Network& net, const EpochPlace& at) override {
    unlabelled_ = at.epoch < without_;
    empty_.resize(static_cast<std::size_t>(net.depth()));
    return {.labelled = !unlabelled_, .unlabelled = without_};
  }
  BatchStats learn(Network& net, const Batch& batch, const Pass& pass,
                   const ErrorHook& hook) override {
    if (unlabelled_) return {};
    return rule_->learn(net, batch, pass, hook);
  }

 private:
  std::unique_ptr<Rule> rule_;
  int without_;
  Tape empty_;
  bool unlabelled_ = false;
};

/// Two tasks of six images, three steps an epoch, two epochs a task.
BenchPlan small_plan() {
  BenchPlan plan;
  plan.learner.batch_size = 2, plan.learner.epochs = 2;
  plan.scenario = {.scenario = Scenario::Class, .head = Head::Shared};
  return plan;
}
StrategyBench small_bench() {
  StrategyBench s(small_plan(), stack(linear(5), relu()));
  s.rule = std::make_unique<LaterLabels>(std::move(s.rule));
  return s;
}

/// Calls look(task, epoch) at the end of every epoch.
template <class Look>
class AfterEpochs final : public Observer {
 public:
  explicit AfterEpochs(Look look) : look_(std::move(look)) {}
  void after_epoch(const EpochRow& row) override { look_(row.experience, row.epoch); }

 private:
  Look look_;
};

void expect_still_at_first(StrategyBench& s) {
  const auto start = s.weights();
  AfterEpochs observer([&](int task, int epoch) {
    if (task == 0 && epoch == 0) {
      EXPECT_EQ(s.weights(), start);
    }
  });
  Cursor cursor;
  ASSERT_TRUE(s.run(observer, cursor));
  EXPECT_NE(s.weights(), start);
}

TEST(UnlabelledEpochs, NoUnitBeginsAnew) {
  const std::vector<std::pair<const char*, Keys>> kinds{
      {"redo", {{"redo.every", "1"}}},
      {"continual_backprop",
       {{"continual_backprop.replacement_rate", "1"}, {"continual_backprop.maturity", "0"}}}};
  for (const auto& [name, keys] : kinds) {
    SCOPED_TRACE(name);
    StrategyBench s = small_bench();
    s.add(name, keys);
    expect_still_at_first(s);
  }
}

/// Notes the steps after which something is so.
template <class Look>
class StepsAt final : public Observer {
 public:
  explicit StepsAt(Look look) : look_(std::move(look)) {}
  void after_step(const Cursor& c, const BatchStats&, int, std::int64_t, int) override {
    if (look_()) seen.push_back(c.total_steps);
  }
  std::vector<std::int64_t> seen;  ///< 1-based

 private:
  Look look_;
};

TEST(UnlabelledEpochs, RedoCountsTheStepsThatWereTaken) {
  StrategyBench s = small_bench();
  s.add("redo", {{"redo.every", "4"}, {"redo.batches", "1"}, {"redo.tau", "1000"}});
  const CMat outgoing = s.net->params().value(s.net->params().find("linear2.weight"));
  StepsAt anew([&] {  // all units are, and lead nowhere
    return std::ranges::all_of(outgoing.all(), [](real w) { return w == 0; });
  });
  Cursor cursor;
  ASSERT_TRUE(s.run(anew, cursor));
  // The fourth with labels: three steps without, three with, three without.
  EXPECT_EQ(anew.seen, std::vector<std::int64_t>{10});
}

TEST(UnlabelledEpochs, SetCountsTheStepsOfATaskWithLabels) {
  StrategyBench s(rewiring_plan(), sparse_layers());  // four epochs of five steps a task
  s.rule = std::make_unique<LaterLabels>(std::move(s.rule), 3);
  s.add("set", {{"set.every", "4"}});
  Edges before = edges_of(*s.net, 0);
  StepsAt moves([&] {
    const Edges now = edges_of(*s.net, 0);
    return now != std::exchange(before, now);
  });
  Cursor cursor;
  ASSERT_TRUE(s.run(moves, cursor));
  EXPECT_EQ(moves.seen, (std::vector<std::int64_t>{19, 39}));
}

TEST(UnlabelledEpochs, NothingShrinksAndNothingIsPerturbed) {
  StrategyBench s = small_bench();
  s.add("shrink_perturb", {{"shrink_perturb.at", "step"}});
  expect_still_at_first(s);
}

TEST(UnlabelledEpochs, HatHoldsNothingBackBeforeTheFirstStep) {
  BenchPlan plan = small_plan();
  plan.scenario = {.scenario = Scenario::Task, .head = Head::PerTask};
  GatingOptions gating;
  gating.gating = "hat";
  StrategyBench s(plan, stack(linear(5), relu()), 1, make_gating(gating, plan.tasks));
  s.rule = std::make_unique<LaterLabels>(std::move(s.rule));
  s.add("hat", {{"hat.smax", "20"}});
  expect_still_at_first(s);
}

TEST(UnlabelledEpochs, NoSynapseMoves) {
  const std::vector<std::pair<const char*, Keys>> kinds{
      {"set", {{"set.every", "1"}}},
      {"rigl", {{"rigl.every", "1"}, {"rigl.until", "1"}}},
      {"dynamic_synapses",
       {{"dynamic_synapses.every", "1"},
        {"dynamic_synapses.until", "1"},
        {"dynamic_synapses.slow", "0.5"}}}};
  for (const auto& [name, keys] : kinds) {
    SCOPED_TRACE(name);
    BenchPlan plan = rewiring_plan();
    plan.learner.epochs = 2;
    StrategyBench s(plan, sparse_layers());
    s.rule = std::make_unique<LaterLabels>(std::move(s.rule));
    s.add(name, keys);
    const Edges start = edges_of(*s.net, 0);
    std::vector<double> learnt;
    AfterEpochs observer([&](int task, int epoch) {
      if (task == 0 && epoch == 0) {
        EXPECT_EQ(edges_of(*s.net, 0), start);
      }
      if (task == 0 && epoch == 1) learnt = s.weights();
      if (task == 1 && epoch == 0) {  // old synapses, which some slow down
        EXPECT_EQ(s.weights(), learnt);
      }
    });
    Cursor cursor;
    ASSERT_TRUE(s.run(observer, cursor));
    EXPECT_NE(edges_of(*s.net, 0), start);
  }
}

TEST(UnlabelledEpochs, AreNoPartOfTheShareOfATaskInWhichSynapsesMove) {
  const std::vector<std::pair<const char*, Keys>> kinds{
      {"rigl", {{"rigl.every", "1"}, {"rigl.until", "0.5"}}},
      {"dynamic_synapses", {{"dynamic_synapses.every", "1"}, {"dynamic_synapses.until", "0.5"}}}};
  for (const auto& [name, keys] : kinds) {
    SCOPED_TRACE(name);
    StrategyBench s(rewiring_plan(), sparse_layers());  // four epochs a task
    s.rule = std::make_unique<LaterLabels>(std::move(s.rule), 3);
    s.add(name, keys);
    const Edges start = edges_of(*s.net, 0);
    Observer nobody;
    Cursor cursor;
    ASSERT_TRUE(s.run(nobody, cursor));
    EXPECT_NE(edges_of(*s.net, 0), start);
  }
}

/// Notes after every step of the first task what a number of the strategies' state is.
class Noter final : public Observer {
 public:
  explicit Noter(const real& number) : number_(number) {}
  void after_step(const Cursor& c, const BatchStats&, int, std::int64_t, int) override {
    if (c.experience == 0) seen.push_back(number_);
  }
  std::vector<real> seen;

 private:
  const real& number_;
};

TEST(UnlabelledEpochs, PacknetPrunesInItsShareOfTheStepsWithLabels) {
  BenchPlan plan = small_plan();
  plan.learner.epochs = 3;
  plan.scenario = {.scenario = Scenario::Task, .head = Head::PerTask};
  StrategyBench s(plan, stack(linear(5), relu()));
  s.rule = std::make_unique<LaterLabels>(std::move(s.rule), 2);
  Strategy& packnet = s.add("packnet", {{"packnet.retrain_share", "0.5"}});
  const real training = 1, retraining = 2;
  Noter phases(packnet.state()[4][0]);
  Cursor cursor;
  ASSERT_TRUE(s.run(phases, cursor));
  std::vector<real> expected(7, training);  // six steps without labels, one of three with them
  expected.resize(9, retraining);
  EXPECT_EQ(phases.seen, expected);
}

TEST(UnlabelledEpochs, SiCountsNoStepTwiceAndAStoppedRunGoesOnToTheSameBits) {
  const auto all_of = [](StrategyBench& s) {
    std::vector<double> all = s.weights();
    for (const auto& part : s.strategies[0]->state())
      all.insert(all.end(), part.begin(), part.end());
    return all;
  };
  StrategyBench whole = small_bench();
  whole.add("si");
  AfterEpochs observer([&](int, int epoch) {
    const std::span<const real> credited = whole.strategies[0]->state()[2];
    for (const real w : credited)
      if (epoch == 0) {
        EXPECT_EQ(w, 0) << "nothing has moved in this task";
      }
  });
  Cursor all;
  ASSERT_TRUE(whole.run(observer, all));
  StrategyBench first = small_bench(), second = small_bench();
  first.add("si"), second.add("si");
  Cursor cursor;
  Stopper stopper(7);  // six steps a task: in the unlabelled epoch of the second
  ASSERT_FALSE(first.run(stopper, cursor));
  carry(first, second);
  Observer nobody;
  ASSERT_TRUE(second.run(nobody, cursor));
  EXPECT_EQ(all_of(second), all_of(whole));
}

TEST(UnlabelledEpochs, ExamplesAreRememberedAllTheSame) {
  const std::vector<std::pair<const char*, Keys>> kinds{
      {"er", {{"er.memory", "20"}}},
      {"agem", {{"agem.memory", "20"}, {"agem.policy", "reservoir"}, {"agem.insert", "step"}}},
      {"der", {{"der.memory", "20"}}},
      {"derpp", {{"derpp.memory", "20"}}}};
  for (const auto& [name, keys] : kinds) {
    SCOPED_TRACE(name);
    BenchPlan plan = small_plan();
    plan.learner.epochs = 4;
    StrategyBench s(plan, stack(linear(5), relu()));
    s.rule = std::make_unique<LaterLabels>(std::move(s.rule), 2);
    s.add(name, keys);
    // What the network says of an example is known in epochs with labels alone.
    const int first = std::string(name).starts_with("der") ? 2 : 0;
    AfterEpochs observer([&](int task, int epoch) {
      EXPECT_EQ(s.strategies[0]->state()[0][0], 6 * (epoch < first ? task : task + 1)) << epoch;
    });
    Cursor cursor;
    ASSERT_TRUE(s.run(observer, cursor));
  }
}

}  // namespace
}  // namespace engram::testing
