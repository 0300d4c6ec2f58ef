// Optimisers against the formulas written out, and skipping untouched rows against not skipping.
#include <cmath>

#include <gtest/gtest.h>

#include "learners/registry.h"
#include "utils/error.h"
#include "utils/parallel.h"
#include "utils/rng.h"

namespace engram {
namespace {

OptimizerOptions options(const std::string& name) {
  OptimizerOptions o;
  o.optimizer = name, o.lr = 0.1, o.weight_decay = 0.01;
  return o;
}

/// Three steps on one weight with gradients 1, -2, 3.
std::vector<double> trace(const OptimizerOptions& o) {
  ParamStore s;
  s.add("w", 1, 1);
  s.allocate();
  s.values()[0] = 1;
  const auto optimizer = make_optimizer(o, s);
  std::vector<double> w;
  for (const double g : {1.0, -2.0, 3.0}) {
    s.zero_grad();
    s.grads()[0] = static_cast<real>(g);
    optimizer->step(o.lr);
    w.push_back(static_cast<double>(s.values()[0]));
  }
  return w;
}

TEST(Sgd, FollowsPyTorchsMomentumWithAndWithoutNesterov) {
  for (const bool nesterov : {false, true}) {
    OptimizerOptions o = options("sgd");
    o.momentum = 0.9, o.nesterov = nesterov;
    double w = 1, v = 0;
    std::vector<double> expected;
    for (const double gradient : {1.0, -2.0, 3.0}) {
      const double g = gradient + 0.01 * w;
      v = 0.9 * v + g;
      w -= 0.1 * (nesterov ? g + 0.9 * v : v);
      expected.push_back(w);
    }
    const auto got = trace(o);
    for (int i = 0; i < 3; ++i)
      EXPECT_NEAR(got[static_cast<std::size_t>(i)], expected[static_cast<std::size_t>(i)], 1e-6);
  }
}

TEST(Sgd, WithoutMomentumIsPlainDescent) {
  double w = 1;
  const auto got = trace(options("sgd"));
  for (const double g : {1.0, -2.0, 3.0})
    w -= 0.1 * (g + 0.01 * w);
  EXPECT_NEAR(got[2], w, 1e-6);
}

TEST(Adam, FollowsItsDefinition) {
  double w = 1, m = 0, v = 0;
  const auto got = trace(options("adam"));
  int t = 0;
  for (const double gradient : {1.0, -2.0, 3.0}) {
    const double g = gradient + 0.01 * w;
    ++t;
    m = 0.9 * m + 0.1 * g, v = 0.999 * v + 0.001 * g * g;
    w -= 0.1 * (m / (1 - std::pow(0.9, t))) / (std::sqrt(v / (1 - std::pow(0.999, t))) + 1e-8);
  }
  EXPECT_NEAR(got[2], w, 1e-5);
}

class EveryOptimizer : public ::testing::TestWithParam<std::string> {};

/// A gradient that touches two rows, and in those every column or two.
GradientBlock two_rows(int step, bool all_cols, Rng& rng) {
  GradientBlock block;
  block.rows = {step % 25, 25 + (7 * step) % 25};
  block.all_cols = all_cols;
  block.cols = {step % 15, 15 + (11 * step) % 15};
  block.value.resize(2 * block.width(30));
  for (real& g : block.value)
    g = static_cast<real>(rng.normal());
  return block;
}

enum class Told { Rows, RowsAndColumns, Everything };

/// Twenty steps on 50 x 30 weights where each touches two rows and two columns. `told`: how much of
/// that the optimiser hears.
std::vector<real> run(const std::string& name, Told told, int threads) {
  set_threads(threads);
  OptimizerOptions o = options(name);
  o.momentum = 0.9, o.nesterov = true;
  ParamStore s;
  const int id = s.add("w", 50, 30);
  s.allocate();
  Rng rng(1);
  for (real& v : s.values())
    v = static_cast<real>(rng.normal());
  const auto optimizer = make_optimizer(o, s);
  for (int step = 0; step < 20; ++step) {
    s.zero_grad();
    GradientBlock block = two_rows(step, false, rng);
    if (told == Told::Rows) {
      GradientBlock rows{.all_cols = true, .rows = block.rows, .value = std::vector<real>(60, 0)};
      for (std::size_t r = 0; r < 2; ++r)
        for (std::size_t c = 0; c < 2; ++c)
          rows.value[r * 30 + block.cols[c]] = block.value[r * 2 + c];
      std::swap(block, rows);
    }
    s.add_gradient(id, block);
    if (told == Told::Everything) s.grads();
    optimizer->step(0.05);
  }
  set_threads(1);
  return {s.values().begin(), s.values().end()};
}

TEST(ExactOptimizers, SkippingWhatIsUntouchedChangesNoBit) {
  for (const char* name : {"sgd", "adam"}) {
    EXPECT_EQ(run(name, Told::Rows, 1), run(name, Told::Everything, 1)) << name;
    EXPECT_EQ(run(name, Told::RowsAndColumns, 1), run(name, Told::Everything, 1)) << name;
  }
}
TEST(LazyAdam, MovesOnlyRowsWithAGradientAndThoseLikeAdam) {
  OptimizerOptions o = options("lazy_adam");
  ParamStore s, whole;
  s.add("w", 3, 2), whole.add("w", 3, 2);
  s.allocate(), whole.allocate();
  for (int i = 0; i < 6; ++i)
    s.values()[i] = whole.values()[i] = static_cast<real>(i + 1);
  const auto lazy = make_optimizer(o, s), adam = make_optimizer(options("adam"), whole);
  for (int step = 0; step < 4; ++step) {
    s.zero_grad(), whole.zero_grad();
    GradientBlock block{.all_cols = true, .rows = {1}, .value = {1, -2}};
    GradientBlock same = block;
    s.add_gradient(0, block), whole.add_gradient(0, same);
    lazy->step(0.1), adam->step(0.1);
  }
  EXPECT_EQ(s.value(0).row(0)[0], 1);
  EXPECT_EQ(s.value(0).row(2)[1], 6);
  EXPECT_EQ(s.value(0).row(1)[0], whole.value(0).row(1)[0]);
  EXPECT_EQ(s.value(0).row(1)[1], whole.value(0).row(1)[1]);
  EXPECT_NE(whole.value(0).row(0)[0], 1);
}
TEST_P(EveryOptimizer, HasTheSameBitsForAnyNumberOfThreads) {
  EXPECT_EQ(run(GetParam(), Told::RowsAndColumns, 1), run(GetParam(), Told::RowsAndColumns, 4));
}
TEST_P(EveryOptimizer, LeavesFrozenSlicesAloneEvenWithDecay) {
  ParamStore s;
  s.add("frozen", 1, 2), s.add("free", 1, 2);
  s.allocate();
  for (real& v : s.values())
    v = 1;
  s.param(0).trainable = false;
  const auto optimizer = make_optimizer(options(GetParam()), s);
  for (real& g : s.grads())
    g = 1;
  optimizer->step(0.1);
  EXPECT_EQ(s.values()[0], 1);
  EXPECT_NE(s.values()[2], 1);
}
TEST_P(EveryOptimizer, ForgetsItsStateOnReset) {
  OptimizerOptions o = options(GetParam());
  o.momentum = 0.9;
  ParamStore s;
  s.add("w", 1, 1);
  s.allocate();
  const auto optimizer = make_optimizer(o, s);
  const auto step = [&] {
    s.values()[0] = 1, s.grads()[0] = 1;
    optimizer->step(0.1);
    return s.values()[0];
  };
  const real first = step();
  step();
  optimizer->reset();
  EXPECT_EQ(step(), first);
}
INSTANTIATE_TEST_SUITE_P(OfTheTable, EveryOptimizer, ::testing::Values("sgd", "adam", "lazy_adam"),
                         [](const auto& param) { return param.param; });

TEST(Optimizers, AnUnknownNameSuggestsTheNearest) {
  ParamStore s;
  try {
    make_optimizer(options("adm"), s);
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("adam"), std::string::npos);
  }
}

}  // namespace
}  // namespace engram
