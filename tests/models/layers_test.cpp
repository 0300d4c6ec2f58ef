// Layers against small cases worked out by hand, and active-set paths against their dense twins.
#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "learners/rules/rules.h"
#include "models/registry.h"
#include "tests/models/harness.h"
#include "utils/error.h"

namespace engram {
namespace {

using testing::Alone;
using testing::Opaque;
using testing::random_batch;
using testing::signal;
using testing::stack;

void fill(Mat m, std::vector<real> values) {
  std::copy(values.begin(), values.end(), m.data);
}
std::vector<real> values(const Signal& s) {
  return {s.value().data, s.value().data + s.value().size()};
}

TEST(Linear, ComputesWeightsTimesInputPlusBias) {
  Alone l(linear(2), {1, 1, 3});
  fill(l.net.params().value(0), {1, 4, 2, 5, 3, 6});  // [inputs, outputs]
  fill(l.net.params().value(1), {10, 20});
  EXPECT_EQ(values(l.forward(signal(1, 3, {1, 0, -1}), true)), (std::vector<real>{8, 18}));
}

TEST(Conv2d, SlidesItsKernelOverTheImage) {
  Alone c(conv2d(1, 2, 1, 0), {2, 3, 1});
  fill(c.net.params().value(0), {1, 10, 100, 1000});
  fill(c.net.params().value(1), {0.5f});
  EXPECT_EQ(values(c.forward(signal(1, 6, {1, 2, 3, 4, 5, 6}), true)),
            (std::vector<real>{5421.5f, 6532.5f}));
}

TEST(Conv2d, PadsWithZeros) {
  Alone c(conv2d(1, 3, 1, 1), {1, 1, 1});
  fill(c.net.params().value(0), {1, 2, 3, 4, 5, 6, 7, 8, 9});
  fill(c.net.params().value(1), {0});
  EXPECT_EQ(values(c.forward(signal(1, 1, {2}), true)), (std::vector<real>{10}));
}

TEST(Conv2d, RefusesAKernelLargerThanTheImage) {
  EXPECT_THROW(Alone(conv2d(1, 5, 1, 0), {4, 4, 1}), Error);
}

TEST(GroupedConv2d, EqualsAConvolutionWithBlockDiagonalWeights) {
  constexpr int kChannels = 6, kOutputs = 9, kGroups = 3, kTaps = 9, kBelow = 2, kAbove = 3;
  Network grouped({7, 6, kChannels}, stack(grouped_conv2d(kOutputs, 3, 2, 1, kGroups)), Rng(1));
  Network dense({7, 6, kChannels}, stack(dense_conv2d(kOutputs, 3, 2, 1)), Rng(2));
  EXPECT_EQ(grouped.outputs(), dense.outputs());
  const CMat narrow = grouped.params().value(0);
  const Mat wide = dense.params().value(0);
  // Row by row of the narrow matrix: what of the wide one is the same weight.
  const auto twin = [](int row, int o) {
    return row / kBelow * kChannels + o / kAbove * kBelow + row % kBelow;
  };
  std::fill_n(wide.data, wide.size(), real{0});
  for (int row = 0; row < kTaps * kBelow; ++row)
    for (int o = 0; o < kOutputs; ++o)
      wide.row(twin(row, o))[o] = narrow.row(row)[o];
  fill(dense.params().value(1), {1, 2, 3, 4, 5, 6, 7, 8, 9});
  fill(grouped.params().value(1), {1, 2, 3, 4, 5, 6, 7, 8, 9});

  const Batch batch = random_batch(5, 7 * 6 * kChannels, 2);
  const Signal dy = std::move(random_batch(5, dense.outputs(), 2, 1, 8).x);
  Tape a, b;
  const Macs cost = grouped.evaluate(batch.x, a, {});
  EXPECT_EQ(cost.executed * kGroups, dense.evaluate(batch.x, b, {}).dense);
  EXPECT_EQ(cost.executed, cost.dense);
  Signal dx_grouped, dx_dense;
  grouped.layer(0).backward_input(batch.x, a[0], dy, dx_grouped, {});
  dense.layer(0).backward_input(batch.x, b[0], dy, dx_dense, {});
  const auto same = [](const std::vector<real>& got, const std::vector<real>& want) {
    ASSERT_EQ(got.size(), want.size());
    for (std::size_t i = 0; i < got.size(); ++i)
      ASSERT_NEAR(static_cast<double>(got[i]), static_cast<double>(want[i]), 1e-4) << i;
  };
  same(values(a[0].out), values(b[0].out));
  same(values(dx_grouped), values(dx_dense));
  for (int pass = 0; pass < 2; ++pass) {  // fresh, then added
    grouped.layer(0).accumulate(batch.x, a[0], dy, {});
    dense.layer(0).accumulate(batch.x, b[0], dy, {});
  }
  const CMat g = grouped.params().grad(0), d = dense.params().grad(0);
  for (int row = 0; row < kTaps * kBelow; ++row)
    for (int o = 0; o < kOutputs; ++o)
      ASSERT_NEAR(static_cast<double>(g.row(row)[o]), static_cast<double>(d.row(twin(row, o))[o]),
                  2e-4);
  const auto bias = grouped.params().grad(1).all(), wanted = dense.params().grad(1).all();
  same({bias.begin(), bias.end()}, {wanted.begin(), wanted.end()});
}

TEST(GroupedConv2d, GivesNoErrorToPixelsThatNoWindowReaches) {
  Alone c(grouped_conv2d(1, 2, 2, 0, 1), {3, 3, 1});
  fill(c.net.params().value(0), {1, 2, 3, 4});
  const Signal x = signal(1, 9, {1, 2, 3, 4, 5, 6, 7, 8, 9}), dy = signal(1, 1, {10});
  c.forward(x, true);
  Signal dx = signal(1, 9, std::vector<real>(9, 7));
  c.layer().backward_input(x, c.tape[0], dy, dx, {});
  EXPECT_EQ(values(dx), (std::vector<real>{10, 20, 0, 30, 40, 0, 0, 0, 0}));
}

TEST(GroupedConv2d, RefusesGroupsThatDoNotDivideItsChannels) {
  EXPECT_THROW(Alone(grouped_conv2d(4, 2, 1, 0, 2), {4, 4, 3}), Error);
  EXPECT_THROW(Alone(grouped_conv2d(3, 2, 1, 0, 2), {4, 4, 4}), Error);
  EXPECT_THROW(Alone(grouped_conv2d(3, 2, 1, 0, 0), {4, 4, 3}), Error);
}

TEST(Pooling, TakesMaximaAndMeansPerChannel) {
  const auto image = [] { return signal(1, 8, {1, -1, 2, -2, 3, -3, 4, -4}); };  // 2x2x2
  Alone max(max_pool(2, 2), {2, 2, 2}), avg(avg_pool(2, 2), {2, 2, 2});
  EXPECT_EQ(values(max.forward(image(), true)), (std::vector<real>{4, -1}));
  EXPECT_EQ(values(avg.forward(image(), true)), (std::vector<real>{2.5f, -2.5f}));
}

TEST(Pooling, TakesTheMeanOfAWholeImage) {
  Alone all(global_avg_pool(), {1, 3, 2});
  EXPECT_EQ(values(all.forward(signal(1, 6, {1, -1, 2, -2, 6, -9}), true)),
            (std::vector<real>{3, -4}));
}

TEST(Dropout, DropsTheAskedShareAndKeepsTheMean) {
  Alone d(dropout(0.3), {1, 1, 20000});
  const auto y = values(d.forward(signal(1, 20000, std::vector<real>(20000, 1)), true));
  const auto dropped = static_cast<double>(std::count(y.begin(), y.end(), real{0}));
  EXPECT_NEAR(dropped / 20000, 0.3, 0.012);  // 4 standard deviations
  EXPECT_NEAR(static_cast<double>(std::accumulate(y.begin(), y.end(), real{0})) / 20000, 1, 0.02);
}

TEST(Dropout, IsTheIdentityInEvaluation) {
  Alone d(dropout(0.5), {1, 1, 3});
  EXPECT_EQ(values(d.forward(signal(1, 3, {1, 2, 3}), false)), (std::vector<real>{1, 2, 3}));
}

TEST(Dropout, DropsTheSameUnitsWithAndWithoutAnActiveSet) {
  Alone d(dropout(0.5), {1, 1, 50});
  Signal dense = signal(2, 50, std::vector<real>(100, 1)), sparse = dense;
  sparse.active.begin();
  for (int row = 0; row < 2; ++row) {
    for (int i = 0; i < 50; ++i)
      sparse.active.push(i);
    sparse.active.end_row();
  }
  const auto expected = values(d.forward(dense, true));
  EXPECT_EQ(values(d.forward(sparse, true)), expected);
}

TEST(BatchNorm, NormalisesEachChannelAndRemembersUnbiasedStatistics) {
  Alone b(batch_norm({.momentum = 0.1, .epsilon = 0}), {1, 1, 2});
  const auto y = values(b.forward(signal(2, 2, {1, 10, 3, 30}), true));
  EXPECT_NEAR(static_cast<double>(y[0]), -1, 1e-6);
  EXPECT_NEAR(static_cast<double>(y[3]), 1, 1e-6);
  EXPECT_FLOAT_EQ(static_cast<float>(b.net.params().state(0).data[0]), 0.2f);  // 0.1 * mean 2
  EXPECT_FLOAT_EQ(static_cast<float>(b.net.params().state(1).data[0]), 0.9f + 0.1f * 2);
}

TEST(MultiHead, ReadsEveryExampleWithTheHeadOfItsTask) {
  Network net({1, 1, 1}, stack(multi_head(2, 1, false)), Rng(1));
  fill(net.params().value(0), {2}), fill(net.params().value(1), {0});
  fill(net.params().value(2), {5}), fill(net.params().value(3), {1});
  Tape tape;
  const std::vector<int> tasks{0, 1, 0};
  net.evaluate(signal(3, 1, {1, 1, 3}), tape, {.tasks = tasks});
  EXPECT_EQ(values(tape[0].out), (std::vector<real>{2, 6, 6}));
}

TEST(MultiHead, FreezesTheHeadsOfTasksThatAreNotTrained) {
  Network net({1, 1, 2}, stack(multi_head(3, 2, false)), Rng(1));
  const std::vector<int> now{1};
  net.begin_experience(now);
  EXPECT_FALSE(net.params().param(0).trainable);
  EXPECT_TRUE(net.params().param(2).trainable);
  EXPECT_FALSE(net.params().param(4).trainable);
}

TEST(SparseWeights, HaveExactlyTheSameCountForEveryOutput) {
  for (const double density : {0.1, 0.5, 0.99}) {
    Alone l(dense_linear(30, {.density = density}), {1, 1, 75});
    const Param& p = l.net.params().param(0);
    const CMat w = std::as_const(l.net.params()).value(0);
    for (int o = 0; o < 30; ++o) {
      int kept = 0, nonzero = 0;
      for (int i = 0; i < 75; ++i) {
        kept += p.mask[static_cast<std::size_t>(i * 30 + o)], nonzero += w.row(i)[o] != 0;
      }
      EXPECT_EQ(kept, std::lround(std::nearbyint((1 - (1 - density)) * 75)));
      EXPECT_EQ(nonzero, kept);
    }
  }
}

TEST(SparseWeights, GiveTheSameOutputsWhereverTheyAreStored) {
  const Batch batch = random_batch(5, 72, 3);
  for (const bool image : {false, true}) {
    std::vector<std::vector<real>> outputs;
    for (const auto storage : {WeightStorage::Dense, WeightStorage::Sparse}) {
      const Synapses s{.density = 0.2, .storage = storage};
      const ImageShape in = image ? ImageShape{6, 6, 2} : ImageShape{1, 1, 72};
      Network net(in, image ? stack(conv2d(7, 3, 2, 1, s)) : stack(linear(40, s)), Rng(3));
      Tape tape;
      net.evaluate(batch.x, tape, {});
      outputs.push_back(values(tape[0].out));
    }
    for (std::size_t i = 0; i < outputs[0].size(); ++i)
      ASSERT_NEAR(static_cast<double>(outputs[0][i]), static_cast<double>(outputs[1][i]), 1e-5);
  }
}

TEST(SparseWeights, RoundTheCountThatTheyAreToldTo) {
  EXPECT_EQ(kept_per_row(0.5, 25, MaskRounding::Zeros), 13);
  EXPECT_EQ(kept_per_row(0.5, 25, MaskRounding::NonZeros), 12);
  EXPECT_EQ(kept_per_row(0.5, 75, MaskRounding::Zeros), 37);
  EXPECT_EQ(kept_per_row(0.5, 75, MaskRounding::NonZeros), 38);
  EXPECT_EQ(kept_per_row(0.1, 784, MaskRounding::Zeros), 78);
  EXPECT_EQ(kept_per_row(0.99, 1600, MaskRounding::NonZeros), 1584);
  EXPECT_EQ(kept_per_row(0.99, 75, MaskRounding::NonZeros), 74);
  EXPECT_EQ(kept_per_row(0.1, 73728, MaskRounding::NonZeros), 7373);
}

TEST(SparseWeights, RefuseADensityThatLeavesNothing) {
  EXPECT_THROW(Alone(linear(3, {.density = 0.01}), {1, 1, 20}), Error);
}

TEST(ActiveSets, GiveTheSameOutputsAndGradientsAsDenseProductsAtAFractionOfTheCost) {
  KWinnersOptions k;
  k.percent_on = 0.012, k.boost_strength = 1;
  const auto build = [&](bool hide) {
    std::vector<LayerPtr> l;
    const auto next = [&](LayerPtr p) { l.push_back(std::move(p)); };
    const auto maybe = [&] { next(hide ? std::make_unique<Opaque>() : flatten()); };
    next(linear(500)), maybe(), next(k_winners(k)), maybe(), next(linear(400)), maybe();
    next(k_winners(k)), maybe(), next(linear(10));
    return std::make_unique<Network>(ImageShape{1, 1, 60}, std::move(l), Rng(8));
  };
  auto sparse = build(false), dense = build(true);
  const auto rule = make_backprop({}, {});
  const Batch batch = random_batch(16, 60, 10);
  const BatchStats a = rule->learn(*sparse, batch, {true, Rng(1), {}}, {});
  const BatchStats b = rule->learn(*dense, batch, {true, Rng(1), {}}, {});
  EXPECT_NEAR(a.loss, b.loss, 1e-6);
  for (std::size_t i = 0; i < sparse->params().grads().size(); ++i)
    ASSERT_NEAR(static_cast<double>(sparse->params().grads()[i]),
                static_cast<double>(dense->params().grads()[i]), 1e-5);
  EXPECT_EQ(a.macs.dense, b.macs.dense);
  EXPECT_LT(a.macs.executed, 0.45 * b.macs.executed);
  EXPECT_EQ(b.macs.executed, b.macs.dense);
}

TEST(Network, DescribesItsLayersAndNamesTheirParameters) {
  ModelOptions o;
  o.hidden_units = 6, o.sparsify = true, o.percent_on_fc = 0.5;
  const auto net = build_model(o, {2, 2, 1}, {1, 3}, Rng(1));
  EXPECT_NE(net->describe().find("k-winners 3 of 6"), std::string::npos) << net->describe();
  EXPECT_GE(net->params().find("linear2.bias"), 0);
}

}  // namespace
}  // namespace engram
