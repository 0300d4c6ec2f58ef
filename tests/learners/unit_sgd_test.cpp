// Steps of unit length: against the delta rule of softmax regression written out, and with
// gradients of every form.
#include <cmath>

#include <gtest/gtest.h>

#include "learners/registry.h"
#include "tests/models/harness.h"
#include "tests/utils/error_of.h"

namespace engram {
namespace {

using testing::random_batch;
using testing::stack;

OptimizerOptions unit() {
  OptimizerOptions o;
  o.optimizer = "unit_sgd";
  return o;
}

TEST(UnitSgd, WithALinearLayerIsTheDeltaRuleAtUnitLength) {
  constexpr int kInputs = 5, kClasses = 3, kRows = 6;
  Network net({1, 1, kInputs}, stack(linear(kClasses, {.bias = false})), Rng(3));
  const auto optimizer = make_optimizer(unit(), net.params());
  const auto rule = make_rule("backprop", {});
  const Mat w = net.params().value(0);
  std::vector<std::vector<double>> hand(kInputs, std::vector<double>(kClasses));
  for (int i = 0; i < kInputs; ++i)
    for (int c = 0; c < kClasses; ++c)
      hand[static_cast<std::size_t>(i)][static_cast<std::size_t>(c)] =
          static_cast<double>(w.row(i)[c]);
  for (std::uint64_t n = 0; n < 5; ++n) {
    const Batch batch = random_batch(kRows, kInputs, kClasses, 1, n);
    net.params().zero_grad();
    rule->learn(net, batch, {true, Rng(1), batch.task}, {});
    optimizer->step(0.7);

    std::vector<std::vector<double>> d(kInputs, std::vector<double>(kClasses));
    double squares = 0;
    for (int b = 0; b < kRows; ++b) {
      const real* const x = batch.x.value().row(b);
      double out[kClasses] = {}, sum = 0;
      for (int c = 0; c < kClasses; ++c) {
        for (int i = 0; i < kInputs; ++i)
          out[c] += static_cast<double>(x[i]) *
                    hand[static_cast<std::size_t>(i)][static_cast<std::size_t>(c)];
        sum += std::exp(out[c]);
      }
      for (int c = 0; c < kClasses; ++c) {
        const double hot = batch.target[static_cast<std::size_t>(b)] == c ? 1 : 0;
        for (int i = 0; i < kInputs; ++i)
          d[static_cast<std::size_t>(i)][static_cast<std::size_t>(c)] +=
              (hot - std::exp(out[c]) / sum) * static_cast<double>(x[i]) / kRows;
      }
    }
    for (const auto& row : d)
      for (const double v : row)
        squares += v * v;
    for (std::size_t i = 0; i < kInputs; ++i)
      for (std::size_t c = 0; c < kClasses; ++c)
        hand[i][c] += 0.7 * d[i][c] / (std::sqrt(squares) + 1e-8);
  }
  for (int i = 0; i < kInputs; ++i)
    for (int c = 0; c < kClasses; ++c)
      EXPECT_NEAR(w.row(i)[c], hand[static_cast<std::size_t>(i)][static_cast<std::size_t>(c)],
                  1e-5);
}

TEST(UnitSgd, MovesEverySliceByItsRateWhateverTheFormOfItsGradient) {
  ParamStore s;
  const int full = s.add("full", 2, 2), block = s.add("block", 4, 3), idle = s.add("idle", 1, 2);
  const int frozen = s.add("frozen", 1, 1), slow = s.add("slow", 1, 1);
  s.allocate();
  std::fill(s.values().begin(), s.values().end(), real{1});
  s.param(frozen).trainable = false, s.param(slow).rate = 0.5;
  const auto optimizer = make_optimizer(unit(), s);
  s.zero_grad();
  const Mat g = s.grad(full);
  g.data[0] = 3, g.data[3] = -4;
  GradientBlock part{.rows = {1, 3}, .cols = {0, 2}, .value = {1, 2, 2, 4}};
  s.add_gradient(block, part);
  s.grad(frozen).data[0] = 7, s.grad(slow).data[0] = 100;
  optimizer->step(2);
  const auto values = [&](int id) {
    const CMat m = s.value(id);
    return std::vector<real>(m.data, m.data + m.size());
  };
  const auto expect_near = [&](int id, const std::vector<double>& expected) {
    for (std::size_t i = 0; i < expected.size(); ++i)
      EXPECT_NEAR(values(id)[i], expected[i], 1e-6) << s.param(id).name << " " << i;
  };
  expect_near(full, {1 - 2 * 0.6, 1, 1, 1 + 2 * 0.8});
  expect_near(block, {1, 1, 1, 0.6, 1, 0.2, 1, 1, 1, 0.2, 1, -0.6});
  expect_near(idle, {1, 1});
  expect_near(frozen, {1});
  expect_near(slow, {0});
}

TEST(UnitSgd, StandsStillWithoutAGradient) {
  ParamStore s;
  const int w = s.add("w", 2, 2);
  s.allocate();
  s.zero_grad();
  s.grad(w);
  make_optimizer(unit(), s)->step(1);
  for (const real v : s.values())
    EXPECT_EQ(v, 0);
}

TEST(UnitSgd, RefusesWhatItDoesNotHave) {
  ParamStore s;
  s.add("w", 1, 1);
  s.allocate();
  OptimizerOptions o = unit();
  o.momentum = 0.9;
  EXPECT_SAYS(error_of([&] { make_optimizer(o, s); }), "momentum");
  o = unit(), o.weight_decay = 0.1;
  EXPECT_SAYS(error_of([&] { make_optimizer(o, s); }), "weight_decay");
}

}  // namespace
}  // namespace engram
