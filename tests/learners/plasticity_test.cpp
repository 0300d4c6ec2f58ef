// Strategies that keep a network able to learn, against their equations worked out by hand over
// the weights of a small network as they lie in the store.
#include <cmath>

#include <gtest/gtest.h>

#include "models/layers.h"
#include "tests/learners/stopped_run.h"
#include "utils/error.h"

namespace engram::testing {
namespace {

using Numbers = std::vector<double>;
constexpr int kUnits = 5;

BenchPlan one_head() {
  BenchPlan plan;
  plan.scenario = {.scenario = Scenario::Domain, .head = Head::Shared};
  return plan;
}

/// 4 inputs, 5 relus, an output per class: slices linear1.{weight [4, 5], bias}, linear2.{weight
/// [5, outputs], bias}.
struct Small {
  explicit Small(BenchPlan plan = one_head())
      : bench(std::move(plan), stack(linear(kUnits), relu())) {}

  CMat slice(const char* name) const {
    return bench.net->params().value(bench.net->params().find(name));
  }
  double w(const char* name, int row, int col) const {
    return static_cast<double>(slice(name).row(row)[col]);
  }
  /// Outputs of the relus for the rows of a batch.
  std::vector<Numbers> hidden(const Batch& batch) const {
    std::vector<Numbers> h;
    for (int b = 0; b < batch.rows(); ++b) {
      h.emplace_back();
      for (int i = 0; i < kUnits; ++i) {
        double z = w("linear1.bias", 0, i);
        for (int p = 0; p < 4; ++p)
          z += w("linear1.weight", p, i) * static_cast<double>(batch.x.value().row(b)[p]);
        h.back().push_back(std::max(0.0, z));
      }
    }
    return h;
  }
  double outgoing(int unit) const {
    double sum = 0;
    for (int k = 0; k < slice("linear2.weight").cols; ++k)
      sum += std::abs(w("linear2.weight", unit, k));
    return sum;
  }
  double incoming(int unit) const {
    double sum = 0;
    for (int p = 0; p < 4; ++p)
      sum += std::abs(w("linear1.weight", p, unit));
    return sum;
  }
  /// One step of training; returns what the relus said in it.
  std::vector<Numbers> step(Training& t, const Batch& batch) {
    bench.net->params().zero_grad();
    const auto h = hidden(batch);
    bench.rule->learn(*bench.net, batch, {.training = true, .tasks = batch.task}, {});
    bench.optimizer->step(0.1);
    for (auto& s : bench.strategies)
      s->after_step(t, batch);
    ++t.step;
    return h;
  }
  StrategyBench bench;
};

double mean_of(const std::vector<Numbers>& h, int unit, double around = 0) {
  double sum = 0;
  for (const Numbers& row : h)
    sum += std::abs(row[static_cast<std::size_t>(unit)] - around);
  return sum / static_cast<double>(h.size());
}

BenchPlan with_momentum() {
  BenchPlan plan = one_head();
  plan.optimizer.momentum = 0.9;
  return plan;
}

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

TEST(ShrinkPerturb, BlendsWithAnotherStartBeforeEveryTaskButTheFirst) {
  Small s;
  Strategy& both = s.bench.add(
      "shrink_perturb", {{"shrink_perturb.shrink", "0.5"}, {"shrink_perturb.perturb", "0.2"}});
  const Numbers start = s.bench.weights();
  auto first = s.bench.training(0);
  both.begin_experience(first);
  EXPECT_EQ(s.bench.weights(), start);
  auto second = s.bench.training(1);
  second.step = 3;
  both.begin_experience(second);
  const Numbers now = s.bench.weights();
  double largest = 0;
  for (std::size_t i = 0; i < now.size(); ++i) {
    const double drawn = (now[i] - 0.5 * start[i]) / 0.2;  // what another network began with
    const bool lower = i < 5 * kUnits;                     // with 4 inputs, the others with 5
    EXPECT_LE(std::abs(drawn), 1 / std::sqrt(lower ? 4.0 : 5.0) + 1e-5);
    EXPECT_GT(std::abs(drawn - start[i]), 1e-6) << "the same start again";
    largest = std::max(largest, std::abs(drawn));
  }
  EXPECT_GT(largest, 0.3);
}

TEST(ShrinkPerturb, AddsNormalNoiseAfterEveryStep) {
  StrategyBench s(one_head(), stack(linear(300), relu()));
  Strategy& both = s.add("shrink_perturb", {{"shrink_perturb.at", "step"},
                                            {"shrink_perturb.shrink", "0.9"},
                                            {"shrink_perturb.perturb", "0.01"}});
  auto t = s.training(0);
  both.begin_experience(t);
  const auto noise_of = [&](std::int64_t step) {
    const Numbers before = s.weights();
    t.step = step;
    both.after_step(t, s.batch(0));
    Numbers noise = s.weights();
    for (std::size_t i = 0; i < noise.size(); ++i)
      noise[i] -= 0.9 * before[i];
    return noise;
  };
  const Numbers first = noise_of(0), second = noise_of(1);
  double mean = 0, square = 0, product = 0;
  const auto n = static_cast<double>(first.size());
  for (std::size_t i = 0; i < first.size(); ++i)
    mean += first[i] / n, square += first[i] * first[i] / n, product += first[i] * second[i] / n;
  EXPECT_NEAR(mean, 0, 4 * 0.01 / std::sqrt(n));
  EXPECT_NEAR(std::sqrt(square), 0.01, 4 * 0.01 / std::sqrt(2 * n));
  EXPECT_NEAR(product / 1e-4, 0, 4 / std::sqrt(n)) << "every step has its own";
}

TEST(ShrinkPerturb, LeavesAbsentSynapsesAbsent) {
  for (const char* at : {"task", "step"}) {
    StrategyBench s(one_head(),
                    stack(linear(8, {.density = 0.5, .storage = WeightStorage::Dense}), relu()));
    s.add("shrink_perturb", {{"shrink_perturb.at", at}});
    auto t = s.training(1);
    t.step = 1;
    s.strategies[0]->begin_experience(t);
    s.strategies[0]->after_step(t, s.batch(1));
    const CMat w = s.net->params().value(s.net->params().find("linear1.weight"));
    EXPECT_EQ(std::ranges::count(w.all(), real{0}), 16) << at;
  }
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
