// The Fisher information of pairs of units, by hand, and who is told of it.
#include "learners/past_claims.h"

#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "learners/layer_errors.h"
#include "tests/learners/rewiring_bench.h"

namespace engram::testing {
namespace {

Signal filled(int rows, int cols, const std::vector<double>& values) {
  Signal s;
  const Mat to = s.resize(rows, cols);
  for (std::size_t i = 0; i < values.size(); ++i)
    to.data[i] = static_cast<real>(values[i]);
  return s;
}

TEST(PastClaims, AreASumOverTasksOfProductsOfMeanSquares) {
  PastClaims claims(2, 3, 2);
  // Two batches of two examples: x_0^2 is 1, 9, 4, 4; the errors of the mean loss are half of those
  // of the examples, whose squares at output 1 are therefore 4 * (1, 0, 4, 1).
  claims.see(filled(2, 2, {1, 0, -3, 1}), filled(2, 3, {0, 1, 0, 2, 0, 0}));
  claims.see(filled(2, 2, {2, 0, 2, 1}), filled(2, 3, {0, -2, 0, 0, 1, 0}));
  EXPECT_EQ(claims.at({1, 0}), 0) << "nothing is past yet";
  claims.end_task();
  const double x0 = (1 + 9 + 4 + 4) / 4.0, x1 = (0 + 1 + 0 + 1) / 4.0;
  const double d0 = 4 * (0 + 4 + 0 + 0) / 4.0, d1 = 4 * (1 + 0 + 4 + 1) / 4.0;
  EXPECT_NEAR(claims.at({1, 0}), x0 * d1, 1e-6);
  EXPECT_NEAR(claims.at({0, 1}), x1 * d0, 1e-6);
  EXPECT_EQ(claims.at({2, 0}), 0);

  claims.see(filled(1, 2, {1, 2}), filled(1, 3, {0, 0, 3}));
  claims.end_task();
  EXPECT_NEAR(claims.at({1, 0}), x0 * d1, 1e-6);
  EXPECT_NEAR(claims.at({2, 1}), 4 * 9, 1e-5);
}

TEST(PastClaims, AreAllInTheirState) {
  PastClaims a(1, 1, 2), b(1, 1, 2);
  a.see(filled(1, 1, {2}), filled(1, 1, {3})), a.end_task();
  a.see(filled(1, 1, {1}), filled(1, 1, {5}));
  std::copy(a.state().begin(), a.state().end(), b.state().begin());
  for (PastClaims* c : {&a, &b}) {
    c->see(filled(1, 1, {3}), filled(1, 1, {1})), c->end_task();
    EXPECT_NEAR(c->at({0, 0}), 4 * 9 + (1 + 9) / 2.0 * (25 + 1) / 2.0, 1e-4);
  }
}

/// Says what matters, and listens to what it is to hold.
class Holder final : public Strategy {
 public:
  explicit Holder(std::vector<real> omega) : omega_(std::move(omega)) {}
  std::span<const real> importance(const Training&) override { return omega_; }
  void hold(Training&, std::span<const std::size_t> places,
            std::span<const real> importance) override {
    for (std::size_t i = 0; i < places.size(); ++i)
      held[places[i]] = importance[i];
  }
  std::map<std::size_t, double> held;

 private:
  std::vector<real> omega_;
};

/// One task whose last batch was seen, then a move in the second one, under two strategies that
/// hold weights, one of which counts in units ten times as large.
struct Asked {
  StrategyBench bench{rewiring_plan(), sparse_layers()};
  std::vector<Holder*> holders;
  Edges before, after;  ///< of the second layer
  std::size_t offset = 0;
  PastClaims claims{20, 16, 2};  ///< of it, seen by ourselves

  explicit Asked(const char* with_claims) {
    StrategyBench& s = bench;
    for (const int unit : {1, 10}) {
      std::vector<real> omega(s.weights().size());
      for (std::size_t i = 0; i < omega.size(); ++i)
        omega[i] = static_cast<real>(unit * (1 + i % 3));
      auto holder = std::make_unique<Holder>(std::move(omega));
      holders.push_back(holder.get());
      s.strategies.push_back(std::move(holder));
    }
    Strategy& d = s.add("dynamic_synapses", {{"dynamic_synapses.every", "5"},
                                             {"dynamic_synapses.share", "0.8"},
                                             {"dynamic_synapses.claims", with_claims}});
    offset = s.net->params().param(s.net->layer(2).rewirable()->weight_id()).offset;
    before = edges_of(*s.net, 2);
    for (const int task : {0, 1}) {
      auto t = s.training(task);
      t.strategies = &s.strategies, t.epochs = 1, t.epoch_steps = task == 0 ? 5 : 10;
      t.epoch_step = 4;
      const Batch batch = s.batch(task);
      d.after_step(t, batch);
      if (task != 0) continue;
      LayerErrors errors;
      errors.run(*s.net, {}, batch, {.training = true, .rng = Rng(0), .tasks = batch.task},
                 [&](int l, const Signal& in, const Signal& error) {
                   if (l == 2) claims.see(in, error);
                 });
      claims.end_task(), d.end_experience(t);
    }
    after = edges_of(*s.net, 2);
  }
  double claim(std::size_t slot) const {
    return static_cast<double>(claims.at({after[slot].first, after[slot].second}));
  }
};

TEST(DynamicSynapses, AreHeldAsHardAsThePastMindsThem) {
  const Asked asked("yes");
  const std::vector<std::size_t> fresh = moved(asked.before, asked.after);
  ASSERT_GT(fresh.size(), 5u);
  // In units of a holder: as the importance of all old synapses is to their claims.
  double held = 0, claimed = 0;
  for (std::size_t slot = 0; slot < asked.after.size(); ++slot)
    if (std::ranges::count(fresh, slot) == 0) {
      held += 1 + static_cast<double>((asked.offset + slot) % 3);
      claimed += asked.claim(slot);
    }
  for (const std::size_t slot : fresh)
    for (const double unit : {1, 10}) {
      const auto& told = asked.holders[unit == 1 ? 0 : 1]->held;
      ASSERT_TRUE(told.contains(asked.offset + slot));
      const double due = unit * asked.claim(slot) * held / claimed;
      EXPECT_NEAR(told.at(asked.offset + slot), due, 1e-4 * due + 1e-9);
    }
}

TEST(DynamicSynapses, WithoutClaimsAreHeldByNobody) {
  const Asked asked("no");
  ASSERT_FALSE(moved(asked.before, asked.after).empty());
  for (const Holder* holder : asked.holders)
    EXPECT_TRUE(holder->held.empty());
}

TEST(DynamicSynapses, ClaimsAreOfWhatATaskIsOnceItIsHalfLearnt) {
  StrategyBench s(rewiring_plan(), sparse_layers());
  s.strategies.push_back(std::make_unique<Holder>(std::vector<real>(s.weights().size(), 1)));
  Strategy& d = s.add("dynamic_synapses", {{"dynamic_synapses.every", "1000"}});
  auto t = s.training(0);
  t.strategies = &s.strategies, t.epochs = 1, t.epoch_steps = 41;
  real seen = 0;  // batches: every twentieth from the end on, in the second half
  for (t.epoch_step = 0; t.epoch_step < t.epoch_steps; ++t.epoch_step) {
    d.after_step(t, s.batch(0));
    if (t.epoch_step == 20 || t.epoch_step == 40) seen += 1;
    EXPECT_EQ(d.state()[2][1], seen) << t.epoch_step;
  }
}

TEST(Strategies, HoldWhatTheyAreToldTo) {
  for (const auto& [name, keys, strength] :
       {std::tuple{"si", std::vector<std::pair<const char*, const char*>>{{"si.c", "0.5"}}, 0.5},
        std::tuple{"ewc", std::vector<std::pair<const char*, const char*>>{{"ewc.lambda", "3"}},
                   1.5},
        std::tuple{"mas", std::vector<std::pair<const char*, const char*>>{{"mas.lambda", "2"}},
                   2.0}}) {
    StrategyBench s(rewiring_plan(), sparse_layers());
    Strategy& strategy = s.add(name, keys);
    auto t = s.training(0);
    t.strategies = &s.strategies;
    strategy.begin_experience(t);
    const std::vector<std::size_t> places{3, 8};
    const std::vector<real> importance{2, 7};
    strategy.renew(t, places);
    strategy.hold(t, places, importance);
    EXPECT_EQ(strategy.importance(t)[3], 2) << name;
    EXPECT_EQ(strategy.importance(t)[8], 7) << name;
    for (real& v : s.net->params().values())
      v += real{0.25};
    s.net->params().zero_grad();
    strategy.shape_gradient(t);
    const auto g = s.net->params().grads();
    EXPECT_NEAR(g[3], 2 * strength * 2 * 0.25, 1e-6) << name;
    EXPECT_NEAR(g[8], 2 * strength * 7 * 0.25, 1e-6) << name;
    EXPECT_NEAR(g[4], 0, 1e-6) << name;
  }
}

}  // namespace
}  // namespace engram::testing
