// Networks that skip work against dense twins that skip nothing, over two hundred training steps in
// double precision: active sets, blocks of gradients, owed rows and sparse storage must not change
// what is learnt.
#include <algorithm>
#include <cmath>
#include <ostream>

#include <gtest/gtest.h>

#include "learners/optimizer.h"
#include "learners/rules/rules.h"
#include "tests/models/harness.h"
#include "utils/parallel.h"

namespace engram {
namespace {

using testing::Opaque;
using testing::random_batch;

struct Kind {
  const char* name;
  int hidden, winners;  ///< no winners: relu
  double density;
};

void PrintTo(const Kind& kind, std::ostream* out) {
  *out << kind.name;
}

KWinnersOptions winners(const Kind& kind) {
  KWinnersOptions o;
  o.percent_on = static_cast<double>(kind.winners) / kind.hidden, o.boost_strength = 1;
  return o;
}

/// 40-hidden-hidden-6. The dense twin hides every active set and stores every weight.
std::unique_ptr<Network> build(const Kind& kind, bool twin) {
  std::vector<LayerPtr> l;
  const Synapses s{.density = kind.density,
                   .storage = twin ? WeightStorage::Dense : WeightStorage::Auto};
  const auto glass = [&] {  // layers keep their places in both, and so their random streams
    if (twin)
      l.push_back(std::make_unique<Opaque>());
    else
      l.push_back(flatten());
  };
  for (int i = 0; i < 2; ++i) {
    l.push_back(linear(kind.hidden, s)), glass();
    l.push_back(kind.winners > 0 ? k_winners(winners(kind)) : relu()), glass();
    l.push_back(dropout(0.25)), glass();
  }
  l.push_back(linear(6));
  return std::make_unique<Network>(ImageShape{1, 1, 40}, std::move(l), Rng(8));
}

/// Random inputs, three quarters of them zero and listed as such unless the twin gets them.
Batch batch_of(int step, bool twin) {
  Batch batch = random_batch(12, 40, 6, 1, static_cast<std::uint64_t>(step % 7 + 1));
  Rng rng(static_cast<std::uint64_t>(step % 7));
  const Mat x = batch.x.value();
  if (!twin) batch.x.active.begin();
  for (int b = 0; b < x.rows; ++b) {
    for (int i = 0; i < x.cols; ++i) {
      if (rng.uniform() < 0.75)
        x.row(b)[i] = 0;
      else if (!twin)
        batch.x.active.push(i);
    }
    if (!twin) batch.x.active.end_row();
  }
  return batch;
}

/// Weights [outputs][inputs] of a layer, wherever they are stored: rows of what the layer makes of
/// unit inputs less its bias.
std::vector<double> weights_of(Network& net, int layer) {
  const int inputs = net.input_shape(layer).size();
  Signal units;
  const Mat x = units.resize(inputs + 1, inputs);
  std::fill_n(x.data, x.size(), real{0});
  for (int i = 0; i < inputs; ++i)
    x.row(i)[i] = 1;
  Record y;
  net.layer(layer).forward(units, y, {});
  std::vector<double> w;
  for (int i = 0; i < inputs; ++i)
    for (int o = 0; o < y.out.cols(); ++o)
      w.push_back(y.out.value().row(i)[o] - y.out.value().row(inputs)[o]);
  return w;
}

struct Watched {
  double executed = 0;  ///< share of the dense multiply-adds
  bool rested = false;  ///< columns of the first layer rested at the end
};

std::vector<double> train(const Kind& kind, const OptimizerOptions& o, bool twin, int steps,
                          Watched* watched = nullptr) {
  const auto net = build(kind, twin);
  auto make = o.optimizer == "adam" ? make_adam : make_sgd;
  const auto optimizer = make(o, net->params());
  const auto rule = make_backprop({}, {});
  Macs macs;
  for (int step = 0; step < steps; ++step) {
    const Batch batch = batch_of(step, twin);
    net->params().zero_grad();
    const Pass pass{true, Rng(3).fork("pass", static_cast<std::uint64_t>(step)), batch.task};
    macs += rule->learn(*net, batch, pass, {}).macs;
    net->params().mask_gradients();
    optimizer->step(o.lr * (step % 50 < 25 ? 1 : 0.5));  // the rate moves
  }
  if (watched) *watched = {macs.executed / macs.dense, net->params().scaled(0).scale != nullptr};
  std::vector<double> all;
  for (const int layer : {0, 6, 12}) {
    const auto w = weights_of(*net, layer);
    all.insert(all.end(), w.begin(), w.end());
  }
  return all;
}

const Kind kKinds[] = {{"OneWinner", 800, 1, 1},
                       {"FewWinners", 600, 2, 1},
                       {"SomeWinners", 120, 12, 1},
                       {"SparseWeights", 120, 60, 0.2},
                       {"WinnersAndSparseWeights", 200, 10, 0.05},
                       {"Relu", 300, 0, 1}};

class Twins : public ::testing::TestWithParam<Kind> {};

TEST_P(Twins, LearnTheSameOverTwoHundredSteps) {
  for (const char* optimizer : {"sgd", "momentum", "nesterov", "forgetful", "adam"}) {
    OptimizerOptions o;
    o.optimizer = optimizer == std::string("adam") ? "adam" : "sgd";
    o.lr = o.optimizer == "adam" ? 0.002 : 0.05, o.weight_decay = 1e-3;
    o.momentum = optimizer == std::string("sgd") ? 0 : 0.9;
    if (optimizer == std::string("forgetful")) o.momentum = 0.3;  // columns rest after 28 steps
    o.nesterov = optimizer == std::string("nesterov");
    Watched watched;
    const auto sparse = train(GetParam(), o, false, 200, &watched);
    const auto dense = train(GetParam(), o, true, 200);
    ASSERT_EQ(sparse.size(), dense.size());
    double worst = 0;
    for (std::size_t i = 0; i < sparse.size(); ++i)
      worst = std::max(worst, std::abs(sparse[i] - dense[i]));
    EXPECT_LT(worst, 1e-9) << optimizer;
    EXPECT_LT(watched.executed, 0.7) << optimizer;
    if (GetParam().name == std::string("OneWinner") && optimizer == std::string("forgetful")) {
      EXPECT_TRUE(watched.rested);
    }
  }
}

TEST_P(Twins, HaveTheSameBitsForAnyNumberOfThreads) {
  OptimizerOptions o;
  o.lr = 0.05, o.momentum = 0.9, o.weight_decay = 1e-3;
  const auto one = train(GetParam(), o, false, 20);
  for (const int threads : {2, 3}) {
    set_threads(threads);
    EXPECT_EQ(train(GetParam(), o, false, 20), one) << threads;
  }
  set_threads(1);
}

INSTANTIATE_TEST_SUITE_P(Kinds, Twins, ::testing::ValuesIn(kKinds),
                         [](const auto& param) { return param.param.name; });

TEST(OwedRows, ArePaidWhenTheyGrowOldAndWhenTheSliceIsRead) {
  OptimizerOptions o;
  o.lr = 0.1, o.momentum = 0.9, o.weight_decay = 0.01;
  ParamStore lazy, dense;
  lazy.add("w", 300, 2), dense.add("w", 300, 2);
  lazy.param(0).lazy = true;
  lazy.allocate(), dense.allocate();
  for (int i = 0; i < 600; ++i)
    lazy.values()[i] = dense.values()[i] = i * 0.01;
  const auto a = make_sgd(o, lazy), b = make_sgd(o, dense);
  for (int step = 0; step < 700; ++step) {  // far beyond the oldest debt
    lazy.zero_grad(), dense.zero_grad();
    GradientBlock g{.rows = {step % 5, 200 + step % 90}, .cols = {1}, .value = {1, -0.5}}, same = g;
    lazy.add_gradient(0, g), dense.add_gradient(0, same);
    a->step(0.1), b->step(0.1);
    if (step == 350) {
      const std::vector<std::int32_t> some{2, 299};
      const CMat w = lazy.rows(0, some);
      for (const int row : some)
        EXPECT_NEAR(w.row(row)[1], dense.value(0).row(row)[1], 1e-12);
    }
  }
  const Mat w = lazy.value(0);
  for (std::size_t i = 0; i < 600; ++i)
    ASSERT_NEAR(w.data[i], dense.value(0).data[i], 1e-12) << i;
}

TEST(OwedRows, StandStillWhileTheirSliceIsFrozen) {
  OptimizerOptions o;
  o.lr = 0.1, o.momentum = 0.9, o.weight_decay = 0.01;
  ParamStore lazy, dense;
  lazy.add("w", 3, 1), dense.add("w", 3, 1);
  lazy.param(0).lazy = true;
  lazy.allocate(), dense.allocate();
  for (int i = 0; i < 3; ++i)
    lazy.values()[i] = dense.values()[i] = i + 1;
  const auto a = make_sgd(o, lazy), b = make_sgd(o, dense);
  for (int step = 0; step < 30; ++step) {
    lazy.param(0).trainable = dense.param(0).trainable = step / 10 != 1;
    lazy.zero_grad(), dense.zero_grad();
    if (step == 15 || step == 25) a->reset(), b->reset();
    GradientBlock g{.rows = {step % 2}, .cols = {0}, .value = {1}}, same = g;
    lazy.add_gradient(0, g), dense.add_gradient(0, same);
    a->step(0.1), b->step(0.1);
  }
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_NEAR(lazy.value(0).data[i], dense.value(0).data[i], 1e-12);
}

/// A slice whose columns may rest, beside one whose columns never do.
struct Columns {
  explicit Columns(bool scalable) {
    store.add("w", 30, 300);
    store.param(0).scalable = scalable;
    store.allocate();
    Rng rng(4);
    for (real& w : store.values())
      w = rng.normal();
    OptimizerOptions o;
    o.momentum = 0.5, o.weight_decay = 0.01, o.nesterov = true;
    optimizer = make_sgd(o, store);
  }
  /// Few columns win, other ones as time goes by; now and then, and for a while, all do.
  void step(int t) {
    Rng rng(static_cast<std::uint64_t>(t));
    store.zero_grad();
    GradientBlock g{.all_rows = t % 3 == 0, .rows = {2, 7, 29}};
    for (const int c : {t / 40 * 3, t / 40 * 3 + 100 + t % 4})
      g.cols.push_back(c);
    g.value.resize(2 * (g.all_rows ? 30 : 3));
    for (real& v : g.value)
      v = rng.normal();
    if (t % 10 != 9) store.add_gradient(0, g);
    if (t >= 250 && t < 255) store.grads();
    optimizer->step(t < 300 ? 0.1 : 0.05);
  }
  ParamStore store;
  std::unique_ptr<Optimizer> optimizer;
};

TEST(RestingColumns, FollowTheOptimiserThatSweepsOverAll) {
  Columns resting(true), dense(false);
  int at_rest = 0;
  for (int t = 0; t < 600; ++t) {
    resting.step(t), dense.step(t);
    const auto [w, scale] = resting.store.scaled(0);
    at_rest += scale != nullptr;
    const CMat all = dense.store.value(0);
    for (int i = 0; i < 30; i += 7)
      for (int o = 0; o < 300; ++o)
        ASSERT_NEAR(w.row(i)[o] * (scale ? scale[o] : 1), all.row(i)[o], 1e-11) << t << " " << o;
    if (t % 100 == 99) resting.store.values();
    if (t == 450) {
      for (Columns* c : {&resting, &dense})
        c->optimizer->reset();
    }
  }
  EXPECT_GT(at_rest, 200);
  const auto a = resting.store.values(), b = dense.store.values();
  for (std::size_t i = 0; i < a.size(); ++i)
    ASSERT_NEAR(a[i], b[i], 1e-11);
}

TEST(RestingColumns, MakeRoomBeforeOthersWake) {
  // Of 256 columns at most 64 have a slot. In one of the rounds they all go to rest in the very
  // step in which another one, of a lower number, wakes.
  ParamStore resting, dense;
  const std::vector<ParamStore*> stores{&resting, &dense};
  std::vector<std::unique_ptr<Optimizer>> optimizers;
  for (ParamStore* store : stores) {
    store->add("w", 3, 256);
    store->param(0).scalable = store == &resting;
    store->allocate();
    Rng rng(4);
    for (real& w : store->values())
      w = rng.normal();
    OptimizerOptions o;
    o.momentum = 0.5, o.weight_decay = 0.01;
    optimizers.push_back(make_sgd(o, *store));
  }
  const auto step = [&](int first, int last) {  // columns that have a gradient
    for (std::size_t i = 0; i < stores.size(); ++i) {
      stores[i]->zero_grad();
      GradientBlock g{.all_rows = true};
      for (int c = first; c < last; ++c)
        g.cols.push_back(c);
      g.value.assign(3 * g.cols.size(), 0.1);
      if (first < last) stores[i]->add_gradient(0, g);
      optimizers[i]->step(0.1);
    }
  };
  for (int wait = 40; wait < 56; ++wait) {  // columns rest after some 48 steps without a gradient
    for (int t = 0; t < 60; ++t)
      step(0, 0);
    ASSERT_NE(resting.scaled(0).scale, nullptr);
    step(192, 256);
    for (int t = 0; t < wait; ++t)
      step(0, 0);
    step(0, 1);
  }
  const auto a = resting.values(), b = dense.values();
  for (std::size_t i = 0; i < a.size(); ++i)
    ASSERT_NEAR(a[i], b[i], 1e-11) << i;
}

TEST(RestingColumns, HaveTheSameBitsForAnyNumberOfThreadsAndAfterResuming) {
  const auto bits = [](Columns& c) {
    return std::vector<real>(c.store.values().begin(), c.store.values().end());
  };
  Columns straight(true);
  for (int t = 0; t < 200; ++t)
    straight.step(t);
  Columns first(true), second(true);
  set_threads(2);
  for (int t = 0; t < 140; ++t)
    first.step(t);
  ASSERT_NE(first.store.scaled(0).scale, nullptr);
  std::copy(first.store.raw_values().begin(), first.store.raw_values().end(),
            second.store.raw_values().begin());
  const auto from = first.optimizer->state();
  auto to = second.optimizer->state();
  ASSERT_EQ(from.size(), to.size());
  for (std::size_t i = 0; i < from.size(); ++i)
    std::copy(from[i].begin(), from[i].end(), to[i].begin());
  for (int t = 140; t < 200; ++t)
    second.step(t);
  set_threads(1);
  EXPECT_EQ(bits(second), bits(straight));
}

}  // namespace
}  // namespace engram
