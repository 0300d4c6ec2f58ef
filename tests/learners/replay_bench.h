// What tests of replaying strategies share: gradients of batches as strategies see them.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "learners/gradient_of.h"
#include "models/layers.h"
#include "tests/learners/strategy_bench.h"

namespace engram::testing {

using Numbers = std::vector<double>;

/// The training of task `e` after that of another one.
inline void go_on(StrategyBench& s, Training& t, int e) {
  const Training next = s.training(e);
  t.experience = next.experience, t.tasks_seen = next.tasks_seen, t.seen = next.seen;
  t.phase = next.phase, t.tasks_before = next.tasks_before;
}
/// The gradient of the batch that strategies make of it.
inline Numbers gradient_with(StrategyBench& s, Training& t, Batch& batch) {
  std::vector<real> g;
  gradient_of(t, batch, Rng(0), g, [&](CMat logits, Mat error) {
    for (auto& one : s.strategies)
      one->shape_error(t, batch, logits, error);
  });
  return {g.begin(), g.end()};
}
inline Numbers gradient_alone(Training& t, const Batch& batch) {
  std::vector<real> g;
  gradient_of(t, batch, Rng(0), g);
  return {g.begin(), g.end()};
}
/// The rows of a batch from `first` on.
inline Batch rows_of(const Batch& batch, int first, int count) {
  Batch part;
  const Mat x = part.x.resize(count, batch.x.cols());
  std::copy_n(std::as_const(batch.x).value().row(first), x.size(), x.data);
  const auto cut = [&](const auto& from, auto& to) {
    if (!from.empty()) to.assign(from.begin() + first, from.begin() + first + count);
  };
  cut(batch.target, part.target), cut(batch.task, part.task);
  cut(batch.mask, part.mask), cut(batch.own, part.own);
  return part;
}
inline void expect_near(const Numbers& a, const Numbers& b) {
  ASSERT_EQ(a.size(), b.size());
  double largest = 0;
  for (const double v : b)
    largest = std::max(largest, std::abs(v));
  EXPECT_GT(largest, 0);
  for (std::size_t i = 0; i < a.size(); ++i)
    EXPECT_NEAR(a[i], b[i], 1e-5 * largest) << "weight " << i;
}
inline Numbers mix(double wa, const Numbers& a, double wb, const Numbers& b) {
  Numbers sum;
  for (std::size_t i = 0; i < a.size(); ++i)
    sum.push_back(wa * a[i] + wb * b[i]);
  return sum;
}

/// Three tasks of two classes under one head, with a hidden layer.
inline StrategyBench three_tasks(Head head = Head::Shared) {
  BenchPlan plan;
  plan.classes = 6, plan.tasks = 3;
  plan.scenario = {.scenario = Scenario::Class, .head = head};
  return StrategyBench(plan, stack(linear(5), relu()));
}

inline CMat logits_of(StrategyBench& s, const Batch& batch, Tape& tape) {
  std::as_const(*s.net).evaluate(batch.x, tape, {.tasks = batch.task});
  return std::as_const(tape.back().out).value();
}

}  // namespace engram::testing
