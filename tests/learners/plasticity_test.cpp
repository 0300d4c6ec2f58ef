// Strategies that keep a network able to learn, against their equations worked out by hand over
// the weights of a small network as they lie in the store.
#include <cmath>

#include <gtest/gtest.h>

#include "tests/learners/hidden_bench.h"
#include "tests/learners/stopped_run.h"
#include "utils/error.h"

namespace engram::testing {
namespace {

TEST(ContinualBackprop, UtilityIsTheRunningMeanOfWhatAUnitContributes) {
  Small s;
  Strategy& cbp = s.bench.add("continual_backprop", {{"continual_backprop.replacement_rate", "0"},
                                                     {"continual_backprop.decay", "0.8"}});
  auto t = s.bench.training(0);
  Numbers utility(kUnits, 0);
  for (const std::uint32_t first : {0U, 2U, 1U}) {
    const Batch batch = s.bench.batch(0, {first, first + 1, first + 3});
    const auto h = s.step(t, batch);
    for (int i = 0; i < kUnits; ++i) {
      double& u = utility[static_cast<std::size_t>(i)];
      u = 0.8 * u + 0.2 * mean_of(h, i) * s.outgoing(i);
    }
  }
  const auto state = cbp.state();
  for (std::size_t i = 0; i < kUnits; ++i) {
    EXPECT_NEAR(static_cast<double>(state[0][i]), utility[i], 1e-5);
    EXPECT_EQ(state[1][i], 3);  // age
  }
}

TEST(ContinualBackprop, AdaptableContributionsCountWhatChangesAndHowFastItCan) {
  Small s;
  Strategy& cbp =
      s.bench.add("continual_backprop", {{"continual_backprop.replacement_rate", "0"},
                                         {"continual_backprop.decay", "0.8"},
                                         {"continual_backprop.utility", "adaptable_contribution"}});
  auto t = s.bench.training(0);
  Numbers utility(kUnits, 0), running(kUnits, 0);
  double kept = 1;
  for (const std::uint32_t first : {0U, 2U, 1U}) {
    const Batch batch = s.bench.batch(0, {first, first + 1, first + 3});
    const auto h = s.step(t, batch);
    kept *= 0.8;
    for (int i = 0; i < kUnits; ++i) {
      const auto at = static_cast<std::size_t>(i);
      double mean = 0;
      for (const Numbers& row : h)
        mean += row[at] / static_cast<double>(h.size());
      running[at] = 0.8 * running[at] + 0.2 * mean;
      const int outputs = s.slice("linear2.weight").cols;
      utility[at] = 0.8 * utility[at] + 0.2 * mean_of(h, i, running[at] / (1 - kept)) *
                                            (s.outgoing(i) / outputs) / (s.incoming(i) / 4);
    }
  }
  for (std::size_t i = 0; i < kUnits; ++i)
    EXPECT_NEAR(static_cast<double>(cbp.state()[0][i]), utility[i], 1e-5);
}

TEST(ContinualBackprop, TheMatureUnitOfTheLeastUtilityBeginsAnew) {
  Small s(with_momentum());
  // 5 units of age 3 and more: 0.3 * 5 = 1.5 units in the third step, the half is carried over.
  Strategy& cbp = s.bench.add("continual_backprop", {{"continual_backprop.replacement_rate", "0.3"},
                                                     {"continual_backprop.maturity", "2"}});
  Small twin(with_momentum());  // the same without the strategy
  for (Small* one : {&s, &twin}) {
    ParamStore& params = one->bench.net->params();
    for (real& b : params.value(params.find("linear1.bias")).all())
      b += 1;  // all units speak and move
  }
  auto t = s.bench.training(0), u = twin.bench.training(0);
  const Batch batch = s.bench.batch(0);
  for (int step = 0; step < 2; ++step)
    s.step(t, batch), twin.step(u, batch);
  ASSERT_EQ(s.bench.weights(), twin.bench.weights());
  Numbers before;
  const auto utility = cbp.state()[0], ages = cbp.state()[1];
  for (const real v : utility)
    before.push_back(static_cast<double>(v));
  const auto h = s.step(t, batch);
  twin.step(u, batch);
  for (int i = 0; i < kUnits; ++i) {
    double& v = before[static_cast<std::size_t>(i)];
    v = 0.99 * v + 0.01 * mean_of(h, i) * twin.outgoing(i);
  }
  const int worst = static_cast<int>(std::ranges::min_element(before) - before.begin());
  const auto velocity = s.bench.optimizer->state()[0], other = twin.bench.optimizer->state()[0];
  for (int i = 0; i < kUnits; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const bool renewed = i == worst;
    EXPECT_EQ(cbp.state()[1][at], renewed ? 0 : 3);
    EXPECT_NEAR(static_cast<double>(cbp.state()[0][at]), renewed ? 0 : before[at], 1e-6);
    for (int p = 0; p < 4; ++p) {
      const auto place = static_cast<std::size_t>(p * kUnits + i);
      if (renewed) {
        EXPECT_NE(s.w("linear1.weight", p, i), twin.w("linear1.weight", p, i));
        EXPECT_NE(s.w("linear1.weight", p, i), 0);
        EXPECT_LE(std::abs(s.w("linear1.weight", p, i)), 0.5);  // U(-1/sqrt(4), 1/sqrt(4))
        EXPECT_EQ(velocity[place], 0);
        EXPECT_NE(other[place], 0) << "there was something to forget";
      } else {
        EXPECT_EQ(s.w("linear1.weight", p, i), twin.w("linear1.weight", p, i));
        EXPECT_EQ(velocity[place], other[place]);
      }
    }
    if (renewed) {
      EXPECT_EQ(s.w("linear1.bias", 0, i), 0);
      EXPECT_EQ(s.outgoing(i), 0);
    } else {
      EXPECT_EQ(s.w("linear1.bias", 0, i), twin.w("linear1.bias", 0, i));
      EXPECT_EQ(s.outgoing(i), twin.outgoing(i));
    }
  }
  EXPECT_NEAR(static_cast<double>(cbp.state()[3][0]), 0.5, 1e-6);
  // Four are mature in the next step: 0.5 + 1.2 units, so one more.
  s.step(t, batch);
  int young = 0;
  for (const real age : ages)
    young += age <= 1;
  EXPECT_EQ(young, 2);
  EXPECT_NEAR(static_cast<double>(cbp.state()[3][0]), 0.7, 1e-6);
}

TEST(ContinualBackprop, ShiftsBiasesOnlyWhenAskedTo) {
  for (const char* shift : {"no", "yes"}) {
    Small s, twin;
    const auto keys = [&](const char* rate) {
      return std::vector<std::pair<const char*, const char*>>{
          {"continual_backprop.replacement_rate", rate},
          {"continual_backprop.maturity", "0"},
          {"continual_backprop.decay", "0.8"},
          {"continual_backprop.shift_bias", shift}};
    };
    s.bench.add("continual_backprop", keys("0.2"));  // one of five, at once
    twin.bench.add("continual_backprop", keys("0"));
    auto t = s.bench.training(0), u = twin.bench.training(0);
    const Batch batch = s.bench.batch(0);
    const auto h = s.step(t, batch);
    twin.step(u, batch);
    int renewed = -1;
    for (int i = 0; i < kUnits; ++i)
      if (s.outgoing(i) == 0) renewed = i;
    ASSERT_GE(renewed, 0);
    // After one step the corrected running mean is that of the batch.
    const double mean = std::string(shift) == "yes" ? mean_of(h, renewed) : 0;
    for (int k = 0; k < s.slice("linear2.weight").cols; ++k)
      EXPECT_NEAR(s.w("linear2.bias", 0, k),
                  twin.w("linear2.bias", 0, k) + mean * twin.w("linear2.weight", renewed, k), 1e-6);
  }
}

TEST(ContinualBackprop, AYoungUnitIsJudgedByWhatItsMeanFallsShortOf) {
  for (const bool corrected : {true, false}) {
    Small s;
    Strategy& cbp = s.bench.add("continual_backprop",
                                {{"continual_backprop.replacement_rate", "0.2"},
                                 {"continual_backprop.maturity", "0"},
                                 {"continual_backprop.decay", "0.8"},
                                 {"continual_backprop.utility", "adaptable_contribution"},
                                 {"continual_backprop.corrected", corrected ? "yes" : "no"}});
    // Unit 0 is old and its mean complete, that of unit 1 is of one step: 50 against 30 / 0.2.
    const auto state = cbp.state();
    std::ranges::copy(std::vector<real>{5000, 3000, 90000, 90000, 90000}, state[0].begin());
    std::ranges::copy(std::vector<real>{50, 1, 50, 50, 50}, state[1].begin());
    std::ranges::fill(state[2], real{0.5});
    auto t = s.bench.training(0);
    s.step(t, s.bench.batch(0));
    const std::size_t renewed = corrected ? 0 : 1;
    for (std::size_t i = 0; i < kUnits; ++i) {
      EXPECT_EQ(s.outgoing(static_cast<int>(i)) == 0, i == renewed) << corrected << " " << i;
      EXPECT_EQ(cbp.state()[2][i] == 0, i == renewed) << "its running mean";
    }
  }
}

TEST(ContinualBackprop, ZeroesTheWeightsToEveryHead) {
  BenchPlan plan;
  plan.scenario = {.scenario = Scenario::Task, .head = Head::PerTask};
  Small s(plan);
  s.bench.add("continual_backprop", {{"continual_backprop.replacement_rate", "0.2"},
                                     {"continual_backprop.maturity", "0"}});
  auto t = s.bench.training(0);
  s.step(t, s.bench.batch(0));
  int silent = 0;
  for (int i = 0; i < kUnits; ++i) {
    double sum = 0;
    for (const char* head : {"head1.task0.weight", "head1.task1.weight"})
      for (int k = 0; k < s.slice(head).cols; ++k)
        sum += std::abs(s.w(head, i, k));
    silent += sum == 0;
  }
  EXPECT_EQ(silent, 1);
}

TEST(ContinualBackprop, TellsOtherStrategiesWhatBeganAnew) {
  Small s;
  s.bench.add("continual_backprop", {{"continual_backprop.replacement_rate", "0.2"},
                                     {"continual_backprop.maturity", "0"}});
  Strategy& pull = s.bench.add("l2_init", {{"l2_init.lambda", "0.5"}});
  auto t = s.bench.training(0);
  t.strategies = &s.bench.strategies;
  pull.begin_experience(t);
  s.step(t, s.bench.batch(0));
  s.bench.net->params().zero_grad();
  pull.shape_gradient(t);
  int at_rest = 0;
  for (int i = 0; i < kUnits; ++i) {
    double sum = 0;
    for (int p = 0; p < 4; ++p)
      sum += std::abs(static_cast<double>(s.bench.net->params().grad(0).row(p)[i]));
    at_rest += sum == 0;
    EXPECT_EQ(sum == 0, s.outgoing(i) == 0);
  }
  EXPECT_EQ(at_rest, 1);
}

TEST(ContinualBackprop, LeavesAbsentSynapsesAbsent) {
  StrategyBench s(one_head(),
                  stack(linear(kUnits, {.density = 0.5, .storage = WeightStorage::Dense}), relu()));
  s.add("continual_backprop",
        {{"continual_backprop.replacement_rate", "1"}, {"continual_backprop.maturity", "0"}});
  const auto zeros = [&] {
    const CMat w = s.net->params().value(s.net->params().find("linear1.weight"));
    return std::ranges::count(w.all(), real{0});
  };
  EXPECT_EQ(zeros(), 2 * kUnits);
  auto t = s.training(0);
  const Batch batch = s.batch(0);
  s.rule->learn(*s.net, batch, {.training = true, .tasks = batch.task}, {});
  s.strategies[0]->after_step(t, batch);
  EXPECT_EQ(zeros(), 2 * kUnits);
}

TEST(L2Init, PullsTowardsTheWeightsThatTrainingBeganWith) {
  Small s;
  Strategy& pull = s.bench.add("l2_init", {{"l2_init.lambda", "0.3"}});
  const Numbers start = s.bench.weights();
  for (const int task : {0, 1}) {  // the anchor stays where it is
    auto t = s.bench.training(task);
    pull.begin_experience(t);
    for (std::size_t i = 0; i < start.size(); ++i)
      s.bench.net->params().values()[i] += static_cast<real>(i % 2 == 0 ? 0.25 : -0.5);
    s.bench.net->params().zero_grad();
    pull.shape_gradient(t);
    const auto g = s.bench.net->params().grads();
    for (std::size_t i = 0; i < start.size(); ++i)
      EXPECT_NEAR(static_cast<double>(g[i]), 2 * 0.3 * (task + 1) * (i % 2 == 0 ? 0.25 : -0.5),
                  1e-5);
  }
}

TEST(Redo, DormantUnitsBeginAnewEveryFewSteps) {
  Small s(with_momentum()), twin(with_momentum());
  // Unit 2 is dead, unit 4 says little, unit 0 a fifth of what the others say.
  for (Small* one : {&s, &twin}) {
    ParamStore& params = one->bench.net->params();
    const Mat bias = params.value(params.find("linear1.bias"));
    const Mat w = params.value(params.find("linear1.weight"));
    for (int i = 0; i < kUnits; ++i)
      bias.data[i] = static_cast<real>(i == 0 ? 0.2 : i == 2 ? -100 : i == 4 ? 1e-4 : 1);
    for (int p = 0; p < 4; ++p)
      w.row(p)[0] = w.row(p)[4] = static_cast<real>(1e-4);
  }
  s.bench.add("redo", {{"redo.tau", "0.05"}, {"redo.every", "3"}, {"redo.batches", "2"}});
  auto t = s.bench.training(0), u = twin.bench.training(0);
  const Batch one = s.bench.batch(0, {0, 1}), two = s.bench.batch(0, {3, 4});
  s.step(t, one), twin.step(u, one);
  const auto h = s.step(t, two);
  twin.step(u, two);
  ASSERT_EQ(s.bench.weights(), twin.bench.weights()) << "too early";
  const auto later = s.step(t, one);
  twin.step(u, one);
  double all = 0;
  Numbers said;
  for (int i = 0; i < kUnits; ++i) {
    said.push_back(mean_of(h, i) + mean_of(later, i));
    all += said.back() / kUnits;
  }
  int renewed = 0;
  for (int i = 0; i < kUnits; ++i) {
    const bool dormant = said[static_cast<std::size_t>(i)] <= 0.05 * all;
    renewed += dormant;
    EXPECT_EQ(s.outgoing(i) == 0, dormant) << i;
    EXPECT_EQ(s.incoming(i) == twin.incoming(i), !dormant) << i;
    if (dormant) {
      EXPECT_EQ(s.w("linear1.bias", 0, i), 0);
    }
  }
  EXPECT_GE(renewed, 2);
  EXPECT_LT(renewed, kUnits);
}

TEST(Redo, CountsTheLastStepsOfItsPeriodAndNoOlderOnes) {
  Small s;
  s.bench.add("redo", {{"redo.tau", "0"}, {"redo.every", "3"}, {"redo.batches", "2"}});
  auto t = s.bench.training(0);
  const Batch batch = s.bench.batch(0);
  // A step with some units silent, which tells who began anew.
  const auto step = [&](const std::vector<int>& silent) {
    ParamStore& params = s.bench.net->params();
    for (int i = 0; i < kUnits; ++i) {
      params.value(params.find("linear1.bias")).data[i] = std::ranges::count(silent, i) ? -100 : 9;
      params.value(params.find("linear2.weight")).row(i)[0] = real{0.125};
    }
    s.step(t, batch);
    std::vector<int> renewed;
    for (int i = 0; i < kUnits; ++i)
      if (s.outgoing(i) == 0) renewed.push_back(i);
    return renewed;
  };
  using Units = std::vector<int>;
  EXPECT_EQ(step({1}), Units{});
  EXPECT_EQ(step({0, 2}), Units{});
  EXPECT_EQ(step({0}), Units{0});  // 0 spoke in the first of three steps, which does not count
  EXPECT_EQ(step({}), Units{});
  EXPECT_EQ(step({2, 3}), Units{});
  EXPECT_EQ(step({1, 3}), Units{3});  // which spoke in the period before
}

TEST(Plasticity, AStoppedRunGoesOnToTheSameBits) {
  const std::vector<std::vector<std::pair<const char*, const char*>>> plans{
      {{"continual_backprop", ""},
       {"continual_backprop.replacement_rate", "0.1"},
       {"continual_backprop.maturity", "2"},
       {"continual_backprop.utility", "adaptable_contribution"}},
      {{"shrink_perturb", ""}},
      {{"shrink_perturb", ""}, {"shrink_perturb.at", "step"}, {"shrink_perturb.perturb", "0.1"}},
      {{"l2_init", ""}, {"l2_init.lambda", "0.5"}},
      {{"redo", ""}, {"redo.tau", "0.5"}, {"redo.every", "5"}, {"redo.batches", "3"}}};
  for (const auto& keys : plans) {
    SCOPED_TRACE(keys[0].first);
    const auto make = [&] {
      BenchPlan plan = with_momentum();
      plan.learner = {.batch_size = 2, .epochs = 3};
      auto small = std::make_unique<Small>(plan);
      small->bench.add(keys[0].first, {keys.begin() + 1, keys.end()});
      return small;
    };
    auto whole = make();
    Cursor all;
    Observer nothing;
    ASSERT_TRUE(whole->bench.run(nothing, all));
    for (const int stop : {4, 9, 13}) {
      auto first = make(), second = make();
      Cursor cursor;
      Stopper stopper(stop);
      ASSERT_FALSE(first->bench.run(stopper, cursor));
      carry(first->bench, second->bench);
      ASSERT_TRUE(second->bench.run(nothing, cursor));
      EXPECT_EQ(second->bench.weights(), whole->bench.weights());
    }
  }
}

TEST(Plasticity, NetworksWithoutHiddenUnitsAreRefused) {
  for (const char* name : {"continual_backprop", "redo"})
    try {
      StrategyBench s(one_head());
      s.add(name);
      ADD_FAILURE() << name << " took a network of one layer";
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find(std::string("strategies: ") + name), std::string::npos);
    }
}

}  // namespace
}  // namespace engram::testing
