// Strategies that replay what they remember: their losses against the rule's own gradients of
// parts, and runs that are resumed.
#include <set>
#include <utility>

#include "learners/loss.h"
#include "tests/learners/replay_bench.h"
#include "utils/error.h"

namespace engram::testing {
namespace {

TEST(Er, WeighsPresentAndPastAsToldTo) {
  for (const auto& [loss, own_weight] :
       std::vector<std::pair<const char*, double>>{{"joint_mean", 6. / 8},  // of 6 and 2 rows
                                                   {"half", 0.5},
                                                   {"by_tasks", 1. / 3}}) {
    BenchPlan plan;
    plan.classes = 6, plan.tasks = 3, plan.scenario = {.scenario = Scenario::Class};
    StrategyBench s(plan, stack(linear(5), relu()));
    Strategy& er = s.add("er", {{"er.batch", "2"}, {"er.loss", loss}});
    auto t = s.training(0);
    er.after_step(t, s.batch(0));
    go_on(s, t, 2), t.step = 1;
    Batch batch = s.batch(2);
    er.extend_batch(t, batch);
    ASSERT_EQ(batch.own_rows(), 6);
    ASSERT_EQ(batch.rows(), 8);
    const Numbers all = gradient_with(s, t, batch);
    const Numbers own = gradient_alone(t, rows_of(batch, 0, 6)),
                  past = gradient_alone(t, rows_of(batch, 6, 2));
    SCOPED_TRACE(loss);
    expect_near(all, mix(own_weight, own, 1 - own_weight, past));
  }
}

TEST(Er, ABatchIsNotReplayedInItsOwnStep) {
  StrategyBench s;
  Strategy& er = s.add("er");
  auto t = s.training(0);
  Batch batch = s.batch(0, {0, 1, 2});
  er.extend_batch(t, batch);
  EXPECT_EQ(batch.rows(), 3);
  er.after_step(t, batch);
  t.step = 1, batch = s.batch(0, {3, 4});
  er.extend_batch(t, batch);
  EXPECT_EQ(batch.rows(), 4);  // as many as it has of its own
  for (int b = 2; b < 4; ++b) {
    bool known = false;
    for (const std::uint32_t old : {0u, 1u, 2u})
      known |= std::equal(batch.x.value().row(b), batch.x.value().row(b) + 4,
                          s.batch(0, {old}).x.value().row(0));
    EXPECT_TRUE(known);
  }
}

TEST(Er, ReplaysHeadsOfPastTasks) {
  BenchPlan plan;
  plan.scenario = {.scenario = Scenario::Task, .head = Head::PerTask};
  StrategyBench s(plan, stack(linear(5), relu()));
  Strategy& er = s.add("er", {{"er.insert", "task_end"}, {"er.memory", "2"}});
  EXPECT_TRUE(er.replays());
  EXPECT_TRUE(er.needs_borders());
  auto t = s.training(0);
  er.end_experience(t);
  go_on(s, t, 1);
  Batch batch = s.batch(1);
  er.extend_batch(t, batch);
  EXPECT_EQ(batch.rows(), batch.own_rows() + 2);
  EXPECT_EQ(batch.task.back(), 0);
}

TEST(Der, TwoDrawsOneForWhatWasSaidAndOneForLabels) {
  constexpr double kAlpha = 0.7, kBeta = 0.3;
  auto s = three_tasks();
  Strategy& derpp = s.add(
      "derpp",
      {{"derpp.alpha", "0.7"}, {"derpp.beta", "0.3"}, {"derpp.batch", "3"}, {"derpp.memory", "6"}});
  auto t = s.training(0);
  Batch first = s.batch(0);
  Tape tape;
  // What the network says of the six examples when it learns them.
  const CMat z = logits_of(s, first, tape);
  std::vector<Numbers> said;
  for (int b = 0; b < 6; ++b)
    said.emplace_back(z.row(b), z.row(b) + 6);
  derpp.extend_batch(t, first);
  gradient_with(s, t, first);
  derpp.after_step(t, first);
  for (real& v : s.net->params().values())
    v *= static_cast<real>(1.5);

  go_on(s, t, 1), t.step = 3;
  Batch batch = s.batch(1);
  const int own = batch.rows();
  derpp.extend_batch(t, batch);
  ASSERT_EQ(batch.rows(), own + 6);
  for (int b = 0; b < 3; ++b)
    EXPECT_EQ(batch.target[static_cast<std::size_t>(own + b)], -1);
  const auto row = [&](int b) {
    const real* x = batch.x.value().row(b);
    return std::vector<real>(x, x + 4);
  };
  std::set<std::vector<real>> dark, labelled;
  for (int b = own; b < own + 3; ++b)
    dark.insert(row(b)), labelled.insert(row(b + 3));
  EXPECT_NE(dark, labelled);

  Signal error;
  const CMat now = logits_of(s, batch, tape);
  Batch copy = batch;
  Signal logits;
  copy_signal(tape.back().out, logits);
  output_error({}, logits, copy, error);
  derpp.shape_error(t, batch, now, error.value());
  for (int b = 0; b < batch.rows(); ++b) {
    const bool is_dark = b >= own && b < own + 3;
    double sum = 0;
    for (int y = 0; y < 6; ++y)
      sum += std::exp(static_cast<double>(now.row(b)[y]));
    for (int y = 0; y < 6; ++y) {
      const auto at = static_cast<double>(now.row(b)[y]);
      double expected = 0;
      if (is_dark) {
        // Which of the six it is.
        const auto x = row(b);
        int which = -1;
        for (int i = 0; i < 6; ++i)
          if (std::equal(x.begin(), x.end(), first.x.value().row(i))) which = i;
        ASSERT_GE(which, 0);
        const double then = said[static_cast<std::size_t>(which)][static_cast<std::size_t>(y)];
        expected = kAlpha * 2 * (at - then) / (3 * 6);
      } else {
        const bool target = batch.target[static_cast<std::size_t>(b)] == y;
        expected = (std::exp(at) / sum - (target ? 1 : 0)) * (b < own ? 1. / own : kBeta / 3);
      }
      EXPECT_NEAR(static_cast<double>(error.value().row(b)[y]), expected, 1e-6)
          << "row " << b << " output " << y;
    }
  }
}

TEST(Der, WhatWasSaidIsKeptFromTheStepThatLearntIt) {
  for (const char* name : {"der", "derpp"}) {
    auto s = three_tasks();
    try {
      s.add(name, {{std::string(name) == "der" ? "der.insert" : "derpp.insert", "task_end"}});
      FAIL();
    } catch (const Error& e) {
      EXPECT_EQ(e.fault(), Fault::Config);
    }
  }
}

/// Runs the bench to the end; with `stop` steps, stops there and goes on in a fresh one.
Numbers weights_after(BenchPlan plan, const char* name,
                      const std::vector<std::pair<const char*, const char*>>& keys, int stop) {
  struct Stop : Observer {
    int left;
    explicit Stop(int steps) : left(steps) {}
    void after_step(const Cursor&, const BatchStats&, int, std::int64_t, int) override { --left; }
    bool stop_requested() override { return left == 0; }
  };
  const auto fresh = [&] {
    auto s = std::make_unique<StrategyBench>(plan, stack(linear(5), relu()));
    s->add(name, keys);
    return s;
  };
  auto s = fresh();
  Cursor cursor;
  Stop first(stop);
  if (!s->run(first, cursor)) {
    auto next = fresh();
    const auto copy = [](const auto& from, const auto& to) {
      ASSERT_EQ(from.size(), to.size());
      for (std::size_t i = 0; i < from.size(); ++i)
        std::ranges::copy(from[i], to[i].begin());
    };
    std::ranges::copy(s->net->params().values(), next->net->params().values().begin());
    std::ranges::copy(s->net->params().states(), next->net->params().states().begin());
    copy(s->strategies[0]->state(), next->strategies[0]->state());
    copy(s->optimizer->state(), next->optimizer->state());
    next->optimizer->set_steps(s->optimizer->steps());
    s = std::move(next);
    Stop never(-1);
    EXPECT_TRUE(s->run(never, cursor));
  }
  return s->weights();
}

struct Resumed {
  const char* name;
  std::vector<std::pair<const char*, const char*>> keys;
};

TEST(Replay, ResumesToTheSameBitsWhereverItStops) {
  BenchPlan plan;
  plan.classes = 6, plan.tasks = 3, plan.each = 5;  // 10 examples, 3 steps an epoch
  plan.scenario = {.scenario = Scenario::Class, .head = Head::Masked};
  plan.learner.batch_size = 4, plan.learner.epochs = 2;
  plan.optimizer.lr = 0.1;
  const std::vector<Resumed> all{
      {"er", {{"er.memory", "7"}}},
      {"er", {{"er.memory", "7"}, {"er.policy", "task_balanced"}, {"er.insert", "task_end"}}},
      {"der", {{"der.memory", "7"}}},
      {"derpp", {{"derpp.memory", "7"}}},
      {"gdumb", {{"gdumb.memory", "7"}, {"gdumb.passes", "3"}, {"gdumb.crop", "1"}}},
      {"agem", {{"agem.memory", "9"}}},
      {"agem", {{"agem.memory", "9"}, {"agem.policy", "reservoir"}, {"agem.insert", "step"}}},
      {"gem", {{"gem.memory", "9"}, {"gem.insert", "step"}}},
      {"icarl", {{"icarl.memory", "9"}}},
      {"slda", {}},
      {"dgr", {{"dgr.hidden", "5"}, {"dgr.codes", "2"}}},
  };
  for (const auto& [name, keys] : all) {
    const Numbers whole = weights_after(plan, name, keys, -1);
    for (const int stop : {2, 6, 8, 12, 13, 17, 18})
      EXPECT_EQ(weights_after(plan, name, keys, stop), whole) << name << " stopped at " << stop;
  }
}

}  // namespace
}  // namespace engram::testing
