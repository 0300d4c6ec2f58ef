// Rows that repeat others for the heads of other tasks: what the network says of them and learns
// from them is the same whether or not it passes them once more, and not passing them is cheaper.
#include "learners/repeated_rows.h"

#include <cmath>

#include <gtest/gtest.h>

#include "models/dendrites/dendrites.h"
#include "models/gating.h"
#include "tests/learners/examples.h"

namespace engram {
namespace {

using testing::random_batch;
using testing::stack;

constexpr int kInputs = 6, kOwn = 5, kHeads = 3, kOutputs = 2;

std::vector<LayerPtr> with_heads(std::vector<LayerPtr> below) {
  below.push_back(multi_head(kHeads, kOutputs, false, {}));
  return below;
}
std::vector<LayerPtr> relus() {
  return with_heads(stack(linear(8), relu(), linear(7), relu()));
}

/// Rows of the last task, then each for the heads of the other ones.
Batch asking_batch() {
  Batch batch = random_batch(kOwn, kInputs, kOutputs, 1, 3);
  batch.task.assign(kOwn, kHeads - 1);
  std::vector<int> of, task;
  for (int head = 0; head < kHeads - 1; ++head)
    for (int b = 0; b < kOwn; ++b)
      of.push_back((b + head) % kOwn), task.push_back(head);
  Signal memory;
  add_repeats(of, task, memory, batch);
  return batch;
}
Batch without_saying(Batch batch) {
  batch.repeats = {};
  return batch;
}

struct Learnt {
  std::vector<real> logits, gradients;
  Macs macs;
};
Learnt learn(const char* rule_name, std::vector<LayerPtr> layers, const Batch& batch, int floor = 0,
             std::unique_ptr<Gating> gating = nullptr) {
  auto rule = make_rule(rule_name, Config{});
  FeedbackPlan plan = rule->feedback();
  plan.outputs = kOutputs;
  Network net({1, 1, kInputs}, std::move(layers), Rng(11), 1, plan, std::move(gating));
  rule->prepare(net, Rng(12));
  net.params().zero_grad();
  Learnt learnt;
  const ErrorHook hook = [&](CMat logits, Mat error) {
    learnt.logits.assign(logits.data, logits.data + logits.size());
    for (std::size_t i = 0; i < error.size(); ++i)  // of rows without a label too
      error.data[i] = std::sin(static_cast<real>(i + 1));
  };
  Pass pass{true, Rng(77), batch.task};
  pass.floor = floor;
  learnt.macs = rule->learn(net, batch, pass, hook).macs;
  const auto g = net.params().grads();
  learnt.gradients.assign(g.begin(), g.end());
  return learnt;
}
void expect_near(const std::vector<real>& a, const std::vector<real>& b, double tolerance) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i)
    EXPECT_NEAR(a[i], b[i], tolerance) << i;
}

TEST(RepeatedRows, StandBehindTheOthersWithoutALabel) {
  const Batch batch = asking_batch();
  ASSERT_EQ(batch.rows(), kHeads * kOwn);
  EXPECT_EQ(batch.distinct_rows(), kOwn);
  EXPECT_EQ(batch.task[kOwn], 0);
  EXPECT_EQ(batch.task[2 * kOwn], 1);
  EXPECT_EQ(batch.target[kOwn], -1);
  const CMat x = batch.x.value();
  for (int i = 0; i < kInputs; ++i) {
    EXPECT_EQ(x.row(kOwn + 1)[i], x.row(1)[i]);
    EXPECT_EQ(x.row(2 * kOwn + 1)[i], x.row(2)[i]);
  }
}

TEST(RepeatedRows, MayUseAllOutputs) {
  Batch batch = random_batch(2, kInputs, kOutputs, 1, 3);
  const std::vector<std::uint8_t> first{1, 0};
  batch.mask.assign(2, first);
  Signal memory;
  add_repeats(std::vector{0}, std::vector{1}, memory, batch);
  ASSERT_EQ(batch.mask.size(), 3U);
  EXPECT_TRUE(batch.mask[2].empty());
}

TEST(RepeatedRows, KeepTheListsOfActiveInputs) {
  Batch batch = random_batch(2, kInputs, kOutputs, 1, 3);
  batch.x.active.begin(2, kInputs);
  batch.x.active.slots(1)[0] = 4;
  batch.x.active.set_count(0, 0), batch.x.active.set_count(1, 1);
  Signal memory;
  add_repeats(std::vector{1, 0}, std::vector{0, 0}, memory, batch);
  ASSERT_TRUE(batch.x.active.known());
  ASSERT_EQ(batch.x.active.row(2).size(), 1U);
  EXPECT_EQ(batch.x.active.row(2)[0], 4);
  EXPECT_EQ(batch.x.active.row(3).size(), 0U);
}

class SparedRepeats : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Rules, SparedRepeats,
                         ::testing::Values("backprop", "feedback_alignment", "usf", "counter_hebb"),
                         [](const auto& param) { return std::string(param.param); });

TEST_P(SparedRepeats, TeachTheSameForLess) {
  const Batch batch = asking_batch();
  const Learnt spared = learn(GetParam(), relus(), batch),
               whole = learn(GetParam(), relus(), without_saying(batch));
  expect_near(spared.logits, whole.logits, 1e-6);
  expect_near(spared.gradients, whole.gradients, 1e-5);
  EXPECT_LT(spared.macs.dense, 0.6 * whole.macs.dense);
}

/// Every case in which rows must be passed as they are.
void expect_all_are_passed(const Learnt& a, const Learnt& b) {
  EXPECT_EQ(a.logits, b.logits);
  EXPECT_EQ(a.gradients, b.gradients);
  EXPECT_EQ(a.macs.dense, b.macs.dense);
}

TEST(RepeatedRows, ArePassedOnceRowsStandBehindThem) {
  Batch batch = asking_batch();
  Signal one, joined;
  const Mat row = one.resize(1, kInputs);
  std::ranges::fill(row.all(), real{0.5});
  join_rows(batch.x, one, joined);
  std::swap(batch.x, joined);
  batch.target.push_back(1), batch.task.push_back(0);
  expect_all_are_passed(learn("backprop", relus(), batch),
                        learn("backprop", relus(), without_saying(batch)));
}

TEST(RepeatedRows, ArePassedOnDirectPathsAndAboveABorder) {
  const Batch batch = asking_batch();
  expect_all_are_passed(learn("direct_feedback", relus(), batch),
                        learn("direct_feedback", relus(), without_saying(batch)));
  expect_all_are_passed(learn("backprop", relus(), batch, 2),
                        learn("backprop", relus(), without_saying(batch), 2));
}

TEST(RepeatedRows, ArePassedWhereTasksOpenUnits) {
  const auto gates = [] {
    GatingOptions o;
    o.gating = "xdg";
    return make_gating(o, kHeads);
  };
  const Batch batch = asking_batch();
  expect_all_are_passed(learn("backprop", relus(), batch, 0, gates()),
                        learn("backprop", relus(), without_saying(batch), 0, gates()));
}

TEST(RepeatedRows, ArePassedWithoutHeadsOrWhereContextsComeFromTasks) {
  const auto net_of = [](std::vector<LayerPtr> layers) {
    return Network({1, 1, kInputs}, std::move(layers), Rng(1));
  };
  EXPECT_TRUE(only_heads_read_tasks(net_of(relus())));
  EXPECT_FALSE(only_heads_read_tasks(net_of(stack(linear(8), relu(), linear(2)))));
  std::vector<LayerPtr> layers;
  DendriteOptions o;
  o.segments = 2;
  const ContextPlace context = add_context(layers, o, kHeads);
  layers.push_back(linear(8)), layers.back()->wiring.reads = 2;
  add_dendrites(layers, o, context);
  EXPECT_FALSE(only_heads_read_tasks(net_of(with_heads(std::move(layers)))));
}

}  // namespace
}  // namespace engram
