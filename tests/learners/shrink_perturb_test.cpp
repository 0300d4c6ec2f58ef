// Shrink and perturb, before tasks and after steps.
#include <cmath>

#include <gtest/gtest.h>

#include "tests/learners/hidden_bench.h"

namespace engram::testing {
namespace {

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

TEST(ShrinkPerturb, ShrinksNothingAtStepsUnlessToldTo) {
  Small s;
  Strategy& both = s.bench.add("shrink_perturb", {{"shrink_perturb.at", "step"}});
  const Numbers before = s.bench.weights();
  auto t = s.bench.training(0);
  both.after_step(t, s.bench.batch(0));
  const Numbers after = s.bench.weights();
  EXPECT_NE(after, before);
  for (std::size_t i = 0; i < after.size(); ++i)
    EXPECT_NEAR(after[i], before[i], 6e-5);
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

}  // namespace
}  // namespace engram::testing
