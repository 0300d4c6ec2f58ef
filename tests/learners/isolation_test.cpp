// Strategies that keep a part of the network for every task: what they keep is kept to the bit, and
// their equations worked out by hand.
#include <cmath>

#include <gtest/gtest.h>

#include "models/gatings/hat.h"
#include "models/layers.h"
#include "tests/learners/stopped_run.h"
#include "utils/error.h"

namespace engram::testing {
namespace {

using Numbers = std::vector<double>;

BenchPlan three_tasks(Head head, const char* optimizer = "sgd") {
  BenchPlan plan;
  plan.classes = 6, plan.tasks = 3, plan.each = 4;
  plan.scenario = {.scenario = Scenario::Task, .head = head};
  plan.learner = {.batch_size = 2, .epochs = 4};
  plan.optimizer.optimizer = optimizer, plan.optimizer.lr = 0.05;
  plan.optimizer.momentum = 0.9, plan.optimizer.weight_decay = 0.01;
  return plan;
}

CMat slice(const StrategyBench& s, const char* name) {
  const int id = s.net->params().find(name);
  EXPECT_GE(id, 0) << name;
  return s.net->params().value(id);
}

/// The logits of a task's images, as a test of the task sees them.
Numbers outputs(StrategyBench& s, int task) {
  const TestScope scope(s.strategies, *s.net, task);
  const Batch batch = s.batch(task);
  Tape tape;
  std::as_const(*s.net).evaluate(batch.x, tape, {.tasks = batch.task});
  const CMat out = std::as_const(tape.back().out).value();
  return {out.data, out.data + out.size()};
}

/// Looks at what a test of every task gives after each.
class Examiner final : public Observer {
 public:
  explicit Examiner(StrategyBench& s) : s_(s) {}
  void after_experience(const Experience& e) override {
    const Numbers before = s_.weights();
    for (int task = 0; task <= e.index; ++task)
      said[static_cast<std::size_t>(e.index)].push_back(outputs(s_, task));
    EXPECT_EQ(s_.weights(), before) << "a test leaves nothing behind";
  }
  std::vector<Numbers> said[3];

 private:
  StrategyBench& s_;
};

TEST(Packnet, WhatATaskSaysIsTheSameToTheBitEverAfter) {
  for (const char* optimizer : {"sgd", "adam"})
    for (const Head head : {Head::PerTask, Head::Shared}) {
      StrategyBench s(three_tasks(head, optimizer), stack(linear(8), relu(), linear(6), relu()));
      s.add("packnet");
      Examiner examiner(s);
      Cursor cursor;
      ASSERT_TRUE(s.run(examiner, cursor));
      for (std::size_t later = 1; later < 3; ++later)
        for (std::size_t task = 0; task < later; ++task)
          EXPECT_EQ(examiner.said[later][task], examiner.said[task][task]) << optimizer;
      EXPECT_NE(examiner.said[1][1], examiner.said[2][2]);
    }
}

TEST(Packnet, LeavesEveryTaskAsManyWeights) {
  StrategyBench s(three_tasks(Head::PerTask), stack(linear(9), relu()));  // 36 weights
  Strategy& packnet = s.add("packnet");
  Observer nothing;
  Cursor cursor;
  ASSERT_TRUE(s.run(nothing, cursor));
  const auto owner = packnet.state()[0].first(36);
  for (const int task : {1, 2, 3})
    EXPECT_EQ(std::ranges::count(owner, static_cast<real>(task)), 12);
}

TEST(Packnet, PrunesTheSmallestOfTheFreeWeights) {
  StrategyBench s(three_tasks(Head::PerTask), stack(linear(5), relu()));  // 20 weights
  Strategy& packnet =
      s.add("packnet", {{"packnet.prune", "0.6"}, {"packnet.retrain_share", "0.5"}});
  auto t = s.training(0);
  t.epochs = 1, t.epoch_steps = 4;
  packnet.begin_experience(t);
  const Batch batch = s.batch(0);
  Numbers before = s.weights();
  packnet.after_step(t, batch);  // one of four: not yet
  EXPECT_EQ(s.weights(), before);
  t.epoch_step = 1;
  packnet.after_step(t, batch);
  Numbers sizes;
  for (std::size_t i = 0; i < 20; ++i)
    sizes.push_back(std::abs(before[i]));
  std::ranges::sort(sizes);
  const Numbers after = s.weights();
  for (std::size_t i = 0; i < 20; ++i)
    EXPECT_EQ(after[i], std::abs(before[i]) < sizes[12] ? 0 : before[i]);
  // From here on survivors alone move; biases too, in the first task.
  s.net->params().zero_grad();
  for (real& g : s.net->params().grads())
    g = 1;
  packnet.shape_gradient(t);
  const auto g = s.net->params().grads();
  for (std::size_t i = 0; i < 25; ++i)
    EXPECT_EQ(g[i], i >= 20 || after[i] != 0 ? 1 : 0);
}

TEST(Packnet, IsRefusedWhereItCannotKeepItsWord) {
  const auto refusal = [](BenchPlan plan, std::vector<LayerPtr> layers) -> std::string {
    try {
      StrategyBench s(std::move(plan), std::move(layers));
      s.add("packnet");
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  };
  BenchPlan plan = three_tasks(Head::Shared);
  plan.scenario = {.scenario = Scenario::Class, .head = Head::Shared};
  EXPECT_NE(refusal(plan, stack(linear(5), relu())).find("scenario = task"), std::string::npos);
  EXPECT_NE(refusal(three_tasks(Head::PerTask), {}).find("finds no layer"), std::string::npos);
  EXPECT_EQ(refusal(three_tasks(Head::PerTask), stack(linear(5), relu())), "");
}

TEST(CwrStar, ConsolidatesRowsWithPastCounts) {
  BenchPlan plan;
  plan.classes = 4, plan.tasks = 2, plan.each = 4;
  plan.scenario = {.scenario = Scenario::Domain, .head = Head::Shared};  // both classes come again
  StrategyBench s(plan, stack(linear(3), relu()));
  Strategy& cwr = s.add("cwr_star");
  const auto head = [&] {
    const CMat w = slice(s, "linear2.weight"), b = slice(s, "linear2.bias");
    Numbers all(w.data, w.data + w.size());
    all.insert(all.end(), b.data, b.data + b.size());
    return all;  // [3 features, 2 classes], then 2 biases
  };
  const auto set_head = [&](double by) {
    const auto values = s.net->params().values();
    for (std::size_t i = 0; i < 8; ++i)
      values[15 + i] = static_cast<real>(by * std::cos(static_cast<double>(3 * i)));
    return head();
  };
  const auto less_mean = [](Numbers w) {
    double weights = 0, biases = 0;
    for (std::size_t i = 0; i < 8; ++i)
      (i < 6 ? weights : biases) += w[i] / (i < 6 ? 6 : 2);
    for (std::size_t i = 0; i < 8; ++i)
      w[i] -= i < 6 ? weights : biases;
    return w;
  };
  const auto tested = [&] {
    const TestScope scope(s.strategies, *s.net, 0);
    return head();
  };
  auto t = s.training(0);
  cwr.begin_experience(t);
  EXPECT_EQ(head(), Numbers(8, 0)) << "new classes begin with 0";
  const Numbers first = less_mean(set_head(1));
  for (std::size_t i = 0; i < 8; ++i)
    EXPECT_NEAR(tested()[i], first[i], 1e-6) << "in the middle of the task";
  EXPECT_EQ(head(), set_head(1)) << "and taken back";
  cwr.end_experience(t);
  auto u = s.training(1);
  cwr.begin_experience(u);
  for (std::size_t i = 0; i < 8; ++i)
    EXPECT_NEAR(head()[i], first[i], 1e-6) << "known classes begin with what was saved";
  const Numbers second = less_mean(set_head(-2));
  cwr.end_experience(u);
  // Four examples of each class before, four now: r = 1.
  for (std::size_t i = 0; i < 8; ++i)
    EXPECT_NEAR(tested()[i], (first[i] + second[i]) / 2, 1e-6);
  const auto past = cwr.state()[1];
  EXPECT_EQ(past[0], 8);
  // Eight before, four now: r = sqrt(2).
  auto v = s.training(1);
  cwr.begin_experience(v);
  const Numbers third = less_mean(set_head(0.5));
  cwr.end_experience(v);
  for (std::size_t i = 0; i < 8; ++i)
    EXPECT_NEAR(tested()[i],
                ((first[i] + second[i]) / 2 * std::sqrt(2) + third[i]) / (std::sqrt(2) + 1), 1e-6);
}

TEST(CwrStar, RowsOfOtherClassesStayAndTheBodyLearnsOnce) {
  BenchPlan plan = three_tasks(Head::Shared, "adam");
  plan.scenario = {.scenario = Scenario::Class, .head = Head::Shared};
  StrategyBench s(plan, stack(linear(4), relu()));
  s.add("cwr_star");
  struct Watcher final : Observer {
    explicit Watcher(StrategyBench& b) : s(b) {}
    void after_experience(const Experience&) override {
      const TestScope scope(s.strategies, *s.net, 0);
      seen.push_back(s.weights());
    }
    StrategyBench& s;
    std::vector<Numbers> seen;
  } watcher(s);
  Cursor cursor;
  ASSERT_TRUE(s.run(watcher, cursor));
  const auto& seen = watcher.seen;
  ASSERT_EQ(seen.size(), 3u);
  for (std::size_t i = 0; i < 20; ++i)  // 16 weights and 4 biases of the body
    EXPECT_EQ(seen[2][i], seen[0][i]);
  for (std::size_t i = 0; i < 24; ++i) {  // [4, 6] of the head
    const std::size_t j = i % 6;
    EXPECT_EQ(seen[0][20 + i] == 0, j >= 2);
    if (j < 2) {
      EXPECT_EQ(seen[2][20 + i], seen[0][20 + i]);
    }
  }
}

TEST(CwrStar, IsRefusedWithAHeadForEachTask) {
  StrategyBench s(three_tasks(Head::PerTask), stack(linear(4), relu()));
  EXPECT_THROW(s.add("cwr_star"), Error);
}

/// 4 inputs, 5 relus, 3 relus, a head; gates that are learnt.
struct Attentive {
  explicit Attentive(Head head, const char* optimizer = "sgd",
                     const std::vector<std::pair<const char*, const char*>>& keys =
                         {{"hat.smax", "20"}, {"hat.lambda", "0.5"}})
      : bench(three_tasks(head, optimizer), stack(linear(5), relu(), linear(3), relu())) {
    GatingOptions options;
    options.gating = "hat";
    auto layers = stack(linear(5), relu(), linear(3), relu());
    if (head == Head::PerTask)
      layers.push_back(multi_head(3, 2, false, {}));
    else
      layers.push_back(linear(bench.targets->width()));
    bench.net = std::make_unique<Network>(bench.stream->shape(), std::move(layers), Rng(1), 1,
                                          FeedbackPlan{}, make_gating(options, 3));
    bench.optimizer = make_optimizer(bench.plan.optimizer, bench.net->params());
    gating = dynamic_cast<HatGating*>(bench.net->gating());
    hat = &bench.add("hat", keys);
  }
  double w(const char* name, int row, int col) const {
    return static_cast<double>(slice(bench, name).row(row)[col]);
  }
  double open(const char* embedding, int task, int unit, double s) const {
    return 1 / (1 + std::exp(-s * w(embedding, task, unit)));
  }
  /// Mean cross-entropy of a batch of `task` through one of the heads, from the weights.
  double loss(const Batch& batch, int task, double s) const {
    const std::string head = "head1.task" + std::to_string(task);
    double sum = 0;
    for (int b = 0; b < batch.rows(); ++b) {
      Numbers h(batch.x.value().row(b), batch.x.value().row(b) + 4);
      const auto layer = [&](const std::string& name, int units, const char* gate) {
        Numbers next;
        for (int j = 0; j < units; ++j) {
          double z = w((name + ".bias").c_str(), 0, j);
          for (std::size_t i = 0; i < h.size(); ++i)
            z += w((name + ".weight").c_str(), static_cast<int>(i), j) * h[i];
          next.push_back(gate ? std::max(0.0, z) * open(gate, task, j, s) : z);
        }
        h = next;
      };
      layer("linear1", 5, "relu1.embedding"), layer("linear2", 3, "relu2.embedding");
      layer(head, 2, nullptr);
      const auto y = static_cast<std::size_t>(batch.target[static_cast<std::size_t>(b)]);
      sum += std::log(std::exp(h[0]) + std::exp(h[1])) - h[y];
    }
    return sum / batch.rows();
  }
  StrategyBench bench;
  HatGating* gating;
  Strategy* hat;
};

TEST(Hat, GradientOfEmbeddingsIsCompensatedAndRegularised) {
  Attentive a(Head::PerTask);
  const auto past = a.hat->state();
  for (std::size_t i = 0; i < 5; ++i)
    past[1][i] = static_cast<real>(0.2 * static_cast<double>(i));
  past[2][1] = 1;
  const double left = (1 + 0.8 + 0.6 + 0.4 + 0.2) + 2;
  constexpr int kTask = 1;
  auto t = a.bench.training(kTask);
  Batch batch = a.bench.batch(kTask);
  t.epoch_steps = 5, t.epoch_step = 1;
  a.hat->begin_experience(t);
  a.hat->extend_batch(t, batch);
  const double s = 1 / 20. + (20 - 1 / 20.) / 4;
  EXPECT_NEAR(a.gating->scale(), s, 1e-12);
  a.bench.net->params().zero_grad();
  a.bench.rule->learn(*a.bench.net, batch, {.training = true, .tasks = batch.task}, {});
  a.hat->shape_gradient(t);
  double largest = 0;
  for (const int level : {0, 1}) {
    const char* name = level == 0 ? "relu1.embedding" : "relu2.embedding";
    const int units = level == 0 ? 5 : 3;
    const int id = a.bench.net->params().find(name);
    for (int task = 0; task < 3; ++task)
      for (int i = 0; i < units; ++i) {
        const double ours = static_cast<double>(a.bench.net->params().grad(id).row(task)[i]);
        if (task != kTask) {
          EXPECT_EQ(ours, 0);
          continue;
        }
        real& e = a.bench.net->params().value(id).row(task)[i];
        const real keep = e;
        const double h = 1e-3;
        e = keep + static_cast<real>(h);
        const double upper = static_cast<double>(e), up = a.loss(batch, kTask, s);
        e = keep - static_cast<real>(h);
        const double lower = static_cast<double>(e), down = a.loss(batch, kTask, s);
        e = keep;
        const double open = a.open(name, task, i, s);
        const double c = static_cast<double>(past[1 + level][static_cast<std::size_t>(i)]);
        const double whole =
            (up - down) / (upper - lower) + 0.5 * s * open * (1 - open) * (1 - c) / left;
        const double now = static_cast<double>(keep);
        const double expected = whole * 20 / s * (std::cosh(s * now) + 1) / (std::cosh(now) + 1);
        // Where a gate is all but shut the difference is of numbers that are nearly the same.
        EXPECT_NEAR(ours, expected, 0.01 * std::max(0.1, std::abs(expected))) << name << i;
        largest = std::max(largest, std::abs(ours));
      }
  }
  EXPECT_GT(largest, 0.01);
}

TEST(Hat, StepsShrinkByWhatEarlierTasksAttendTo) {
  for (const Head head : {Head::PerTask, Head::Shared}) {
    Attentive a(head);
    const auto past = a.hat->state();
    past[0][0] = 1;  // a task has been learnt
    const Numbers c1{0, 0.25, 0.5, 0.75, 1}, c2{1, 0, 0.5};
    std::ranges::copy(c1, past[1].begin()), std::ranges::copy(c2, past[2].begin());
    auto t = a.bench.training(1);
    const Batch batch = a.bench.batch(1);
    a.hat->begin_experience(t);
    const Numbers before = a.bench.weights();
    a.bench.net->params().zero_grad();
    for (real& g : a.bench.net->params().grads())
      g = 1;
    a.hat->shape_gradient(t);
    for (real& v : a.bench.net->params().values())
      v += static_cast<real>(0.125);  // a step of everything
    a.hat->after_step(t, batch);
    const auto moved = [&](const std::string& name, int row, int col) {
      const int id = a.bench.net->params().find(name);
      const Param& p = a.bench.net->params().param(id);
      return (a.bench.weights()[p.offset + static_cast<std::size_t>(row * p.cols + col)] -
              before[p.offset + static_cast<std::size_t>(row * p.cols + col)]) /
             0.125;
    };
    for (std::size_t j = 0; j < 5; ++j) {
      const int col = static_cast<int>(j);
      for (int i = 0; i < 4; ++i)
        EXPECT_NEAR(moved("linear1.weight", i, col), 1 - c1[j], 1e-5);
      EXPECT_NEAR(moved("linear1.bias", 0, col), 1 - c1[j], 1e-5);
      for (std::size_t k = 0; k < 3; ++k)
        EXPECT_NEAR(moved("linear2.weight", col, static_cast<int>(k)), 1 - std::min(c1[j], c2[k]),
                    1e-5);
      EXPECT_NEAR(moved("relu1.embedding", 1, col), 1, 1e-5);
      EXPECT_EQ(moved("relu1.embedding", 0, col), 0) << "of another task";
    }
    const bool shared = head == Head::Shared;
    const std::string top = shared ? "linear3" : "head1.task1";
    for (std::size_t k = 0; k < 3; ++k)
      EXPECT_NEAR(moved(top + ".weight", static_cast<int>(k), 0), shared ? 1 - c2[k] : 1, 1e-5);
    EXPECT_NEAR(moved(top + ".bias", 0, 0), shared ? 0 : 1, 1e-5);
  }
}

TEST(Hat, WhatAnyTaskAttendedToIsRemembered) {
  Attentive a(Head::PerTask);
  for (const int task : {0, 1, 2}) {
    auto t = a.bench.training(task);
    a.hat->begin_experience(t), a.hat->end_experience(t);
    for (const int level : {0, 1}) {
      const char* name = level == 0 ? "relu1.embedding" : "relu2.embedding";
      const auto c = a.hat->state()[static_cast<std::size_t>(1 + level)];
      for (std::size_t i = 0; i < c.size(); ++i) {
        double most = 0;
        for (int before = 0; before <= task; ++before)
          most = std::max(most, a.open(name, before, static_cast<int>(i), 20));
        EXPECT_NEAR(static_cast<double>(c[i]), most, 1e-5) << task << " " << name << " " << i;
      }
    }
  }
}

TEST(Hat, UnitsThatATaskAttendsToStayStillUnderAnyOptimizer) {
  for (const char* optimizer : {"sgd", "adam"}) {
    Attentive a(Head::PerTask, optimizer, {{"hat.smax", "400"}});
    Examiner examiner(a.bench);
    Cursor cursor;
    ASSERT_TRUE(a.bench.run(examiner, cursor));
    // Gates at s = 400 are not quite 0 and 1, so this is not to the bit.
    for (std::size_t later = 1; later < 3; ++later)
      for (std::size_t task = 0; task < later; ++task)
        for (std::size_t i = 0; i < examiner.said[task][task].size(); ++i)
          EXPECT_NEAR(examiner.said[later][task][i], examiner.said[task][task][i], 0.02)
              << optimizer << " " << task << " after " << later;
    for (const char* name : {"relu1.embedding", "relu2.embedding"})
      for (const real e : slice(a.bench, name).all())
        EXPECT_LE(std::abs(e), 6);
  }
}

TEST(Hat, IsTestedWithSteepGates) {
  Attentive a(Head::PerTask);
  auto t = a.bench.training(0);
  Batch batch = a.bench.batch(0);
  t.epoch_steps = 3;
  a.hat->extend_batch(t, batch);
  EXPECT_NEAR(a.gating->scale(), 1 / 20., 1e-12);
  {
    const TestScope scope(a.bench.strategies, *a.bench.net, 0);
    EXPECT_EQ(a.gating->scale(), 20);
  }
  EXPECT_NEAR(a.gating->scale(), 1 / 20., 1e-12);
}

TEST(Hat, IsRefusedWithoutItsGates) {
  StrategyBench s(three_tasks(Head::PerTask), stack(linear(4), relu()));
  try {
    s.add("hat");
    ADD_FAILURE() << "was taken";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("gating = hat"), std::string::npos) << e.what();
  }
}

TEST(Isolation, AStoppedRunGoesOnToTheSameBits) {
  for (const char* name : {"packnet", "cwr_star", "hat"}) {
    SCOPED_TRACE(name);
    const auto make = [&]() -> std::unique_ptr<Attentive> {
      const bool hat = std::string(name) == "hat";
      auto a = std::make_unique<Attentive>(std::string(name) == "cwr_star" ? Head::Shared
                                                                           : Head::PerTask);
      if (hat) return a;
      a->bench.strategies.clear();
      a->bench.net = std::make_unique<Network>(
          a->bench.stream->shape(),
          std::string(name) == "cwr_star"
              ? stack(linear(5), relu(), linear(a->bench.targets->width()))
              : stack(linear(5), relu(), linear(3), relu(), multi_head(3, 2, false, {})),
          Rng(1));
      a->bench.optimizer = make_optimizer(a->bench.plan.optimizer, a->bench.net->params());
      a->bench.add(name);
      return a;
    };
    auto whole = make();
    Observer nothing;
    Cursor all;
    ASSERT_TRUE(whole->bench.run(nothing, all));
    for (const int stop : {5, 14, 16, 21, 31, 45}) {  // of 48: 16 a task
      auto first = make(), second = make();
      Cursor cursor;
      Stopper stopper(stop);
      ASSERT_FALSE(first->bench.run(stopper, cursor));
      carry(first->bench, second->bench);
      ASSERT_TRUE(second->bench.run(nothing, cursor));
      EXPECT_EQ(second->bench.weights(), whole->bench.weights()) << stop;
    }
  }
}

}  // namespace
}  // namespace engram::testing
