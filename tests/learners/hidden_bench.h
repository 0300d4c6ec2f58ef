// A network of one hidden layer, whose units tests look at one by one.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "models/layers.h"
#include "tests/learners/strategy_bench.h"

namespace engram::testing {

using Numbers = std::vector<double>;
inline constexpr int kUnits = 5;

inline BenchPlan one_head() {
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

inline double mean_of(const std::vector<Numbers>& h, int unit, double around = 0) {
  double sum = 0;
  for (const Numbers& row : h)
    sum += std::abs(row[static_cast<std::size_t>(unit)] - around);
  return sum / static_cast<double>(h.size());
}

inline BenchPlan with_momentum() {
  BenchPlan plan = one_head();
  plan.optimizer.momentum = 0.9;
  return plan;
}

}  // namespace engram::testing
