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

TEST(Optimizer, CountsItsStepsWhateverIsReset) {
  for (const OptimizerEntry& entry : optimizers()) {
    OptimizerOptions o = options(std::string(entry.name));
    o.weight_decay = 0;
    ParamStore s;
    s.add("w", 1, 1);
    s.allocate();
    s.zero_grad();
    const auto optimizer = make_optimizer(o, s);
    optimizer->set_taken(5);
    optimizer->step(o.lr), optimizer->step(o.lr);
    optimizer->reset();
    optimizer->step(o.lr);
    EXPECT_EQ(optimizer->taken(), 8) << entry.name;
  }
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

TEST(Sgd, DecoupledDecayStaysOutOfGradientAndMomentum) {
  for (const double momentum : {0., 0.9})
    for (const bool nesterov : {false, true}) {
      OptimizerOptions o = options("sgd");
      o.momentum = momentum, o.nesterov = nesterov, o.decoupled_decay = true, o.weight_decay = 0.5;
      double w = 1, v = 0;
      std::vector<double> expected;
      for (const double g : {1.0, -2.0, 3.0}) {
        v = momentum * v + g;
        w = (1 - 0.1 * 0.5) * w - 0.1 * (nesterov ? g + momentum * v : v);
        expected.push_back(w);
      }
      const auto got = trace(o);
      for (std::size_t i = 0; i < 3; ++i)
        EXPECT_NEAR(got[i], expected[i], 1e-6) << "momentum " << momentum << ", step " << i;
    }
}

TEST(Adam, DecoupledDecayIsAdamW) {
  for (const char* name : {"adam", "lazy_adam"}) {
    OptimizerOptions o = options(name);
    o.decoupled_decay = true, o.weight_decay = 0.5;
    double w = 1, m = 0, v = 0;
    std::vector<double> expected;
    int t = 0;
    for (const double g : {1.0, -2.0, 3.0}) {
      ++t;
      m = 0.9 * m + 0.1 * g, v = 0.999 * v + 0.001 * g * g;
      const double first = m / (1 - std::pow(0.9, t)), second = v / (1 - std::pow(0.999, t));
      w = (1 - 0.1 * 0.5) * w - 0.1 * first / (std::sqrt(second) + 1e-8);
      expected.push_back(w);
    }
    const auto got = trace(o);
    for (std::size_t i = 0; i < 3; ++i)
      EXPECT_NEAR(got[i], expected[i], 2e-6) << name << ", step " << i;
  }
}

TEST(Adagrad, DividesByTheRootOfAllPastSquares) {
  for (const bool decoupled : {false, true}) {
    OptimizerOptions o = options("adagrad");
    o.decoupled_decay = decoupled, o.weight_decay = 0.5, o.epsilon = 0.01;
    double w = 1, squares = 0;
    std::vector<double> expected;
    for (const double gradient : {1.0, -2.0, 3.0}) {
      const double g = gradient + (decoupled ? 0 : 0.5 * w);
      squares += g * g;
      w = (decoupled ? 1 - 0.1 * 0.5 : 1) * w - 0.1 * g / (std::sqrt(squares) + 0.01);
      expected.push_back(w);
    }
    const auto got = trace(o);
    for (std::size_t i = 0; i < 3; ++i)
      EXPECT_NEAR(got[i], expected[i], 1e-6) << "step " << i;
  }
}

/// Sixty steps on 50 x 30 weights, each with a gradient for two rows, or for two columns of them.
std::vector<real> decoupled(bool lazy, bool scalable, bool nesterov) {
  OptimizerOptions o = options("sgd");
  o.momentum = 0.9, o.nesterov = nesterov, o.decoupled_decay = true, o.weight_decay = 0.1;
  ParamStore s;
  const int id = s.add("w", 50, 30);
  s.param(id).lazy = lazy, s.param(id).scalable = scalable;
  s.allocate();
  Rng rng(1);
  for (real& v : s.values())
    v = static_cast<real>(rng.normal());
  const auto optimizer = make_optimizer(o, s);
  for (int step = 0; step < 60; ++step) {
    s.zero_grad();
    const std::int32_t row = step % 10, col = step % 3;  // the others have nothing but decay
    GradientBlock block{.rows = {row, row + 20}, .cols = {col, col + 9}};
    for (int i = 0; i < 4; ++i)
      block.value.push_back(static_cast<real>(rng.normal()));
    s.add_gradient(id, block);
    optimizer->step(0.05);
  }
  return {s.values().begin(), s.values().end()};
}

TEST(Sgd, DecoupledDecayOfIdleRowsAndColumnsIsThatOfDenseOnes) {
  for (const bool nesterov : {false, true}) {
    const auto dense = decoupled(false, false, nesterov), rows = decoupled(true, false, nesterov),
               columns = decoupled(false, true, nesterov);
    for (std::size_t i = 0; i < dense.size(); ++i) {
      EXPECT_NEAR(rows[i], dense[i], 1e-5) << i;
      EXPECT_NEAR(columns[i], dense[i], 1e-5) << i;
    }
    // Row 45 never had a gradient.
    Rng rng(1);
    for (std::size_t i = 0; i < dense.size(); ++i) {
      const double first = static_cast<double>(static_cast<real>(rng.normal()));
      if (i / 30 == 45) {
        EXPECT_NEAR(dense[i], first * std::pow(1 - 0.05 * 0.1, 60), 1e-5);
      }
    }
  }
}

TEST(Sgd, ASliceMayHaveARateAndADecayOfItsOwn) {
  for (const bool decoupled : {false, true})
    for (const double momentum : {0., 0.9}) {
      OptimizerOptions o = options("sgd");
      o.momentum = momentum, o.decoupled_decay = decoupled;
      ParamStore s;
      for (const char* name : {"plain", "own", "undecayed"})
        s.add(name, 1, 1);
      s.param(1).rate = 3, s.param(1).decay = 7, s.param(2).decay = 0;
      s.allocate();
      const auto optimizer = make_optimizer(o, s);
      double w[3] = {1, 1, 1}, v[3] = {};
      const double rate[3] = {0.1, 0.3, 0.1}, decay[3] = {0.01, 0.07, 0};
      for (real& x : s.values())
        x = 1;
      for (const double gradient : {1., -2., 0.}) {
        s.zero_grad();
        if (gradient != 0)
          for (real& g : s.grads())
            g = static_cast<real>(gradient);
        optimizer->step(0.1);
        for (std::size_t i = 0; i < 3; ++i) {
          const double g = gradient + (decoupled ? 0 : decay[i] * w[i]);
          v[i] = momentum * v[i] + g;
          w[i] = w[i] * (decoupled ? 1 - rate[i] * decay[i] : 1) - rate[i] * v[i];
          EXPECT_NEAR(s.values()[i], w[i], 2e-6) << i << ", decoupled " << decoupled;
        }
      }
    }
}

TEST(Adam, MayAddEpsilonToTheMomentItself) {
  // As Keras: lr sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + eps). An epsilon that counts.
  OptimizerOptions o = options("adam");
  o.epsilon = 0.01, o.epsilon_at = EpsilonAt::Moment;
  for (const char* name : {"adam", "lazy_adam"}) {
    o.optimizer = name;
    double w = 1, m = 0, v = 0;
    int t = 0;
    std::vector<double> expected;
    for (const double gradient : {1.0, -2.0, 3.0}) {
      const double g = gradient + 0.01 * w;
      ++t;
      m += 0.1 * (g - m), v += 0.001 * (g * g - v);
      w -= 0.1 * std::sqrt(1 - std::pow(0.999, t)) / (1 - std::pow(0.9, t)) * m /
           (std::sqrt(v) + 0.01);
      expected.push_back(w);
    }
    const auto got = trace(o);
    for (std::size_t i = 0; i < 3; ++i)
      EXPECT_NEAR(got[i], expected[i], 1e-5) << name;
  }
  o.epsilon_at = EpsilonAt::Corrected;
  const auto corrected = trace(o);
  o.epsilon_at = EpsilonAt::Moment;
  EXPECT_GT(std::abs(corrected[2] - trace(o)[2]), 0.01);
}

TEST(Adam, ASliceMayHaveARateAndADecayOfItsOwn) {
  for (const char* name : {"adam", "lazy_adam"}) {
    ParamStore s;
    for (const char* slice : {"plain", "own", "undecayed"})
      s.add(slice, 1, 1);
    s.param(1).rate = 3, s.param(1).decay = 70, s.param(2).decay = 0;
    s.allocate();
    const auto optimizer = make_optimizer(options(name), s);
    double w[3] = {1, 1, 1}, m[3] = {}, v[3] = {};
    const double rate[3] = {0.1, 0.3, 0.1}, decay[3] = {0.01, 0.7, 0};
    for (real& x : s.values())
      x = 1;
    int t = 0;
    for (const double gradient : {1., -2., 3.}) {
      s.zero_grad();
      for (real& g : s.grads())
        g = static_cast<real>(gradient);
      optimizer->step(0.1);
      ++t;
      for (std::size_t i = 0; i < 3; ++i) {
        const double g = gradient + decay[i] * w[i];
        m[i] = 0.9 * m[i] + 0.1 * g, v[i] = 0.999 * v[i] + 0.001 * g * g;
        w[i] -= rate[i] * (m[i] / (1 - std::pow(0.9, t))) /
                (std::sqrt(v[i] / (1 - std::pow(0.999, t))) + 1e-8);
        EXPECT_NEAR(s.values()[i], w[i], 1e-5) << name << ", slice " << i;
      }
    }
  }
}

TEST(Clip, CutsEveryEntryOfWholeAndOfBlockGradients) {
  ParamStore s;
  const int whole = s.add("whole", 2, 2), block = s.add("block", 3, 4), none = s.add("none", 1, 2);
  s.allocate();
  s.zero_grad();
  const Mat g = s.open_gradient(whole).value;
  const real raw[] = {0.5, -3, 1.25, -0.25};
  std::copy_n(raw, 4, g.data);
  GradientBlock some{.rows = {0, 2}, .cols = {1, 3}, .value = {2, -0.75, -4, 0.125}};
  s.add_gradient(block, some);
  s.clip_gradients(0.75);
  EXPECT_EQ(s.param(block).form, GradientForm::Block);  // stays as sparse as it was
  EXPECT_EQ(s.param(none).form, GradientForm::Zero);
  const real expected[] = {0.5, -0.75, 0.75, -0.25};
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_EQ(s.grad(whole).data[i], expected[i]) << i;
  const Mat b = s.grad(block);
  const real in_block[3][4] = {{0, 0.75, 0, -0.75}, {0, 0, 0, 0}, {0, -0.75, 0, 0.125}};
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 4; ++j)
      EXPECT_EQ(b.row(i)[j], in_block[i][j]) << i << ", " << j;
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
  for (const char* name : {"sgd", "adam", "adagrad"}) {
    EXPECT_EQ(run(name, Told::Rows, 1), run(name, Told::Everything, 1)) << name;
    EXPECT_EQ(run(name, Told::RowsAndColumns, 1), run(name, Told::Everything, 1)) << name;
  }
}
/// Adam on 40 rows of which few ever have a gradient, told of those rows or of everything; it is
/// reset after 15 steps, replaced by a copy of its state after 25, and a gradient of all rows comes
/// in step `whole`.
std::vector<real> rarely_touched(bool told_everything, int whole, double decay) {
  OptimizerOptions o = options("adam");
  o.weight_decay = decay;
  ParamStore s;
  const int id = s.add("w", 40, 7);
  s.allocate();
  Rng rng(1);
  for (real& v : s.values())
    v = static_cast<real>(rng.normal());
  auto optimizer = make_optimizer(o, s);
  for (int step = 0; step < 40; ++step) {
    if (step == 15) optimizer->reset();
    if (step == 25) {
      auto resumed = make_optimizer(o, s);
      resumed->set_steps(optimizer->steps());
      std::ranges::copy(optimizer->state()[0], resumed->state()[0].begin());
      std::ranges::copy(optimizer->state()[1], resumed->state()[1].begin());
      optimizer = std::move(resumed);
    }
    s.zero_grad();
    GradientBlock block{.all_cols = true, .rows = {(3 * step) % 10, 20 + step % 5}, .value = {}};
    block.value.resize(14);
    for (real& g : block.value)
      g = static_cast<real>(rng.normal());
    if (step % 4 != 3) s.add_gradient(id, block);  // in some steps there is none at all
    if (told_everything || step == whole) s.grads();
    optimizer->step(0.05);
  }
  return {s.values().begin(), s.values().end()};
}

TEST(Adam, LeavingOutRowsThatNeverHadAGradientChangesNoBit) {
  for (const double decay : {0., 0.01})
    for (const int whole : {-1, 5, 17, 30}) {
      const auto some = rarely_touched(false, whole, decay),
                 all = rarely_touched(true, whole, decay);
      EXPECT_EQ(some, all) << decay << ", " << whole;
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
TEST_P(EveryOptimizer, ForgetsSinglePlaces) {
  OptimizerOptions o = options(GetParam());
  o.momentum = 0.9;
  ParamStore s;
  s.add("w", 1, 3);
  s.allocate();
  const auto optimizer = make_optimizer(o, s);
  for (real& g : s.grads())
    g = 1;
  optimizer->step(0.1);
  const std::vector<std::size_t> places{1};
  optimizer->forget(places);
  int kept = 0;
  for (const auto& part : optimizer->state()) {
    if (part.size() != s.raw_values().size()) continue;
    ++kept;
    EXPECT_EQ(part[1], 0);
    EXPECT_NE(part[0], 0);
    EXPECT_NE(part[2], 0);
  }
  EXPECT_GT(kept, 0);
}
INSTANTIATE_TEST_SUITE_P(OfTheTable, EveryOptimizer,
                         ::testing::Values("sgd", "adam", "lazy_adam", "adagrad"),
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
