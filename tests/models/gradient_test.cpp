// Every hand-written backward pass against central differences, in double precision. Built with
// the double-precision twins of the libraries.
#include <cmath>
#include <functional>
#include <tuple>

#include <gtest/gtest.h>

#include "learners/loss.h"
#include "learners/rules/rules.h"
#include "models/registry.h"
#include "tests/models/differences.h"
#include "tests/models/harness.h"

namespace engram {
namespace {

using testing::random_batch;
using testing::stack;

static_assert(sizeof(real) == 8, "gradients are checked in double precision");

double worst_error(Network& net, const Batch& batch, bool training) {
  return testing::gradient_error(net, batch, {training, Rng(77), batch.task});
}

double worst_error(ImageShape in, std::vector<LayerPtr> layers, bool training = true,
                   int tasks = 1) {
  Network net(in, std::move(layers), Rng(11));
  const Batch batch = random_batch(7, in.size(), net.outputs(), tasks);
  return worst_error(net, batch, training);
}

constexpr double kTolerance = 1e-7;

TEST(Gradient, OfALinearLayer) {
  EXPECT_LT(worst_error({1, 1, 5}, stack(linear(4), linear(3))), kTolerance);
}
TEST(Gradient, OfRelu) {
  EXPECT_LT(worst_error({1, 1, 5}, stack(linear(9), relu(), linear(3))), kTolerance);
}
TEST(Gradient, OfDropoutInTrainingAndEvaluation) {
  EXPECT_LT(worst_error({1, 1, 5}, stack(linear(19), relu(), dropout(0.3), linear(3))), kTolerance);
  EXPECT_LT(worst_error({1, 1, 5}, stack(linear(19), dropout(0.3), linear(3)), false), kTolerance);
}
TEST(Gradient, OfDropoutBelowAndAboveLayersWithoutLists) {
  EXPECT_LT(worst_error({1, 1, 5}, stack(linear(19), dropout(0.3), linear(3))), kTolerance);
  EXPECT_LT(worst_error({1, 1, 5}, stack(dropout(0.3), linear(9), dropout(0.5), linear(3))),
            kTolerance);
}
TEST(Gradient, OfReluWithFewActiveUnits) {
  const auto sparse = [](auto... above) {
    Network net({1, 1, 5}, stack(linear(40), relu(), std::move(above)..., linear(3)), Rng(11));
    const Mat bias = net.params().value(1);
    std::fill_n(bias.data, bias.size(), real{-0.6});
    const Batch batch = random_batch(17, 5, 3);
    Tape tape;
    net.evaluate(batch.x, tape, {.training = true, .rng = Rng(77), .tasks = batch.task});
    EXPECT_TRUE(tape[1].out.active.known());
    return worst_error(net, batch, true);
  };
  EXPECT_LT(sparse(), kTolerance);
  EXPECT_LT(sparse(dropout(0.4)), kTolerance);
  EXPECT_LT(sparse(linear(30), relu(), dropout(0.4)), kTolerance);
}
TEST(Gradient, OfFlattenBetweenImageAndFeatures) {
  EXPECT_LT(worst_error({4, 4, 2}, stack(conv2d(3, 3, 1, 0), flatten(), linear(3))), kTolerance);
}
TEST(Gradient, OfConvolutionsWithStrideAndPadding) {
  EXPECT_LT(worst_error({6, 5, 2}, stack(conv2d(3, 3, 1, 0), conv2d(2, 2, 1, 0), linear(3))),
            kTolerance);
  EXPECT_LT(worst_error({7, 6, 1}, stack(conv2d(3, 3, 2, 1), conv2d(2, 3, 2, 2), linear(3))),
            kTolerance);
}
TEST(Gradient, OfConvolutionsByMinimalFiltering) {
  EXPECT_LT(worst_error({7, 8, 1}, stack(conv2d(8, 3, 1, 1), conv2d(9, 3, 1, 0), linear(2))),
            kTolerance);
  EXPECT_LT(worst_error({8, 7, 1}, stack(conv2d(8, 3, 1, 1), conv2d(8, 5, 1, 1), linear(2))),
            kTolerance);
}
TEST(Gradient, OfConvolutionsThatFollowActivity) {
  KWinnersOptions few;
  few.percent_on = 0.03, few.local = true, few.boost_strength = 1;
  // Few inputs and errors meet; then few errors meet all inputs.
  EXPECT_LT(worst_error({6, 6, 1}, stack(conv2d(40, 3, 1, 0), relu(), k_winners(few), dropout(0.3),
                                         conv2d(40, 2, 1, 0), relu(), k_winners(few), linear(2))),
            kTolerance);
  EXPECT_LT(worst_error({5, 5, 1},
                        stack(conv2d(8, 2, 1, 0), conv2d(40, 2, 1, 0), k_winners(few), linear(2))),
            kTolerance);
}
TEST(Gradient, OfGroupedConvolutions) {
  EXPECT_LT(worst_error({9, 8, 1}, stack(conv2d(4, 2, 1, 0), grouped_conv2d(4, 2, 2, 0, 4), relu(),
                                         grouped_conv2d(4, 3, 2, 1, 4), linear(3))),
            kTolerance);
  EXPECT_LT(worst_error({7, 6, 2}, stack(grouped_conv2d(6, 3, 2, 1, 2), relu(),
                                         grouped_conv2d(4, 2, 1, 0, 2), linear(3))),
            kTolerance);
}
TEST(Gradient, OfMaxPooling) {
  EXPECT_LT(worst_error({7, 7, 2}, stack(conv2d(3, 2, 1, 0), max_pool(2, 2), linear(3))),
            kTolerance);
  EXPECT_LT(worst_error({7, 7, 2}, stack(conv2d(3, 2, 1, 0), max_pool(3, 1), linear(3))),
            kTolerance);
}
TEST(Gradient, OfTheMeanOverAllPlaces) {
  EXPECT_LT(worst_error({7, 5, 2}, stack(conv2d(3, 2, 1, 0), global_avg_pool(), linear(3))),
            kTolerance);
}
TEST(Gradient, OfAveragePooling) {
  EXPECT_LT(worst_error({7, 7, 2}, stack(conv2d(3, 2, 1, 0), avg_pool(3, 2), linear(3))),
            kTolerance);
}
TEST(Gradient, OfBatchNormInTrainingAndEvaluation) {
  EXPECT_LT(worst_error({1, 1, 5}, stack(linear(6), batch_norm(), relu(), linear(3))), kTolerance);
  EXPECT_LT(worst_error({5, 5, 2}, stack(conv2d(3, 2, 1, 0), batch_norm(), relu(), linear(3))),
            kTolerance);
  EXPECT_LT(worst_error({1, 1, 5}, stack(linear(6), batch_norm(), linear(3)), false), kTolerance);
}

KWinnersOptions winners(double percent_on) {
  KWinnersOptions o;
  o.percent_on = percent_on, o.boost_strength = 1;
  return o;
}
TEST(Gradient, OfKWinnersFewAndMany) {
  EXPECT_LT(worst_error({1, 1, 5}, stack(linear(40), k_winners(winners(0.1)), linear(3))),
            kTolerance);
  EXPECT_LT(worst_error({1, 1, 5}, stack(linear(40), k_winners(winners(0.6)), linear(3))),
            kTolerance);
}
TEST(Gradient, OfKWinnersThroughDropoutAndASecondWinnerLayer) {
  EXPECT_LT(
      worst_error({1, 1, 5}, stack(linear(60), k_winners(winners(0.1)), dropout(0.4), linear(50),
                                   k_winners(winners(0.1)), dropout(0.4), linear(3))),
      kTolerance);
}
TEST(Gradient, OfKWinnersOnImagesPerPlaceAndPerImage) {
  KWinnersOptions local = winners(0.4);
  local.local = true;
  EXPECT_LT(worst_error({6, 6, 1}, stack(conv2d(5, 3, 1, 0), relu(), k_winners(local), linear(3))),
            kTolerance);
  EXPECT_LT(worst_error({6, 6, 1}, stack(conv2d(5, 3, 1, 0), k_winners(winners(0.2)), linear(3))),
            kTolerance);
}
TEST(Gradient, OfSparseStorage) {
  const Synapses some{.density = 0.3, .storage = WeightStorage::Sparse};
  EXPECT_LT(worst_error({1, 1, 20}, stack(linear(12, some), relu(), linear(9, some), linear(3))),
            kTolerance);
  for (const auto& [kernel, stride, pad] :
       {std::tuple{3, 1, 0}, std::tuple{2, 2, 1}, std::tuple{3, 2, 2}, std::tuple{4, 3, 1}})
    EXPECT_LT(worst_error({7, 6, 2}, stack(conv2d(4, kernel, stride, pad, some), relu(),
                                           conv2d(3, 2, 1, 0, some), linear(3))),
              kTolerance)
        << kernel << " " << stride << " " << pad;
}
TEST(Gradient, OfOneHeadPerTask) {
  EXPECT_LT(worst_error({1, 1, 5}, stack(linear(6), relu(), multi_head(3, 4, false)), true, 3),
            kTolerance);
}

TEST(Gradient, OfAMaskedCrossEntropyIsZeroOutsideTheMask) {
  Network net({1, 1, 4}, stack(linear(5)), Rng(2));
  Batch batch = random_batch(6, 4, 2);
  const std::vector<std::uint8_t> mask{1, 1, 0, 0, 1};
  for (int i = 0; i < 6; ++i)
    batch.mask.emplace_back(mask);
  EXPECT_LT(worst_error(net, batch, true), kTolerance);
  const CMat g = net.params().grad(0);
  for (int i = 0; i < g.rows; ++i)
    EXPECT_EQ(g.row(i)[2], 0);  // no error at output 2
}

TEST(Gradient, OfEveryModelOfTheTableDenseAndSparse) {
  for (const ModelEntry& entry : models()) {
    if (entry.name == "resnet56") continue;  // resnet20, deeper: too many kinks of relu are crossed
    if (entry.name == "pff" || entry.name == "ff") continue;  // no error goes down
    if (entry.name == "softhebb_cnn") continue;  // with three channels: activations_gradient_test
    for (const bool sparse : {false, true}) {
      ModelOptions o;
      o.model = std::string(entry.name);
      o.sparsify = sparse, o.dropout = 0.25, o.hidden_units = 30, o.hidden_layers = 2;
      o.percent_on_fc = 0.2, o.percent_on_conv = 0.5, o.weight_sparsity_fc = 0.5;
      o.weight_sparsity_conv = 0.7;
      o.conv_channels = {4, 3}, o.conv_kernel = 3, o.pool = sparse ? Pool::None : Pool::Max;
      o.batch_norm = !sparse;
      const auto net = build_model(o, {12, 12, 1}, {1, 4}, Rng(4));
      const Batch batch = random_batch(5, 144, 4);
      EXPECT_LT(worst_error(*net, batch, true), 1e-6)
          << entry.name << (sparse ? " sparse" : " dense");
    }
  }
}

TEST(Gradient, OfModelsWithDefaultsOfTheirOwnWithFewerUnits) {
  for (const auto& [name, side, channels] : {std::tuple{"simple_net", 19, std::vector{2, 3}},
                                             std::tuple{"lenet", 32, std::vector{2, 3, 4}},
                                             std::tuple{"lenet_cifar", 20, std::vector{2, 3, 4}}}) {
    ModelOptions o = default_options(name);
    o.model = name, o.conv_channels = channels, o.hidden_units = 5;
    const auto net = build_model(o, {side, side, 2}, {1, 4}, Rng(4));
    EXPECT_LT(worst_error(*net, random_batch(5, side * side * 2, 4), true), 1e-6) << name;
  }
}

}  // namespace
}  // namespace engram
