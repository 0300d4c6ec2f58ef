// The loop on a small generated stream: it learns, resumes to the same bits from any step, and
// calls everybody when it should.
#include "learners/learner.h"

#include <cmath>

#include <gtest/gtest.h>

#include "benchmarks/catalog.h"
#include "benchmarks/stream_table.h"
#include "learners/registry.h"
#include "learners/rules/rules.h"
#include "models/registry.h"
#include "utils/error.h"
#include "utils/parallel.h"

namespace engram {
namespace {

const Dataset& data() {
  static const Dataset d = load_dataset("synthetic", {});
  return d;
}

struct Bench {
  explicit Bench(LearnerOptions learner = {}, bool sparse = true,
                 std::unique_ptr<Rule> chosen = make_backprop({}, {}))
      : options(learner), rule(std::move(chosen)) {
    StreamOptions so;
    so.benchmark = "synthetic", so.stream = StreamKind::Permuted, so.tasks = 2,
    so.train_limit = 600;
    stream = make_stream(so, data(), 1);
    targets = std::make_unique<Targets>(*stream, ScenarioOptions{});
    ModelOptions mo;
    mo.hidden_units = 60, mo.sparsify = sparse, mo.percent_on_fc = 0.1, mo.weight_sparsity_fc = 0.5;
    net = build_model(mo, stream->shape(), {1, targets->width()}, Rng(1), 1, rule->feedback());
    oo.lr = 0.1, oo.momentum = 0.9, oo.weight_decay = 1e-4;
    optimizer = make_optimizer(oo, net->params());
  }
  bool run(Observer& observer) {
    Learner learner(options, *net, *rule, *optimizer, oo, strategies, *targets, Rng(2));
    return learner.run(*stream, cursor, observer);
  }
  std::vector<real> weights() const {
    const auto v = std::as_const(*net).params().values();
    return {v.begin(), v.end()};
  }

  /// What a checkpoint brings over to a new process.
  void adopt(Bench& other) {
    const auto copy = [](std::span<const real> from, std::span<real> to) {
      std::copy(from.begin(), from.end(), to.begin());
    };
    copy(other.net->params().values(), net->params().values());
    copy(other.net->params().states(), net->params().states());
    for (std::size_t i = 0; i < other.optimizer->state().size(); ++i)
      copy(other.optimizer->state()[i], optimizer->state()[i]);
    cursor = other.cursor;
  }

  LearnerOptions options;
  OptimizerOptions oo;
  std::unique_ptr<TaskStream> stream;
  std::unique_ptr<Targets> targets;
  std::unique_ptr<Rule> rule;
  std::unique_ptr<Network> net;
  std::unique_ptr<Optimizer> optimizer;
  StrategyList strategies;
  Cursor cursor;
};

struct Recorder : Observer {
  void before_training() override { log += "0"; }
  void after_epoch(const EpochRow& row) override { log += "e", rows.push_back(row); }
  void after_experience(const Experience& e) override { log += "x" + std::to_string(e.index); }
  void after_step(const Cursor&, const BatchStats&, int, std::int64_t, int) override { ++steps; }
  bool stop_requested() override { return steps == stop_at; }
  std::string log;
  std::vector<EpochRow> rows;
  int steps = 0, stop_at = -1;
};

LearnerOptions epochs(int first, std::optional<int> later = {}) {
  LearnerOptions o;
  o.batch_size = 50, o.epochs = first, o.later_epochs = later;
  return o;
}

TEST(Learner, LearnsAndReportsEveryEpochAndExperience) {
  Bench s(epochs(6, 2), false);
  Recorder r;
  EXPECT_TRUE(s.run(r));
  EXPECT_EQ(r.log, "0eeeeeex0eex1");
  EXPECT_EQ(r.steps, (6 + 2) * 12);
  EXPECT_LT(r.rows[5].loss, 0.6 * r.rows[0].loss);
  EXPECT_GT(r.rows[5].train_accuracy, 0.5);
  EXPECT_GT(r.rows[0].active_fraction.at(0), 0.05);
  EXPECT_LT(r.rows[0].active_fraction.at(0), 0.95);
  // forward, weights' gradient; the error does not go below the first layer
  EXPECT_EQ(r.rows[0].macs.dense, 600.0 * (2 * 144 * 60 + 3 * 60 * 10));
}

TEST(Learner, ReportsTheExactShareOfWinners) {
  Bench s(epochs(1));
  Recorder r;
  s.run(r);
  EXPECT_NEAR(r.rows[0].active_fraction.at(0), 0.1, 1e-9);
}

TEST(Learner, GoesOnToTheSameBitsFromAnyStep) {
  Bench whole(epochs(2));
  Recorder r;
  whole.run(r);
  for (const int stop : {1, 11, 12, 13, 24, 25, 47}) {
    Bench first(epochs(2));
    Recorder a;
    a.stop_at = stop;
    EXPECT_FALSE(first.run(a)) << stop;
    Bench second(epochs(2));  // a new process: parameters, state, momentum and cursor come over
    second.adopt(first);
    Recorder b;
    EXPECT_TRUE(second.run(b));
    EXPECT_EQ(second.weights(), whole.weights()) << "stopped after step " << stop;
    EXPECT_EQ(a.log + b.log, r.log) << stop;
    EXPECT_EQ(b.rows.back().loss, r.rows.back().loss);
  }
}

TEST(Learner, ReportsTheSameAlignmentWhereverItWasStopped) {
  const auto bench = [] { return Bench(epochs(2), false, make_brsf({}, {})); };
  Bench whole = bench();
  Recorder r;
  whole.run(r);
  for (const int stop : {11, 12, 13}) {  // an epoch has 12 steps
    Bench first = bench(), second = bench();
    Recorder a, b;
    a.stop_at = stop;
    first.run(a);
    second.adopt(first);
    second.run(b);
    a.rows.insert(a.rows.end(), b.rows.begin(), b.rows.end());
    ASSERT_EQ(a.rows.size(), r.rows.size());
    for (std::size_t row = 0; row < r.rows.size(); ++row)
      for (std::size_t l = 0; l < 2; ++l)
        EXPECT_EQ(a.rows[row].alignment.at(l).update_angle,
                  r.rows[row].alignment.at(l).update_angle)
            << "stopped after step " << stop << ", row " << row;
  }
  EXPECT_GT(r.rows[0].alignment[0].update_angle, 1);
}

TEST(Learner, HasTheSameBitsForAnyNumberOfThreads) {
  std::vector<real> first;
  for (const int n : {1, 2, 4}) {
    set_threads(n);
    Bench s(epochs(1));
    Recorder r;
    s.run(r);
    if (first.empty()) first = s.weights();
    EXPECT_EQ(s.weights(), first) << n;
  }
  set_threads(1);
}

TEST(Learner, KeepsAbsentSynapsesAtZeroAfterEveryStep) {
  Bench s(epochs(1));
  Recorder r;
  s.run(r);
  const Param& p = s.net->params().param(0);
  const CMat w = std::as_const(s.net->params()).value(0);
  for (std::size_t i = 0; i < w.size(); ++i) {
    if (p.mask[i] == 0) {
      ASSERT_EQ(w.data[i], 0);
    }
  }
}

TEST(Learner, LeaksIntoAbsentSynapsesWhenRezeroedLikeTheReference) {
  LearnerOptions o = epochs(1);
  o.rezero = Rezero::TrainForward;
  Bench s(o);
  Recorder r;
  s.run(r);
  const Param& p = s.net->params().param(0);
  const CMat w = std::as_const(s.net->params()).value(0);
  std::size_t leaked = 0;
  for (std::size_t i = 0; i < w.size(); ++i)
    leaked += p.mask[i] == 0 && w.data[i] != 0;
  EXPECT_GT(leaked, 0u);
}

TEST(Learner, StopsWithAnErrorWhenTheLossIsNoLongerFinite) {
  Bench s(epochs(1));
  s.oo.lr = 1e30;
  s.optimizer = make_optimizer(s.oo, s.net->params());
  Recorder r;
  try {
    s.run(r);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.fault(), Fault::Numerical);
    EXPECT_NE(std::string(e.what()).find("lower lr"), std::string::npos);
  }
}

TEST(Learner, NoticesThatTheVeryLastStepSpoiltAWeight) {
  struct Spoiler : Strategy {
    void after_step(Training& t, const Batch&) override { t.net.params().values()[0] = NAN; }
  };
  LearnerOptions o = epochs(1);
  o.batch_size = 600;  // one step per task: no later loss can notice
  Bench s(o);
  s.strategies.push_back(std::make_unique<Spoiler>());
  Recorder r;
  try {
    s.run(r);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.fault(), Fault::Numerical);
    EXPECT_NE(std::string(e.what()).find("weight"), std::string::npos) << e.what();
  }
  EXPECT_EQ(r.steps, 1);
}

/// Remembers when it was called, and doubles the gradient.
struct Spy : Strategy {
  Provides needs() const override { return Provides::Gradient | Provides::OutputError; }
  void begin_experience(Training&) override { calls += "b"; }
  void extend_batch(Training&, Batch&) override { calls += "B"; }
  void shape_error(Training&, const Batch&, CMat, Mat) override { calls += "e"; }
  void shape_gradient(Training&) override { calls += "g"; }
  void after_step(Training&, const Batch&) override { calls += "s"; }
  void end_experience(Training&) override { calls += "x"; }
  std::string calls;
};

TEST(Strategy, IsCalledAtItsMomentsInOrder) {
  LearnerOptions o = epochs(1);
  o.batch_size = 300;
  Bench s(o);
  s.strategies.push_back(std::make_unique<Spy>());
  Recorder r;
  s.run(r);
  EXPECT_EQ(static_cast<Spy&>(*s.strategies[0]).calls, "bBegsBegsxbBegsBegsx");
}

/// A rule that offers nothing.
struct Mute : Rule {
  Provides provides() const override { return Provides::Nothing; }
  BatchStats learn(Network&, const Batch&, const Pass&, const ErrorHook&) override { return {}; }
  const Tape& tape() const override { return tape_; }
  Tape tape_;
};

TEST(Strategy, IsRefusedBeforeTrainingWhenTheRuleCannotServeIt) {
  Bench s(epochs(1));
  s.rule = std::make_unique<Mute>();
  s.strategies.push_back(std::make_unique<Spy>());
  Recorder r;
  EXPECT_THROW(s.run(r), Error);
  EXPECT_EQ(r.steps, 0);
}

TEST(L2, PullsWeightsBackToTheLastTaskOnlyAfterIt) {
  Config config;
  config.set("l2.lambda", "2", "test");
  Bench s(epochs(1));
  const auto l2 = make_strategy("l2", config, {.net = *s.net});
  const auto optimizer = make_optimizer({}, s.net->params());
  Training t{.net = *s.net, .rule = *s.rule, .optimizer = *optimizer};
  auto& params = s.net->params();
  params.zero_grad();
  l2->shape_gradient(t);
  EXPECT_EQ(params.grads()[0], 0);
  l2->end_experience(t);
  params.values()[0] += 3;
  l2->shape_gradient(t);
  EXPECT_FLOAT_EQ(static_cast<float>(params.grads()[0]), 6);
  EXPECT_FLOAT_EQ(static_cast<float>(params.grads()[1]), 0);
}

/// Per-batch hits of two epochs with a rate too small to change anything and no dropout: they tell
/// in which order the examples came.
std::vector<double> hits_of_two_epochs(Shuffle kind) {
  LearnerOptions o = epochs(2);
  o.shuffle = kind;
  Bench s(o);
  ModelOptions mo;
  mo.hidden_units = 60, mo.dropout = 0;
  s.net = build_model(mo, s.stream->shape(), {1, s.targets->width()}, Rng(1));
  s.oo = {};
  s.oo.lr = 1e-30;
  s.optimizer = make_optimizer(s.oo, s.net->params());
  struct Hits : Observer {
    void after_step(const Cursor& c, const BatchStats& b, int, std::int64_t, int) override {
      if (c.experience == 0) all.push_back(b.correct);
    }
    std::vector<double> all;
  } hits;
  s.run(hits);
  return hits.all;
}

TEST(Shuffle, OfTheReferenceIsTheSameInEveryEpochAndOursIsNot) {
  const auto same = [](const std::vector<double>& h) {
    return std::equal(h.begin(), h.begin() + 12, h.begin() + 12);
  };
  EXPECT_TRUE(same(hits_of_two_epochs(Shuffle::OnceSeed0)));
  EXPECT_FALSE(same(hits_of_two_epochs(Shuffle::EachEpoch)));
}

TEST(TrainPad, FillsTheLastBatchLikeTheReference) {
  LearnerOptions o = epochs(1);
  o.batch_size = 128, o.train_pad = TrainPad::Prepend;
  Bench s(o);
  struct Rows : Observer {
    void after_step(const Cursor&, const BatchStats&, int rows, std::int64_t, int) override {
      seen.push_back(rows);
    }
    std::vector<int> seen;
  } rows;
  s.run(rows);
  EXPECT_EQ(rows.seen.size(), 10u);  // 600 -> 640 = 5 batches, twice
  for (const int r : rows.seen)
    EXPECT_EQ(r, 128);
}

}  // namespace
}  // namespace engram
