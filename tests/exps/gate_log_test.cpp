// What is recorded of gates: density, overlap and drift, against masks that a test can see.
#include "exps/gate_log.h"

#include <cmath>

#include <gtest/gtest.h>

#include "models/layers.h"

namespace engram {
namespace {

constexpr int kTasks = 3, kUnits = 8;

std::unique_ptr<Network> network(const GatingOptions& options) {
  std::vector<LayerPtr> layers;
  layers.push_back(linear(kUnits)), layers.push_back(relu());
  layers.push_back(linear(kUnits)), layers.push_back(relu());
  layers.push_back(linear(2));
  return std::make_unique<Network>(ImageShape{1, 1, 5}, std::move(layers), Rng(3), 1,
                                   FeedbackPlan{}, make_gating(options, kTasks));
}
GatingOptions gating(const std::string& name) {
  GatingOptions o;
  o.gating = name, o.embedding = 6;
  if (name == "xdg") o.keep_fraction = 0.5;
  return o;
}
RunRecord record() {
  RunRecord run;
  run.task_names.assign(kTasks, "task");
  run.accuracy = Table({kTasks + 1, kTasks}, kNotEvaluated);
  return run;
}

Moment moment(int row, bool at_once = false) {
  return {.row = row, .task = row - 1, .learnt = row, .seen = row, .at_once = at_once};
}

TEST(GateLog, MeasuresIntersectionOverUnion) {
  const std::vector<std::uint8_t> a{1, 1, 0, 0}, b{0, 1, 1, 0}, none(4);
  EXPECT_DOUBLE_EQ(mask_overlap(a, b), 1.0 / 3);
  EXPECT_EQ(mask_overlap(a, a), 1);
  EXPECT_EQ(mask_overlap(a, none), 0);
  EXPECT_TRUE(std::isnan(mask_overlap(none, none)));
}

TEST(GateLog, RecordsEveryRowAsTasksCome) {
  const auto net = network(gating("xdg"));
  RunRecord run = record();
  for (int row = 0; row <= kTasks; ++row)
    note_gates(*net, moment(row), run);
  ASSERT_EQ(run.gates.size(), 2u);
  for (std::size_t level = 0; level < 2; ++level) {
    const GateRecord& gate = run.gates[level];
    const GateMask mask = net->gating()->mask(level);
    EXPECT_EQ(gate.layer, level == 0 ? "relu1" : "relu2");
    for (std::size_t t = 0; t < kTasks; ++t) {
      for (std::size_t u = 0; u < kUnits; ++u)
        EXPECT_EQ(gate.learned(t, u), mask[t * kUnits + u] > 0);
      for (std::size_t row = 0; row <= kTasks; ++row) {
        EXPECT_EQ(gate.density(row, t), 0.5);
        EXPECT_EQ(std::isnan(gate.kept(row, t)), row <= t) << row << t;
        if (row > t) {
          EXPECT_EQ(gate.kept(row, t), 1);
        }
      }
      EXPECT_EQ(gate.overlap(t, t), 1);
      EXPECT_EQ(gate.overlap(0, t), gate.overlap(t, 0));
    }
  }
}

TEST(GateLog, SeesMasksDriftWithTheWeights) {
  for (const bool at_once : {false, true}) {
    const auto net = network(gating("top_down"));
    RunRecord run = record();
    note_gates(*net, moment(0, at_once), run);
    note_gates(*net, moment(1, at_once), run);
    const Mat w = net->params().value(net->params().find("linear2.weight"));
    for (real& x : w.all())
      x = -x;  // of the lower level, other units open
    note_gates(*net, moment(kTasks, at_once), run);
    EXPECT_LT(run.gates[0].kept(kTasks, 0), 0.5);
    EXPECT_EQ(run.gates[1].kept(kTasks, 0), 1);
    // Learnt at once, tasks are held against the start; else the last one against now.
    EXPECT_EQ(run.gates[0].kept(kTasks, kTasks - 1) == 1, !at_once);
  }
}

TEST(GateLog, LeavesRunsWithoutGatesAlone) {
  RunRecord run = record();
  note_gates(*network({}), moment(0), run);
  EXPECT_TRUE(run.gates.empty());
}

}  // namespace
}  // namespace engram
