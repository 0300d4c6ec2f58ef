// Strategies that move synapses: the budget stays, what goes and where new ones begin is what they
// say, and everybody who keeps something for a synapse hears of it.
#include "learners/rewiring.h"

#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include "learners/layer_errors.h"
#include "tests/learners/rewiring_bench.h"

namespace engram::testing {
namespace {

using Numbers = std::vector<double>;

/// Whether a step that is about to end is one that rewires.
void at_end_of_epoch(Training& t) {
  t.epochs = 4, t.epoch_steps = 5, t.epoch_step = 4;
}

/// Slots of the second layer that a strategy moves at the end of a step.
std::vector<std::size_t> moved_by(StrategyBench& s, std::size_t strategy, Training& t,
                                  const Batch& batch) {
  const Edges before = edges_of(*s.net, 2);
  s.strategies[strategy]->after_step(t, batch);
  return moved(before, edges_of(*s.net, 2));
}

struct Named {
  const char* name;
  std::vector<std::pair<const char*, const char*>> keys;
};
const std::vector<Named>& kinds() {
  static const std::vector<Named> all{{"set", {}},
                                      {"rigl", {{"rigl.every", "2"}}},
                                      {"dynamic_synapses", {{"dynamic_synapses.every", "2"}}},
                                      {"dynamic_synapses",
                                       {{"dynamic_synapses.every", "2"},
                                        {"dynamic_synapses.grow", "coactive"},
                                        {"dynamic_synapses.slow", "0.5"},
                                        {"dynamic_synapses.keep", "0.2"}}},
                                      {"dynamic_synapses",
                                       {{"dynamic_synapses.every", "2"},
                                        {"dynamic_synapses.grow", "random"},
                                        {"dynamic_synapses.drop", "magnitude"}}}};
  return all;
}

TEST(Rewiring, KeepsTheBudgetAndNeverDoublesASynapse) {
  for (const Named& kind : kinds()) {
    StrategyBench s(rewiring_plan(), sparse_layers());
    const Edges before = edges_of(*s.net, 0);
    s.add("si"), s.add(kind.name, kind.keys);
    Observer nobody;
    Cursor cursor;
    ASSERT_TRUE(s.run(nobody, cursor));
    const Edges after = edges_of(*s.net, 0);
    EXPECT_EQ(after.size(), before.size());
    EXPECT_EQ(std::set(after.begin(), after.end()).size(), after.size()) << kind.name;
    EXPECT_NE(std::set(after.begin(), after.end()), std::set(before.begin(), before.end()))
        << kind.name;
  }
}

TEST(Rewiring, IsTheSameFromRunToRunAndAfterASave) {
  struct StopAt : Observer {
    explicit StopAt(int steps) : left(steps) {}
    void after_step(const Cursor&, const BatchStats&, int, std::int64_t, int) override { --left; }
    bool stop_requested() override { return left == 0; }
    int left;
  };
  for (const Named& kind : kinds()) {
    StrategyBench whole(rewiring_plan(), sparse_layers());
    whole.add("si"), whole.add(kind.name, kind.keys);
    Observer nobody;
    Cursor cursor;
    whole.run(nobody, cursor);

    StrategyBench first(rewiring_plan(), sparse_layers()), second(rewiring_plan(), sparse_layers());
    for (StrategyBench* s : {&first, &second})
      s->add("si"), s->add(kind.name, kind.keys);
    StopAt stop(23);
    Cursor at;
    ASSERT_FALSE(first.run(stop, at));
    const auto copy = [](std::span<const real> from, std::span<real> to) {
      ASSERT_EQ(from.size(), to.size());
      std::copy(from.begin(), from.end(), to.begin());
    };
    copy(first.net->params().values(), second.net->params().values());
    copy(first.net->params().states(), second.net->params().states());
    second.net->restored();
    for (std::size_t i = 0; i < first.optimizer->state().size(); ++i)
      copy(first.optimizer->state()[i], second.optimizer->state()[i]);
    for (std::size_t k = 0; k < 2; ++k)
      for (std::size_t i = 0; i < first.strategies[k]->state().size(); ++i)
        copy(first.strategies[k]->state()[i], second.strategies[k]->state()[i]);
    second.run(nobody, at);
    EXPECT_EQ(second.weights(), whole.weights()) << kind.name;
    EXPECT_EQ(edges_of(*second.net, 2), edges_of(*whole.net, 2)) << kind.name;
  }
}

TEST(Set, TakesTheSmallestAwayAndDrawsNewValues) {
  StrategyBench s(rewiring_plan(), sparse_layers());
  s.add("set", {{"set.share", "0.25"}});
  auto t = s.training(0);
  t.strategies = &s.strategies;
  at_end_of_epoch(t);
  const Edges before = edges_of(*s.net, 0);
  const int id = s.net->layer(0).rewirable()->weight_id();
  const Mat w = s.net->params().value(id);
  std::vector<double> size;
  for (const real v : w.all())
    size.push_back(std::abs(static_cast<double>(v)));
  s.strategies[0]->after_step(t, s.batch(0));
  const auto slots = moved(before, edges_of(*s.net, 0));
  ASSERT_EQ(slots.size(), before.size() / 4);
  std::vector<double> sorted = size;
  std::sort(sorted.begin(), sorted.end());
  for (const std::size_t slot : slots) {
    EXPECT_LE(size[slot], sorted[slots.size() - 1]);
    EXPECT_NE(w.data[slot], 0);
    EXPECT_LE(std::abs(static_cast<double>(w.data[slot])), 0.5);  // 1 / sqrt(fan_in of 4)
  }
}

TEST(Rigl, BeginsAtZeroWhereTheGradientIsLargest) {
  // The dense gradient, from a twin all of whose weights exist and the missing ones are 0.
  StrategyBench s(rewiring_plan(), sparse_layers());
  StrategyBench twin(rewiring_plan(), stack(linear(20), relu(), linear(16), relu()));
  for (const int l : {0, 2, 4}) {
    Signal w;
    s.net->layer(l).incoming(w);
    const std::string name = s.net->layer_name(l);
    const Mat to = twin.net->params().value(twin.net->params().find(name + ".weight"));
    for (int o = 0; o < w.rows(); ++o)
      for (int i = 0; i < w.cols(); ++i)
        to.row(i)[o] = w.value().row(o)[i];
    const Mat from = s.net->params().value(s.net->params().find(name + ".bias"));
    std::copy(from.data, from.data + from.size(),
              twin.net->params().value(twin.net->params().find(name + ".bias")).data);
  }
  s.add("rigl", {{"rigl.every", "5"}, {"rigl.share", "0.5"}});
  const Batch batch = s.batch(0);
  twin.net->params().zero_grad();
  twin.rule->learn(*twin.net, batch, {true, Rng(0), batch.task}, {});
  auto t = s.training(0);
  t.strategies = &s.strategies;
  at_end_of_epoch(t);
  const Edges before = edges_of(*s.net, 2);
  s.strategies[0]->after_step(t, batch);
  const Edges after = edges_of(*s.net, 2);
  const auto slots = moved(before, after);
  ASSERT_GT(slots.size(), 3u);
  const Mat g = twin.net->params().grad(twin.net->params().find("linear2.weight"));
  const std::set<std::pair<int, int>> there(after.begin(), after.end());
  double weakest = 1e9, strongest_left = 0;
  for (const std::size_t slot : slots) {
    const auto [o, i] = after[slot];
    weakest = std::min(weakest, std::abs(static_cast<double>(g.row(i)[o])));
    EXPECT_EQ(s.net->params().value(s.net->layer(2).rewirable()->weight_id()).data[slot], 0);
  }
  for (int o = 0; o < 16; ++o)
    for (int i = 0; i < 20; ++i)
      if (!there.contains({o, i}))
        strongest_left = std::max(strongest_left, std::abs(static_cast<double>(g.row(i)[o])));
  EXPECT_GE(weakest, strongest_left - 1e-7);
}

TEST(DynamicSynapses, BeginBetweenUnitsThatAreActiveTogether) {
  for (const char* where : {"coactive", "gradient"}) {
    StrategyBench s(rewiring_plan(), sparse_layers());
    s.add("dynamic_synapses", {{"dynamic_synapses.every", "5"},
                               {"dynamic_synapses.share", "0.5"},
                               {"dynamic_synapses.grow", where}});
    const Batch batch = s.batch(0);
    Tape tape;
    std::as_const(*s.net).evaluate(batch.x, tape, {});
    auto t = s.training(0);
    t.strategies = &s.strategies;
    at_end_of_epoch(t);
    const Edges before = edges_of(*s.net, 2);
    s.strategies[0]->after_step(t, batch);
    const Edges after = edges_of(*s.net, 2);
    const auto slots = moved(before, after);
    ASSERT_GT(slots.size(), 3u);
    const CMat pre = std::as_const(tape[1].out).value(), post = std::as_const(tape[3].out).value();
    for (const std::size_t slot : slots) {
      int together = 0;
      for (int b = 0; b < batch.rows(); ++b)
        together += pre.row(b)[after[slot].second] > 0 && post.row(b)[after[slot].first] > 0;
      EXPECT_GT(together, 0) << where;
    }
  }
}

/// Says that some weights matter.
class Judge final : public Strategy {
 public:
  explicit Judge(std::size_t weights) : omega(weights, 0) {}
  std::span<const real> importance(const Training&) override { return omega; }
  void renew(Training&, std::span<const std::size_t> places) override {
    renewed.insert(renewed.end(), places.begin(), places.end());
  }
  std::vector<real> omega;
  std::vector<std::size_t> renewed;
};

TEST(DynamicSynapses, GiveUpWhatThePastNeedsLeastAndTellWhoeverKeepsSomething) {
  StrategyBench s(rewiring_plan(), sparse_layers());
  auto judge = std::make_unique<Judge>(s.weights().size());
  Judge& said = *judge;
  for (std::size_t i = 0; i < said.omega.size(); i += 2)
    said.omega[i] = 1;
  s.strategies.push_back(std::move(judge));
  s.add("dynamic_synapses", {{"dynamic_synapses.every", "5"}, {"dynamic_synapses.share", "0.4"}});
  auto t = s.training(1);
  t.strategies = &s.strategies;
  at_end_of_epoch(t);
  for (real& g : s.net->params().grads())
    g = 1;
  s.optimizer->step(0.01);
  const Edges before = edges_of(*s.net, 0);
  s.strategies[1]->after_step(t, s.batch(1));
  const std::size_t offset = s.net->params().param(s.net->layer(0).rewirable()->weight_id()).offset;
  const auto slots = moved(before, edges_of(*s.net, 0));
  ASSERT_GT(slots.size(), 2u);
  for (const std::size_t slot : slots) {
    EXPECT_EQ(said.omega[offset + slot], 0) << "the past needs it";
    EXPECT_TRUE(std::ranges::count(said.renewed, offset + slot) == 1);
  }
  const auto velocity = s.optimizer->state()[0];
  for (std::size_t slot = 0; slot < before.size(); ++slot)
    EXPECT_EQ(velocity[offset + slot] == 0, std::ranges::count(slots, slot) == 1) << slot;
}

TEST(DynamicSynapses, CostWhatAPenaltyWouldChargeForThem) {
  StrategyBench s(rewiring_plan(), sparse_layers());
  auto judge = std::make_unique<Judge>(s.weights().size());
  const auto values = s.net->params().values();
  for (std::size_t i = 0; i < values.size(); ++i) {  // Omega w^2 is 4 or 3
    judge->omega[i] = i % 2 == 0 ? 1 : 3;
    values[i] = i % 2 == 0 ? 2 : -1;
  }
  s.strategies.push_back(std::move(judge));
  s.add("dynamic_synapses", {{"dynamic_synapses.every", "5"}, {"dynamic_synapses.share", "0.4"}});
  auto t = s.training(1);
  t.strategies = &s.strategies;
  at_end_of_epoch(t);
  const auto slots = moved_by(s, 1, t, s.batch(1));
  ASSERT_GT(slots.size(), 2u);
  const std::size_t offset = s.net->params().param(s.net->layer(2).rewirable()->weight_id()).offset;
  for (const std::size_t slot : slots)
    EXPECT_EQ((offset + slot) % 2, 1u);
}

TEST(DynamicSynapses, KeepTheMostImportantOldOnesAndNoYoungOnes) {
  StrategyBench s(rewiring_plan(), sparse_layers());
  s.add("dynamic_synapses", {{"dynamic_synapses.every", "5"},
                             {"dynamic_synapses.share", "1"},
                             {"dynamic_synapses.fair", "no"},
                             {"dynamic_synapses.maturity", "0"},
                             {"dynamic_synapses.grow", "random"},
                             {"dynamic_synapses.drop", "magnitude"},
                             {"dynamic_synapses.keep", "0.5"}});
  auto t = s.training(1);
  t.strategies = &s.strategies;
  at_end_of_epoch(t);
  t.epochs = 100'000;  // so that all may move
  const Mat w = s.net->params().value(s.net->layer(2).rewirable()->weight_id());
  const Edges first = edges_of(*s.net, 2);
  ASSERT_EQ(first.size() % 4, 0u);
  for (std::size_t slot = 0; slot < first.size(); ++slot)
    w.data[slot] = static_cast<real>(slot + 1);
  const auto fresh = moved_by(s, 0, t, s.batch(1));
  ASSERT_EQ(fresh.size(), first.size() / 2);
  EXPECT_EQ(fresh.back(), first.size() / 2 - 1);  // the smaller half
  for (const std::size_t slot : fresh)
    w.data[slot] = 1000;
  t.step += 5;
  const auto again = moved_by(s, 0, t, s.batch(1));
  ASSERT_EQ(again.size(), first.size() / 4 * 3);
  EXPECT_EQ(again.back(), first.size() / 4 * 3 - 1);
}

TEST(DynamicSynapses, NewOnesStayUntilTheyAreMature) {
  StrategyBench s(rewiring_plan(), sparse_layers());
  s.add("dynamic_synapses", {{"dynamic_synapses.every", "5"},
                             {"dynamic_synapses.share", "0.2"},
                             {"dynamic_synapses.grow", "random"},
                             {"dynamic_synapses.maturity", "2"}});
  auto t = s.training(0);
  t.strategies = &s.strategies;
  at_end_of_epoch(t);
  const auto move = [&](std::int64_t step) {
    t.step = step;
    return moved_by(s, 0, t, s.batch(0));
  };
  const auto first = move(5);  // they begin with 0, and the smallest go
  ASSERT_FALSE(first.empty());
  for (const std::size_t slot : move(10))
    EXPECT_EQ(std::ranges::count(first, slot), 0);
  EXPECT_EQ(move(15), first);
}

TEST(DynamicSynapses, OfSeveralCandidatesTheLargestGradientBegins) {
  const auto mean_gradient = [](const char* candidates) {
    StrategyBench s(rewiring_plan(), sparse_layers());
    s.add("dynamic_synapses", {{"dynamic_synapses.every", "5"},
                               {"dynamic_synapses.share", "0.2"},
                               {"dynamic_synapses.candidates", candidates}});
    const Batch batch = s.batch(0);
    Numbers g(16 * 20, 0);
    LayerErrors errors;
    errors.run(*s.net, {}, batch, {.training = true, .rng = Rng(0), .tasks = batch.task},
               [&](int l, const Signal& in, const Signal& error) {
                 if (l != 2) return;
                 for (std::size_t at = 0; at < g.size(); ++at)
                   for (int b = 0; b < batch.rows(); ++b)
                     g[at] += static_cast<double>(in.value().row(b)[at % 20]) *
                              static_cast<double>(error.value().row(b)[at / 20]);
               });
    auto t = s.training(0);
    t.strategies = &s.strategies;
    at_end_of_epoch(t);
    const Edges before = edges_of(*s.net, 2);
    s.strategies[0]->after_step(t, batch);
    const Edges after = edges_of(*s.net, 2);
    const auto slots = moved(before, after);
    double sum = 0;
    for (const std::size_t slot : slots)
      sum += std::abs(g[static_cast<std::size_t>(after[slot].first * 20 + after[slot].second)]);
    return sum / static_cast<double>(slots.size());
  };
  EXPECT_GT(mean_gradient("40"), 1.5 * mean_gradient("1"));
}

TEST(DynamicSynapses, OfThisTaskRestOnNothingOfThePast) {
  StrategyBench s(rewiring_plan(), sparse_layers());
  auto judge = std::make_unique<Judge>(s.weights().size());
  std::ranges::fill(judge->omega, real{1});  // new ones too, which the past only wants at 0
  s.strategies.push_back(std::move(judge));
  s.add("dynamic_synapses", {{"dynamic_synapses.every", "5"},
                             {"dynamic_synapses.share", "0.4"},
                             {"dynamic_synapses.maturity", "0"}});
  auto t = s.training(1);
  t.strategies = &s.strategies;
  at_end_of_epoch(t);
  std::ranges::fill(s.net->params().values(), real{0.125});
  const auto fresh = moved_by(s, 1, t, s.batch(1));
  ASSERT_GT(fresh.size(), 2u);
  const Mat w = s.net->params().value(s.net->layer(2).rewirable()->weight_id());
  for (const std::size_t slot : fresh)
    w.data[slot] = 2;
  t.step += 5;
  EXPECT_EQ(moved_by(s, 1, t, s.batch(1)), fresh);
}

/// How many synapses of the second layer strategy 0 moves at the end of an epoch of this task.
std::size_t moves(StrategyBench& s, int task) {
  auto t = s.training(task);
  t.strategies = &s.strategies;
  at_end_of_epoch(t);
  return moved_by(s, 0, t, s.batch(task)).size();
}

TEST(DynamicSynapses, MoveInAsManyTasksAsTheyAreTold) {
  StrategyBench s(rewiring_plan(), sparse_layers());
  s.add("dynamic_synapses", {{"dynamic_synapses.every", "5"}, {"dynamic_synapses.tasks", "1"}});
  EXPECT_GT(moves(s, 0), 0u);
  EXPECT_EQ(moves(s, 1), 0u);
}

TEST(DynamicSynapses, LeaveEveryTaskAnEqualPartOfTheBudget) {
  for (const bool fair : {true, false}) {
    StrategyBench s(rewiring_plan(), sparse_layers());
    s.add("dynamic_synapses", {{"dynamic_synapses.every", "5"},
                               {"dynamic_synapses.share", "0.8"},
                               {"dynamic_synapses.maturity", "0"},
                               {"dynamic_synapses.grow", "random"},
                               {"dynamic_synapses.fair", fair ? "yes" : "no"}});
    const auto first = static_cast<double>(moves(s, 0)), second = static_cast<double>(moves(s, 1));
    ASSERT_GT(first, 20);
    EXPECT_NEAR(second, fair ? first / 2 : first, 1);
  }
}

TEST(DynamicSynapses, SlowDownOnlyWhatHasLivedThroughATask) {
  BenchPlan plan = rewiring_plan();
  plan.classes = 6, plan.tasks = 3;
  StrategyBench s(plan, sparse_layers());
  Strategy& d = s.add("dynamic_synapses",
                      {{"dynamic_synapses.every", "100"}, {"dynamic_synapses.slow", "0.5"}});
  for (const int task : {0, 1, 2}) {
    auto t = s.training(task);
    t.strategies = &s.strategies, t.epochs = 1, t.epoch_steps = 10;
    const auto before = s.weights();
    d.shape_gradient(t);
    for (real& v : s.net->params().values())
      v += 1;
    d.after_step(t, s.batch(task));
    const auto after = s.weights();
    for (std::size_t i = 0; i < before.size(); ++i)
      EXPECT_NEAR(after[i] - before[i], std::pow(0.5, task), 1e-5);
  }
}

TEST(Rewiring, IsRefusedWhereNoSynapseIsMissing) {
  StrategyBench s;
  EXPECT_THROW(s.add("rigl"), Error);
}

}  // namespace
}  // namespace engram::testing
