// Frozen layers: they keep their weights and statistics, work as in evaluation, and cost nothing on
// the way down. Heads that start anew do so by names.
#include "learners/fine_tuning.h"

#include <gtest/gtest.h>

#include "learners/registry.h"
#include "models/registry.h"
#include "tests/models/harness.h"
#include "tests/utils/error_of.h"

namespace engram {
namespace {

using testing::random_batch;
using testing::stack;

constexpr int kInputs = 6, kOutputs = 4;

struct Tuned {
  explicit Tuned(const FineTuningOptions& options, std::vector<LayerPtr> layers = usual(),
                 const char* name = "backprop")
      : net({1, 1, kInputs}, std::move(layers), Rng(11)),
        rule(make_fine_tuned(options, make_rule(name, {}))) {
    rule->prepare(net, Rng(12));
    optimizer = make_optimizer(OptimizerOptions{}, net.params());
  }
  static std::vector<LayerPtr> usual() {
    return stack(linear(9), batch_norm(), relu(), dropout(0.5), linear(5), relu(),
                 linear(kOutputs));
  }
  void begin(int experience, int epoch = 0, std::int64_t step = 0) {
    kind = rule->begin_epoch(net, {experience, 3, epoch, 2, step});
  }
  void learn(std::uint64_t step = 0) {
    net.params().zero_grad();
    const Batch batch = random_batch(8, kInputs, kOutputs, 1, step);
    rule->learn(net, batch, {true, Rng(77).fork("pass", step), batch.task}, {});
    optimizer->step(0.1);
  }
  std::vector<real> value(const char* name) const {
    const CMat m = net.params().value(net.params().find(name));
    return {m.data, m.data + m.size()};
  }
  std::vector<real> states() {
    return {net.params().states().begin(), net.params().states().end()};
  }
  bool has_gradient(const char* name) const {
    return net.params().param(net.params().find(name)).form != GradientForm::Zero;
  }

  Network net;
  std::unique_ptr<Rule> rule;
  std::unique_ptr<Optimizer> optimizer;
  EpochKind kind;
};

TEST(FineTuning, FrozenLayersNeitherLearnNorMoveTheirStatistics) {
  Tuned t({.frozen_until = "dropout1"});
  const auto weights = t.value("linear1.weight"), scale = t.value("batch_norm1.scale");
  const auto above = t.value("linear2.weight"), states = t.states();
  t.begin(0);
  t.learn();
  EXPECT_EQ(t.value("linear1.weight"), weights);
  EXPECT_EQ(t.value("batch_norm1.scale"), scale);
  EXPECT_EQ(t.states(), states);
  EXPECT_NE(t.value("linear2.weight"), above);
  EXPECT_FALSE(t.has_gradient("linear1.weight"));
  EXPECT_FALSE(t.has_gradient("batch_norm1.shift"));
  EXPECT_EQ(t.kind.still, 4);
}

TEST(FineTuning, FrozenLayersWorkAsInEvaluation) {
  Tuned t({.frozen_until = "dropout1"});
  t.begin(0);
  t.learn(3);
  const auto in_training = t.rule->tape()[3].out.value();
  const std::vector<real> seen(in_training.data, in_training.data + in_training.size());
  Tape tape;
  std::as_const(t.net).evaluate(random_batch(8, kInputs, kOutputs, 1, 3).x, tape, {});
  const auto tested = std::as_const(tape[3].out).value();
  EXPECT_EQ(seen, std::vector<real>(tested.data, tested.data + tested.size()));
}

TEST(FineTuning, LearnsAboveAsIfTheFrozenLayersWereItsInput) {
  Tuned whole({.frozen_until = "relu1"});
  whole.begin(0), whole.learn();
  Tape below;
  std::as_const(whole.net).evaluate(random_batch(8, kInputs, kOutputs, 1, 0).x, below, {}, 3);
  // The same head above what is below the border, as a network of its own.
  Network head({1, 1, 9}, stack(dropout(0), linear(5), relu(), linear(kOutputs)), Rng(1));
  Tuned again({.frozen_until = "relu1"}, stack(linear(9), batch_norm(), relu(), dropout(0),
                                               linear(5), relu(), linear(kOutputs)));
  for (const char* name : {"weight", "bias"})
    for (const auto& [ours, theirs] :
         {std::pair{"linear1.", "linear2."}, {"linear2.", "linear3."}}) {
      const auto from = again.value((std::string(theirs) + name).c_str());
      std::ranges::copy(from,
                        head.params().value(head.params().find(std::string(ours) + name)).data);
    }
  again.begin(0);
  again.net.params().zero_grad();
  Batch batch = random_batch(8, kInputs, kOutputs, 1, 0);
  again.rule->learn(again.net, batch, {true, Rng(5), batch.task}, {});
  batch.x = below[2].out;
  make_rule("backprop", {})->learn(head, batch, {true, Rng(5), batch.task}, {});
  const CMat expected = head.params().grad(head.params().find("linear1.weight"));
  const CMat got = again.net.params().grad(again.net.params().find("linear2.weight"));
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(got.data[i], expected.data[i], 1e-6);
}

TEST(FineTuning, MayFreezeAfterTheFirstTask) {
  Tuned t({.frozen_until = "relu1", .frozen_from = FrozenFrom::FirstTask});
  auto weights = t.value("linear1.weight"), states = t.states();
  t.begin(0), t.learn();
  EXPECT_NE(t.value("linear1.weight"), weights);
  EXPECT_NE(t.states(), states);
  EXPECT_EQ(t.kind.still, 0);
  weights = t.value("linear1.weight"), states = t.states();
  t.begin(1), t.learn(1);
  EXPECT_EQ(t.value("linear1.weight"), weights);
  EXPECT_EQ(t.states(), states);
  Tuned resumed({.frozen_until = "relu1", .frozen_from = FrozenFrom::FirstTask});
  resumed.begin(2, 1, 5);
  const auto before = resumed.value("linear1.weight");
  resumed.learn();
  EXPECT_EQ(resumed.value("linear1.weight"), before);
}

TEST(FineTuning, HeadsStartAnewByNames) {
  const FineTuningOptions each{.frozen_until = "relu1", .reset_head = ResetHead::EachTask};
  Tuned a(each), b(each);
  const auto first = a.value("linear3.weight");
  a.begin(0);
  EXPECT_EQ(a.value("linear3.weight"), first) << "the first task begins with the first draw";
  a.learn();
  const auto below = a.value("linear1.weight");
  a.begin(1);
  const auto second = a.value("linear3.weight");
  EXPECT_NE(second, first);
  EXPECT_EQ(a.value("linear1.weight"), below);
  b.begin(0), b.learn(7), b.learn(8);  // another history, the same names
  b.begin(1);
  EXPECT_EQ(b.value("linear3.weight"), second);
  EXPECT_EQ(b.value("linear2.bias"), a.value("linear2.bias"));
  a.learn();
  const auto learnt = a.value("linear3.weight");
  a.begin(1, 1), a.begin(1, 0, 4);  // another epoch, and a run that goes on
  EXPECT_EQ(a.value("linear3.weight"), learnt);
  a.begin(2);
  EXPECT_NE(a.value("linear3.weight"), second);
}

TEST(FineTuning, AHeadMayStartAnewOnceWithItsStatistics) {
  Tuned t({.reset_head = ResetHead::AfterFirst});
  const auto fresh = t.states();
  t.begin(0), t.learn();
  EXPECT_NE(t.states(), fresh);
  t.begin(1);
  EXPECT_EQ(t.states(), fresh);
  EXPECT_EQ(t.value("batch_norm1.scale"), std::vector<real>(9, 1));
  EXPECT_EQ(t.value("batch_norm1.shift"), std::vector<real>(9, 0));
  t.learn();
  const auto learnt = t.value("linear3.weight");
  t.begin(2);
  EXPECT_EQ(t.value("linear3.weight"), learnt);
}

/// The whole network starts anew with the second task, in all but what `kept` gives.
template <class Kept>
void expect_kept(Network& net, const Kept& kept) {
  const auto rule = make_fine_tuned({.reset_head = ResetHead::EachTask}, make_rule("backprop", {}));
  rule->prepare(net, Rng(12));
  const CMat weights = net.params().value(net.params().find("linear1.weight"));
  const std::vector<real> first(weights.data, weights.data + weights.size());
  const std::vector<real> before = kept();
  ASSERT_NE(before, std::vector<real>(before.size(), 0));
  rule->begin_epoch(net, {1, 3, 0, 2, 0});
  EXPECT_EQ(kept(), before);
  EXPECT_NE(std::vector<real>(weights.data, weights.data + weights.size()), first);
}

TEST(FineTuning, TheGatesOfTasksOutliveAFreshStart) {
  for (const char* gating : {"xdg", "top_down"}) {
    SCOPED_TRACE(gating);
    Network net({1, 1, kInputs}, stack(linear(20), relu(), linear(kOutputs)), Rng(11), 1, {},
                make_gating({.gating = gating, .instruction = Instruction::Frozen}, 3));
    expect_kept(net, [&] {
      const GateMask mask = net.gating()->mask(0);
      return std::vector<real>(mask.begin(), mask.end());
    });
  }
}

TEST(FineTuning, WhatIsKnownOfImagesOutlivesAFreshStart) {
  const Batch batch = random_batch(40, kInputs, kOutputs, 2);
  const auto states = [](Network& net) {
    return [&net] {
      return std::vector<real>(net.params().states().begin(), net.params().states().end());
    };
  };
  Network white({1, 1, kInputs}, stack(whiten(0.1), linear(9), relu(), linear(kOutputs)), Rng(11));
  white.layer(0).fit(batch.x.value());
  expect_kept(white, states(white));
  ModelOptions o;
  o.hidden = {9}, o.dropout = 0, o.dendrites.segments = 2;
  const auto dendritic = build_model(o, {1, 1, kInputs}, {1, kOutputs, 3}, Rng(11));
  dendritic->preview(batch.x.value(), batch.task);  // of the task that begins
  expect_kept(*dendritic, states(*dendritic));
}

TEST(FineTuning, RefusesWhatCannotBe) {
  const auto refusal = [](const FineTuningOptions& o, std::vector<LayerPtr> layers = Tuned::usual(),
                          const char* rule = "backprop") {
    return error_of([&] { Tuned(o, std::move(layers), rule); });
  };
  EXPECT_SAYS(refusal({.frozen_until = "liner2"}), "did you mean 'linear2'?");
  EXPECT_SAYS(refusal({.frozen_until = "linear3"}), "leaves no layer that learns");
  EXPECT_SAYS(refusal({.reset_head = ResetHead::EachTask},
                      stack(linear(9, {.density = 0.5}), linear(kOutputs))),
              "missing synapses");
  EXPECT_SAYS(refusal({.reset_head = ResetHead::EachTask}, Tuned::usual(), "class_means"),
              "needs a rule");
}

TEST(FineTuning, WorksWithEveryRuleThatCarriesErrors) {
  for (const char* name : {"feedback_alignment", "direct_feedback", "usf", "kolen_pollack"}) {
    const FineTuningOptions o{.frozen_until = "relu1"};
    auto rule = make_fine_tuned(o, make_rule(name, {}, {.loss = {}, .weight_decay = 0.01}));
    FeedbackPlan plan = rule->feedback();
    plan.outputs = kOutputs;
    Network net({1, 1, kInputs}, stack(linear(9), relu(), linear(5), relu(), linear(kOutputs)),
                Rng(1), 1, plan);
    rule->prepare(net, Rng(2));
    const auto optimizer = make_optimizer(OptimizerOptions{}, net.params());
    const std::vector<real> before(net.params().values().begin(), net.params().values().end());
    rule->begin_epoch(net, {});
    const Batch batch = random_batch(8, kInputs, kOutputs);
    net.params().zero_grad();
    rule->learn(net, batch, {true, Rng(3), batch.task}, {});
    optimizer->step(0.1);
    const auto after = net.params().values();
    for (int id = 0; id < net.params().count(); ++id) {
      const Param& p = net.params().param(id);
      const bool same = std::equal(after.begin() + static_cast<std::ptrdiff_t>(p.offset),
                                   after.begin() + static_cast<std::ptrdiff_t>(p.offset + p.size()),
                                   before.begin() + static_cast<std::ptrdiff_t>(p.offset));
      if (p.name.starts_with("linear1.")) {
        EXPECT_TRUE(same) << name << " " << p.name;
      } else if (p.name == "linear3.weight") {
        EXPECT_FALSE(same) << name;
      }
    }
  }
}

}  // namespace
}  // namespace engram
