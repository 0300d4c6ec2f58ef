// Who remembers what the rows of a slice gave must hear of every row that is changed: from whoever
// gets weights to write, and from optimisers; and dendrites remember so.
#include <optional>

#include <gtest/gtest.h>

#include "learners/registry.h"
#include "models/registry.h"
#include "tests/models/harness.h"

namespace engram {
namespace {

using testing::random_batch;

class ToldBy : public ::testing::TestWithParam<std::string> {};

TEST_P(ToldBy, EveryRowThatItMoves) {
  for (const auto& [decay, lazy] : {std::pair{0., false}, {0.01, false}, {0., true}}) {
    OptimizerOptions o;
    o.optimizer = GetParam(), o.lr = 0.1, o.momentum = 0.9, o.weight_decay = decay;
    ParamStore s;
    const int other = s.add("other", 3, 2), id = s.add("w", 50, 4);
    s.param(id).lazy = lazy;
    s.allocate();
    s.watch(id);
    Rng rng(1);
    for (real& v : s.values())
      v = static_cast<real>(rng.normal());
    const auto optimizer = make_optimizer(o, s);
    std::vector<std::int32_t> rows;
    s.take_changes(id, rows);
    int moves = 0;
    for (int step = 0; step < 30; ++step) {
      s.zero_grad();
      GradientBlock block{
          .rows = {step % 25, 30 + step % 3}, .cols = {0, 2}, .value = {1, 2, 3, 4}};
      if (step % 4 != 3) s.add_gradient(id, block);
      if (step == 20) s.grads();
      s.open_gradient(other).value.row(0)[0] = 1;
      const CMat now = std::as_const(s).value(id);
      const std::vector<real> before(now.all().begin(), now.all().end());
      optimizer->step(0.1);
      const bool some = s.take_changes(id, rows);
      const CMat after = std::as_const(s).value(id);
      for (int row = 0; row < 50; ++row) {
        if (std::equal(after.row(row), after.row(row) + 4, before.begin() + row * 4)) continue;
        ++moves;
        EXPECT_TRUE(!some || std::ranges::find(rows, row) != rows.end())
            << "row " << row << " in step " << step;
      }
    }
    EXPECT_GT(moves, 20);
  }
}
INSTANTIATE_TEST_SUITE_P(OfTheTable, ToldBy,
                         ::testing::Values("sgd", "adam", "lazy_adam", "adagrad"),
                         [](const auto& param) { return param.param; });

/// Two watched slices; a step moves two rows of the first one.
struct Neighbours {
  explicit Neighbours(const OptimizerOptions& o, bool lazy = false)
      : moved(s.add("moved", 50, 4)), still(s.add("still", 50, 4)) {
    s.allocate();
    for (const int id : {moved, still})
      s.watch(id);
    s.param(moved).lazy = lazy, s.param(still).trainable = false;
    optimizer = make_optimizer(o, s);
    changes(moved), changes(still);
  }
  void step() {
    GradientBlock block{.rows = {3, 30}, .cols = {0, 2}, .value = {1, 2, 3, 4}};
    s.zero_grad();
    s.add_gradient(moved, block);
    optimizer->step(0.1);
  }
  /// Null: all of them.
  std::optional<std::vector<std::int32_t>> changes(int id) {
    std::vector<std::int32_t> rows;
    if (!s.take_changes(id, rows)) return std::nullopt;
    return rows;
  }
  static inline const std::vector<std::int32_t> kNone{};
  ParamStore s;
  int moved, still;
  std::unique_ptr<Optimizer> optimizer;
};

TEST(RowChanges, AdagradNamesTheRowsOfItsOwnSliceAlone) {
  OptimizerOptions o;
  o.optimizer = "adagrad";
  Neighbours n(o);
  n.step();
  EXPECT_EQ(n.changes(n.moved), (std::vector<std::int32_t>{3, 30}));
  EXPECT_EQ(n.changes(n.still), n.kNone);
}

TEST(RowChanges, RowsThatPayTheirIdleStepsChangeForNobody) {
  OptimizerOptions o;
  o.momentum = 0.9;
  Neighbours n(o, true);
  n.step(), n.step();
  EXPECT_EQ(n.changes(n.moved), std::nullopt);  // all rows owe a step
  EXPECT_EQ(n.changes(n.still), n.kNone);
  const std::vector<std::int32_t> rows{3, 7};
  std::as_const(n.s).rows(n.moved, rows), std::as_const(n.s).value(n.moved);
  EXPECT_EQ(n.changes(n.moved), n.kNone);
  EXPECT_EQ(n.changes(n.still), n.kNone);
}

TEST(RowChanges, WhoeverGetsWeightsToWriteMayHaveChangedThemAll) {
  ParamStore s;
  s.add("other", 2, 2);
  const int id = s.add("w", 3, 2);
  s.allocate();
  s.watch(id);
  std::vector<std::int32_t> rows;
  EXPECT_FALSE(s.take_changes(id, rows));  // nobody has asked yet
  EXPECT_TRUE(s.take_changes(id, rows) && rows.empty());
  const auto changes = [&](auto&& act) {
    act();
    const bool some = s.take_changes(id, rows);
    EXPECT_TRUE(s.take_changes(id, rows) && rows.empty());
    return !some;
  };
  EXPECT_TRUE(changes([&] { s.value(id); }));
  EXPECT_TRUE(changes([&] { s.values(); }));
  EXPECT_TRUE(changes([&] { s.raw_value(id); }));
  EXPECT_TRUE(changes([&] { s.raw_values(); }));
  EXPECT_FALSE(changes([&] { s.value(0); }));
  EXPECT_FALSE(changes([&] { std::as_const(s).value(id); }));
  EXPECT_FALSE(changes([&] { std::as_const(s).values(); }));
}

TEST(RowChanges, AreListedUntilTheListWouldBeLongerThanTheSlice) {
  ParamStore s;
  const int id = s.add("w", 3, 2), alone = s.add("unwatched", 3, 2);
  s.allocate();
  s.watch(id);
  std::vector<std::int32_t> rows;
  s.take_changes(id, rows);
  const std::vector<std::int32_t> two{0, 2}, one{1};
  s.note_changes(id, two), s.note_changes(id, one);
  EXPECT_TRUE(s.take_changes(id, rows));
  EXPECT_EQ(rows, (std::vector<std::int32_t>{0, 2, 1}));
  s.note_changes(id, two), s.note_changes(id, two), s.note_changes(id, one);
  EXPECT_FALSE(s.take_changes(id, rows));
  EXPECT_TRUE(rows.empty());
  s.take_changes(alone, rows), s.note_changes(alone, two);
  EXPECT_TRUE(s.take_changes(alone, rows) && rows.empty());
}

/// Learns three tasks, back and forth, with batches of several too, and gives the outputs of every
/// step. `forgetful`: the weights are handed out before every step, so that nothing is remembered.
std::vector<real> outputs(const std::string& name, ContextSource source, bool forgetful) {
  constexpr int kInputs = 6, kTasks = 3, kRows = 8;
  ModelOptions o;
  o.hidden = {10, 7}, o.dropout = 0, o.dendrites.segments = 4, o.dendrites.context = source;
  o.dendrites.pixels = 4, o.dendrites.exemplars = 20;
  const auto net = build_model(o, {1, 1, kInputs}, {1, 2, kTasks}, Rng(4));
  const auto rule = make_rule("backprop", Config{});
  OptimizerOptions of_steps;
  of_steps.optimizer = name, of_steps.lr = 0.05;
  const auto optimizer = make_optimizer(of_steps, net->params());
  std::vector<real> all;
  Tape tape;
  for (int step = 0; step < 60; ++step) {
    Batch batch = random_batch(kRows, kInputs, 2, kTasks, static_cast<std::uint64_t>(step));
    const int task = step / 10 % kTasks;
    if (step % 7 != 6) std::ranges::fill(batch.task, task);
    for (int b = 0; b < kRows; ++b)
      batch.x.value().row(b)[batch.task[static_cast<std::size_t>(b)]] += 4;
    // Prototypes move while a task is learnt, too.
    if (step % 10 == 0 || step % 10 == 5) net->preview(batch.x.value(), batch.task);
    if (step == 23) {
      const Mat segments = net->params().value(net->params().find("dendrites2.segments"));
      for (real& u : segments.all())
        u = -u;
    }
    if (forgetful) net->params().values();
    std::as_const(*net).evaluate(batch.x, tape, {step % 2 == 0, Rng(1), batch.task});
    all.insert(all.end(), tape.back().out.value().all().begin(),
               tape.back().out.value().all().end());
    if (forgetful) net->params().values();
    net->params().zero_grad();
    rule->learn(*net, batch, {true, Rng(1), batch.task}, {});
    optimizer->step(of_steps.lr);
  }
  return all;
}

TEST_P(ToldBy, TheSegmentsOfDendritesRememberNothingThatIsOutOfDate) {
  for (const ContextSource source : {ContextSource::Prototype, ContextSource::Clusters})
    EXPECT_EQ(outputs(GetParam(), source, false), outputs(GetParam(), source, true));
}

TEST(RowChanges, DendritesAnswerAsIfTheyRememberedNothing) {
  constexpr int kInputs = 6, kTasks = 3, kRows = 4, kUnits = 5, kSegments = 4;
  ModelOptions o;
  o.hidden = {kUnits}, o.dropout = 0, o.dendrites.segments = kSegments;
  const auto make = [&] { return build_model(o, {1, 1, kInputs}, {1, 2, kTasks}, Rng(4)); };
  const auto net = make();
  ParamStore& params = net->params();
  const int id = params.find("dendrites1.segments");
  Rng draw(7);
  std::vector<std::int32_t> moved, said;
  Tape tape, tape_of_fresh;
  for (int round = 0; round < 400; ++round) {
    const auto what = draw.below(16);
    const auto row = static_cast<std::int32_t>(draw.below(kUnits * kSegments));
    if (what < 4) {  // as an optimiser moves one and says so
      const bool some = params.take_changes(id, moved);
      params.raw_value(id).row(row)[0] += static_cast<real>(draw.normal());
      moved.push_back(row);
      params.take_changes(id, said);
      params.note_changes(id, moved);
      if (!some) params.note_changes(id);
    }
    if (what == 4) params.value(id).row(row)[0] += 1;
    Batch batch = random_batch(kRows, kInputs, 2, kTasks, draw.below(1000));
    if (draw.below(2) == 0) std::ranges::fill(batch.task, static_cast<int>(draw.below(kTasks)));
    if (what == 5) net->preview(batch.x.value(), batch.task);

    const auto fresh = make();
    std::ranges::copy(std::as_const(params).values(), fresh->params().values().begin());
    std::ranges::copy(params.states(), fresh->params().states().begin());
    const Pass pass{draw.below(2) == 0, Rng(1), batch.task};
    std::as_const(*net).evaluate(batch.x, tape, pass);
    std::as_const(*fresh).evaluate(batch.x, tape_of_fresh, pass);
    const auto out = [](const Tape& of) {
      const auto all = of[2].out.value().all();
      return std::vector<real>(all.begin(), all.end());
    };
    ASSERT_EQ(out(tape), out(tape_of_fresh)) << "round " << round;
    ASSERT_EQ(tape[2].index, tape_of_fresh[2].index) << "round " << round;
  }
}

}  // namespace
}  // namespace engram
