// Evaluation on a network whose answers are known.
#include "exps/evaluator.h"

#include <cmath>

#include <gtest/gtest.h>

#include "benchmarks/stream_table.h"
#include "models/registry.h"

namespace engram {
namespace {

/// 10 test images of one pixel: labels 0 1 0 1 ..., and a network that always answers 0.
struct Fixture {
  explicit Fixture(EvaluationOptions o = {}, ScenarioOptions scenario = {}, int batch_size = 4) {
    auto images = std::make_shared<Images>();
    images->shape = {1, 1, 1};
    for (int i = 0; i < 10; ++i) {
      images->pixels.push_back(static_cast<std::uint8_t>(100 + i));
      images->labels.push_back(static_cast<std::uint8_t>(i % 2));
    }
    data = {.name = "tiny", .classes = 2, .train = images, .test = images, .sha256 = ""};
    StreamOptions so;
    so.stream = StreamKind::Permuted, so.tasks = 2;
    stream = make_stream(so, data, 1);
    targets = std::make_unique<Targets>(*stream, scenario);
    ModelOptions mo;
    mo.hidden_units = 4, mo.sparsify = true, mo.percent_on_fc = 0.5;
    net = build_model(mo, {1, 1, 1}, {targets->heads(), targets->width()}, Rng(1));
    for (real& w : net->params().values())
      w = 0;
    net->params().value(0).data[2] = 1;  // hidden unit 2 answers the pixel
    for (int id = 0; id < net->params().count(); ++id)
      if (net->params().param(id).name.ends_with("bias") &&
          net->params().param(id).cols == targets->width())
        net->params().value(id).data[0] = 1;
    evaluator = std::make_unique<Evaluator>(*net, *targets, o, batch_size);
  }
  double accuracy(int task, int seen, UnitUsage* usage = nullptr) {
    return evaluator->accuracy(stream->test(task), task, seen, usage);
  }
  Dataset data;
  std::unique_ptr<TaskStream> stream;
  std::unique_ptr<Targets> targets;
  std::unique_ptr<Network> net;
  std::unique_ptr<Evaluator> evaluator;
};

TEST(Evaluator, CountsEveryTestExampleOnce) {
  EXPECT_DOUBLE_EQ(Fixture().accuracy(0, 0), 0.5);
}

TEST(Evaluator, ReproducesTheReferencesPaddedTestSetsOnRequest) {
  // Batches of 4: two of the ten examples are put in front again, one of them a hit.
  EXPECT_DOUBLE_EQ(Fixture({.eval_pad = EvalPad::V1}).accuracy(0, 0), 6.0 / 12);
  EXPECT_DOUBLE_EQ(Fixture({.eval_pad = EvalPad::Nov2019}).accuracy(0, 0), 6.0 / 10);
  EXPECT_DOUBLE_EQ(Fixture({.eval_pad = EvalPad::Nov2019}, {}, 5).accuracy(0, 0), 0.5);
}

TEST(Evaluator, LeavesTasksWithoutAHeadOutUnlessToldToUseTheNewest) {
  const ScenarioOptions heads{.scenario = Scenario::Task};
  EXPECT_TRUE(std::isnan(Fixture({}, heads).accuracy(1, 1)));
  EXPECT_DOUBLE_EQ(Fixture({}, heads).accuracy(1, 2), 0.5);
  EXPECT_DOUBLE_EQ(Fixture({.unseen_heads = UnseenHeads::Newest}, heads).accuracy(1, 1), 0.5);
}

TEST(Evaluator, MultipliedMasksLetAnOutputOutsideTheTaskWinLikeTheReference) {
  const ScenarioOptions masked{.scenario = Scenario::Task, .head = Head::Masked};
  const auto prepare = [&](EvaluationOptions o) {
    auto f = std::make_unique<Fixture>(o, masked);
    const int bias = f->net->params().find("linear2.bias");
    for (real& b : f->net->params().value(bias).all())
      b = -5;                                   // all answers negative
    f->net->params().value(bias).data[0] = -4;  // class 0 of task 0 is best
    return f;
  };
  EXPECT_DOUBLE_EQ(prepare({})->accuracy(0, 1), 0.5);
  EXPECT_DOUBLE_EQ(prepare({.mask_rule = MaskRule::Multiply})->accuracy(0, 1), 0);
}

TEST(Evaluator, ASingleOutputAnswersOneAboveZero) {
  Fixture f({}, {.head_outputs = HeadOutputs::Single});
  ASSERT_EQ(f.targets->width(), 1);
  const auto share_of_ones = [&f](real bias) {
    f.net->params().value(f.net->params().find("linear2.bias")).data[0] = bias;
    auto images = std::make_shared<Images>(*f.data.test);
    images->labels.assign(10, 1);
    f.data.test = images;
    return f.evaluator->accuracy(
        ExampleSet(images, std::make_shared<const std::vector<std::uint32_t>>(10u, 0u),
                   PixelMap::identity({1, 1, 1}, {}), 0),
        0, 1);
  };
  EXPECT_DOUBLE_EQ(share_of_ones(real{.5}), 1);
  EXPECT_DOUBLE_EQ(share_of_ones(0), 0);
  EXPECT_DOUBLE_EQ(share_of_ones(real{-.5}), 0);
}

TEST(Evaluator, CountsWhichUnitsAreActive) {
  UnitUsage usage;
  Fixture f;
  f.accuracy(0, 1, &usage);
  EXPECT_EQ(usage.counts.at(0), (std::vector<std::uint32_t>{0, 0, 10, 0}));
  EXPECT_DOUBLE_EQ(usage.active_fraction.at(0), 0.25);
  EXPECT_GT(f.evaluator->macs().dense, 0);
}

}  // namespace
}  // namespace engram
