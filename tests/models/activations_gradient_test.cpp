// The backward passes of activations, normalisation and padding against central differences, alone
// and in whole models, in double precision.
#include <gtest/gtest.h>

#include "models/registry.h"
#include "tests/models/differences.h"
#include "tests/models/harness.h"

namespace engram {
namespace {

using testing::random_batch;
using testing::stack;

static_assert(sizeof(real) == 8, "gradients are checked in double precision");
constexpr double kTolerance = 1e-7;

double worst_error(Network& net, bool training = true) {
  const Batch batch = random_batch(7, net.in().size(), net.outputs());
  return testing::gradient_error(net, batch, {training, Rng(77), batch.task});
}
double worst_error(ImageShape in, std::vector<LayerPtr> layers, bool training = true) {
  Network net(in, std::move(layers), Rng(11));
  return worst_error(net, training);
}

TEST(ActivationGradient, OfPowerRelu) {
  for (const double n : {1.0, 1.4, 2.0, 3.0, 4.5})
    EXPECT_LT(worst_error({1, 1, 5}, stack(linear(9), power_relu(n), linear(3))), kTolerance) << n;
  EXPECT_LT(worst_error({1, 1, 5}, stack(linear(9), power_relu(0.7), linear(3))), 1e-5);
}
TEST(ActivationGradient, OfPowerReluWithFewActiveUnits) {
  for (const double n : {1.4, 4.5}) {
    Network net({1, 1, 5}, stack(linear(40), power_relu(n), dropout(0.4), linear(3)), Rng(11));
    const Mat bias = net.params().value(1);
    std::fill_n(bias.data, bias.size(), real{-0.6});
    Tape tape;
    net.evaluate(random_batch(7, 5, 3).x, tape, {});
    EXPECT_TRUE(tape[1].out.active.known());
    EXPECT_LT(worst_error(net), kTolerance) << n;
  }
}
TEST(ActivationGradient, OfTriangleOnRowsAndImages) {
  for (const double n : {1.0, 1.4, 2.0}) {
    EXPECT_LT(worst_error({1, 1, 5}, stack(linear(9), triangle(n), linear(3))), kTolerance) << n;
    EXPECT_LT(worst_error({4, 4, 2}, stack(conv2d(6, 2, 1, 0), triangle(n), linear(3))), kTolerance)
        << n;
  }
  EXPECT_LT(worst_error({4, 4, 2}, stack(conv2d(6, 2, 1, 0), triangle(0.7), linear(3))), 1e-5);
}
TEST(ActivationGradient, OfSoftmaxOnRowsAndImages) {
  for (const double gain : {1.0, 6.0}) {
    EXPECT_LT(worst_error({1, 1, 5}, stack(linear(9), softmax_activation(gain), linear(3))),
              kTolerance);
    EXPECT_LT(
        worst_error({4, 4, 2}, stack(conv2d(6, 2, 1, 0), softmax_activation(gain), linear(3))),
        kTolerance);
  }
}
TEST(ActivationGradient, OfTanhWithAndWithoutAList) {
  KWinnersOptions few;
  few.percent_on = 0.1;
  EXPECT_LT(worst_error({1, 1, 5}, stack(linear(9), tanh_activation(1.7), linear(3))), kTolerance);
  EXPECT_LT(
      worst_error({1, 1, 5}, stack(linear(60), k_winners(few), tanh_activation(1.7), linear(3))),
      kTolerance);
}
TEST(ActivationGradient, OfUnitNormWithAndWithoutAList) {
  KWinnersOptions few;
  few.percent_on = 0.1;
  EXPECT_LT(worst_error({1, 1, 5}, stack(linear(9), unit_norm(), linear(3))), kTolerance);
  EXPECT_LT(worst_error({1, 1, 5}, stack(linear(60), k_winners(few), unit_norm(), linear(3))),
            kTolerance);
}
TEST(ActivationGradient, OfReflectionPadding) {
  EXPECT_LT(worst_error({5, 4, 2},
                        stack(conv2d(3, 2, 1, 0), reflect_pad(2), conv2d(2, 3, 2, 0), linear(3))),
            kTolerance);
}
TEST(ActivationGradient, OfPoolingWithPadding) {
  for (const int side : {6, 7}) {
    EXPECT_LT(worst_error({side, 7, 2}, stack(conv2d(3, 2, 1, 0), max_pool(4, 2, 1), linear(3))),
              kTolerance);
    EXPECT_LT(worst_error({side, 7, 2}, stack(conv2d(3, 2, 1, 0), avg_pool(3, 2, 1), linear(3))),
              kTolerance);
  }
}
TEST(ActivationGradient, OfBatchNormWithoutScaleAndShift) {
  for (const bool training : {true, false})
    EXPECT_LT(
        worst_error({5, 5, 2}, stack(conv2d(3, 2, 1, 0), batch_norm({.affine = false}), linear(3)),
                    training),
        kTolerance);
}

TEST(ActivationGradient, OfAnMlpAndACnnWithEachActivation) {
  for (const std::string model : {"mlp", "cnn"})
    for (const Activation activation : {Activation::Relu, Activation::Power, Activation::Triangle,
                                        Activation::Softmax, Activation::Tanh}) {
      ModelOptions o;
      o.model = model, o.activation = activation, o.activation_gain = 1.5;
      o.activation_power = activation == Activation::Triangle ? 1.4 : 4.5;
      o.unit_input = true, o.hidden_bias = o.head_bias = false, o.hidden = {12}, o.dropout = 0.25;
      o.conv_channels = {4}, o.conv_kernel = 3, o.pool = Pool::Max;
      // Wide enough for powers of what a unit sees of a unit-norm input.
      o.init = WeightInit::Normal, o.head_init_range = 0.5;
      const auto net = build_model(o, {6, 6, 1}, {1, 4}, Rng(4));
      EXPECT_LT(worst_error(*net), 1e-6) << model << " " << name_of(activation);
    }
}

TEST(ActivationGradient, OfTheNetworkOfSoftHebb) {
  ModelOptions o = default_options("softhebb_cnn");
  o.model = "softhebb_cnn", o.conv_channels = {6, 7, 8}, o.init_scale = 1;
  const auto net = build_model(o, {12, 12, 2}, {1, 4}, Rng(4));
  EXPECT_LT(worst_error(*net), 1e-5);
}

}  // namespace
}  // namespace engram
