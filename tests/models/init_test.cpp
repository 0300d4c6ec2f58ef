// How weights start: the laws of models/init.h in the layers that draw from them.
#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "tests/models/harness.h"

namespace engram {
namespace {

using testing::Alone;

/// The weights of a layer that is alone, and how far they spread.
struct Drawn {
  Drawn(LayerPtr layer, ImageShape in) : net(in, testing::stack(std::move(layer)), Rng(3)) {
    double sum = 0, squares = 0;
    for (const real w : std::as_const(net.params()).value(0).all()) {
      const auto x = static_cast<double>(w);
      count += x != 0, sum += x, squares += x * x, largest = std::max(largest, std::abs(x));
    }
    mean = sum / count, deviation = std::sqrt(squares / count);
  }
  CMat bias() const { return net.params().value(1); }
  Network net;
  double count = 0, mean = 0, deviation = 0, largest = 0;  ///< of the weights that exist
};

void expect_law(const Drawn& d, double deviation, double bound) {
  EXPECT_NEAR(d.mean, 0, 4 * deviation / std::sqrt(d.count));
  EXPECT_NEAR(d.deviation / deviation, 1,
              4 / std::sqrt(2 * d.count));  // of normal ones; the widest
  EXPECT_LE(d.largest, bound * (1 + 1e-6));
  if (std::isfinite(bound)) {
    EXPECT_GT(d.largest, 0.99 * bound);
  } else {
    EXPECT_GT(d.largest, 3 * deviation);
  }
}

constexpr double kEndless = std::numeric_limits<double>::infinity();

TEST(WeightInit, FollowsItsLawInALinearLayer) {
  const auto layer = [](WeightInit init) {
    return Drawn(linear(300, {.init = init}), {1, 1, 100});
  };
  expect_law(layer(WeightInit::Torch), std::sqrt(1 / 300.), 0.1);
  expect_law(layer(WeightInit::Glorot), std::sqrt(2 / 400.), std::sqrt(6 / 400.));
  expect_law(layer(WeightInit::He), std::sqrt(2 / 100.), kEndless);
  expect_law(layer(WeightInit::HeUniform), std::sqrt(2 / 100.), std::sqrt(6 / 100.));
  EXPECT_NEAR(layer(WeightInit::Orthogonal).deviation, std::sqrt(1 / 300.), 1e-6);
}

TEST(WeightInit, OfActiveFansSpreadsAsIfAllInputsWereActiveAndConnected) {
  const Drawn d(linear(300, {.density = 0.5, .init = WeightInit::ActiveFan, .init_scale = 3}),
                {1, 1, 100});
  expect_law(d, 0.3 / std::sqrt(3), 0.3);
  EXPECT_EQ(d.count, 300 * 50);
  double largest = 0;  // biases are not scaled
  for (const real b : d.bias().all())
    largest = std::max(largest, static_cast<double>(std::abs(b)));
  EXPECT_NEAR(largest, 0.0975, 0.0026);
}

TEST(WeightInit, FollowsItsLawWithAScale) {
  const auto layer = [](WeightInit init, double scale) {
    return Drawn(linear(300, {.init = init, .init_scale = scale}), {1, 1, 100});
  };
  expect_law(layer(WeightInit::Uniform, 0.1), 0.1 / std::sqrt(3), 0.1);
  expect_law(layer(WeightInit::Normal, 0.01), 0.01, kEndless);
  expect_law(layer(WeightInit::NormalFan, 25), 2.5, kEndless);
  const Drawn positive = layer(WeightInit::Uniform01, 0.25);
  double lowest = 1;
  for (const real w : std::as_const(positive.net.params()).value(0).all())
    lowest = std::min(lowest, static_cast<double>(w));
  EXPECT_GE(lowest, 0);
  EXPECT_LT(lowest, 0.001);
  EXPECT_NEAR(positive.mean, 0.125, 4 * 0.25 / std::sqrt(12 * positive.count));
  EXPECT_NEAR(positive.deviation, 0.25 / std::sqrt(3), 0.002);  // about 0
  EXPECT_LE(positive.largest, 0.25);
}

TEST(WeightInit, CountsThePlacesOfAKernelInBothDirections) {
  const Synapses glorot{.init = WeightInit::Glorot}, he{.init = WeightInit::HeUniform};
  Synapses sparse = glorot;
  sparse.density = 0.5, sparse.storage = WeightStorage::Sparse;
  // 5x5 kernels, 20 channels below and 40 above.
  const double glorot_bound = std::sqrt(6. / (25 * 20 + 25 * 40));
  const ImageShape in{9, 9, 20};
  expect_law(Drawn(dense_conv2d(40, 5, 1, 0, glorot), in), glorot_bound / std::sqrt(3),
             glorot_bound);
  expect_law(Drawn(sparse_conv2d(40, 5, 1, 0, sparse), in), glorot_bound / std::sqrt(3),
             glorot_bound);
  const double he_bound = std::sqrt(6. / (25 * 20));
  expect_law(Drawn(dense_conv2d(40, 5, 1, 0, he), in), he_bound / std::sqrt(3), he_bound);
  // In four groups a unit reads 5 channels and one channel reaches 10.
  const double grouped_bound = std::sqrt(6. / (25 * 5 + 25 * 10));
  expect_law(Drawn(grouped_conv2d(40, 5, 1, 0, 4, glorot), in), grouped_bound / std::sqrt(3),
             grouped_bound);
}

TEST(WeightInit, SaysHowFarItsLawsSpread) {
  const Fans fans{12, 50, 108};
  const auto law = [&](WeightInit kind) {
    return std::pair{init_deviation(kind, fans), init_bound(kind, fans)};
  };
  const auto expect = [](std::pair<double, double> got, double deviation, double bound) {
    EXPECT_DOUBLE_EQ(got.first, deviation);
    EXPECT_DOUBLE_EQ(got.second, bound);
  };
  expect(law(WeightInit::Torch), 1 / std::sqrt(150), 1 / std::sqrt(50));
  expect(law(WeightInit::Glorot), std::sqrt(2. / 158), std::sqrt(6. / 158));
  expect(law(WeightInit::He), std::sqrt(2. / 50), kEndless);
  expect(law(WeightInit::HeUniform), std::sqrt(2. / 50), std::sqrt(6. / 50));
  expect(law(WeightInit::Orthogonal), 1 / std::sqrt(50), 1);
  const auto scaled = [&](WeightInit kind) {
    return std::pair{init_deviation(kind, fans, 3), init_bound(kind, fans, 3)};
  };
  expect(scaled(WeightInit::ActiveFan), 3 / std::sqrt(150), 3 / std::sqrt(50));
  expect(scaled(WeightInit::Uniform), std::sqrt(3), 3);
  expect(scaled(WeightInit::Uniform01), std::sqrt(3), 3);
  expect(scaled(WeightInit::Normal), 3, kEndless);
  expect(scaled(WeightInit::NormalFan), 3 / std::sqrt(50), kEndless);
}

TEST(WeightInit, LeavesBiasesAtZeroExceptForTorch) {
  for (const auto init : {WeightInit::Torch, WeightInit::Glorot, WeightInit::He,
                          WeightInit::HeUniform, WeightInit::Orthogonal, WeightInit::Uniform,
                          WeightInit::Uniform01, WeightInit::Normal, WeightInit::NormalFan}) {
    const Drawn d(linear(300, {.init = init}), {1, 1, 100});
    double largest = 0;
    for (const real b : d.bias().all())
      largest = std::max(largest, static_cast<double>(std::abs(b)));
    if (init == WeightInit::Torch) {
      EXPECT_NEAR(largest, 0.0975, 0.0026);  // 300 of U(-0.1, 0.1)
    } else {
      EXPECT_EQ(largest, 0) << name_of(init);
    }
  }
}

TEST(WeightInit, IsOrthonormalWhenOrthogonal) {
  Alone o(linear(4, {.init = WeightInit::Orthogonal}), {1, 1, 9});
  const CMat w = std::as_const(o.net.params()).value(0);
  for (int a = 0; a < 4; ++a)
    for (int b = 0; b < 4; ++b) {
      double product = 0;
      for (int i = 0; i < 9; ++i)
        product += static_cast<double>(w.row(i)[a] * w.row(i)[b]);
      EXPECT_NEAR(product, a == b, 1e-5);
    }
}

TEST(WeightInit, DependsOnTheSeedAlone) {
  Alone a(linear(5), {1, 1, 7}, 3), b(linear(5), {1, 1, 7}, 3), c(linear(5), {1, 1, 7}, 4);
  const auto all = [](Alone& l) {
    return std::vector<real>(l.net.params().values().begin(), l.net.params().values().end());
  };
  EXPECT_EQ(all(a), all(b));
  EXPECT_NE(all(a), all(c));
}

}  // namespace
}  // namespace engram
