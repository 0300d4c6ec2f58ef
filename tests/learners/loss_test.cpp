#include "learners/loss.h"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/models/harness.h"
#include "utils/error.h"

namespace engram {
namespace {

TEST(CrossEntropy, AveragesOverRowsAndCountsHitsUnderTheMask) {
  const Signal logits = testing::signal(2, 3, {0, 1, 5, 2, 0, 0});
  Batch batch;
  batch.x.resize(2, 1);
  batch.target = {1, 0};
  const std::vector<std::uint8_t> mask{1, 1, 0};
  batch.mask = {mask, {}};
  Signal error;
  const BatchStats stats = cross_entropy(logits, batch, error);
  const double first = std::log(1 + std::exp(-1.0)), second = std::log(1 + 2 * std::exp(-2.0));
  EXPECT_NEAR(stats.loss, (first + second) / 2, 1e-6);
  EXPECT_EQ(stats.correct, 2);
  EXPECT_EQ(error.value().row(0)[2], 0);
  EXPECT_NEAR(static_cast<double>(error.value().row(0)[0]), 0.5 / (1 + std::exp(1.0)), 1e-6);
}

TEST(CrossEntropy, UnderAClipPullsOnlyWhereTheProbabilityIsWithinIt) {
  // Probabilities of the target: 0.5, about 1e-4, about 1 - 1e-4, and two just inside a clip of
  // 1e-3.
  const auto odds = [](double p) { return static_cast<real>(std::log(p / (1 - p))); };
  const std::vector<double> p{0.5, 1e-4, 1 - 1e-4, 1.1e-3, 1 - 1.1e-3};
  std::vector<real> z;
  for (const double one : p)
    z.insert(z.end(), {odds(one), 0});
  const Signal logits = testing::signal(5, 2, z);
  Batch batch;
  batch.x.resize(5, 1);
  batch.target = {0, 0, 0, 0, 0};
  LossOptions loss;
  EXPECT_EQ(loss.clip, 0);
  Signal all, cut;
  const BatchStats before = output_error(loss, logits, batch, all);
  loss.clip = 1e-3;
  const BatchStats after = output_error(loss, logits, batch, cut);
  EXPECT_EQ(before.loss, after.loss);
  for (int b = 0; b < 5; ++b) {
    const double one = p[static_cast<std::size_t>(b)];
    EXPECT_NEAR(static_cast<double>(all.value().row(b)[0]), (one - 1) / 5, 1e-6) << b;
    const bool inside = b != 1 && b != 2;
    EXPECT_EQ(cut.value().row(b)[0], inside ? all.value().row(b)[0] : 0) << b;
    EXPECT_EQ(cut.value().row(b)[1], inside ? all.value().row(b)[1] : 0) << b;
  }
}

double sigmoid(double z) {
  return 1 / (1 + std::exp(-z));
}

/// Two rows of three outputs; the second row's first output is shut off.
struct Masked {
  Masked() {
    batch.x.resize(2, 1);
    batch.target = {2, 1};
    batch.mask = {{}, mask};
  }
  std::vector<std::uint8_t> mask{0, 1, 1};
  Signal logits = testing::signal(2, 3, {1, -2, 3, 9, .5, -1});
  Batch batch;
  Signal error;
};

TEST(Bce, IsTheMeanOverRowsAndAllowedOutputs) {
  Masked m;
  const BatchStats stats = output_error(Loss::Bce, m.logits, m.batch, m.error);
  const double first =
      -(std::log(1 - sigmoid(1)) + std::log(1 - sigmoid(-2)) + std::log(sigmoid(3))) / 3;
  const double second = -(std::log(sigmoid(.5)) + std::log(1 - sigmoid(-1))) / 2;
  EXPECT_NEAR(stats.loss, (first + second) / 2, 1e-6);
  EXPECT_EQ(stats.correct, 2);  // 9 is the largest, but not allowed
  EXPECT_NEAR(static_cast<double>(m.error.value().row(0)[2]), (sigmoid(3) - 1) / 3 / 2, 1e-6);
  EXPECT_NEAR(static_cast<double>(m.error.value().row(1)[2]), sigmoid(-1) / 2 / 2, 1e-6);
  EXPECT_EQ(m.error.value().row(1)[0], 0);
}

TEST(Mse, IsTheMeanOverRowsAndAllowedOutputs) {
  Masked m;
  const BatchStats stats = output_error(Loss::Mse, m.logits, m.batch, m.error);
  EXPECT_NEAR(stats.loss, ((1. + 4 + 4) / 3 + (.25 + 1) / 2) / 2, 1e-6);
  EXPECT_NEAR(static_cast<double>(m.error.value().row(0)[1]), 2. * -2 / 3 / 2, 1e-6);
  EXPECT_NEAR(static_cast<double>(m.error.value().row(1)[1]), 2 * (.5 - 1) / 2 / 2, 1e-6);
  EXPECT_EQ(m.error.value().row(1)[0], 0);
}

TEST(Mse, OfSignedTargetsIsTheDeltaRule) {
  Masked m;
  LossOptions loss = Loss::Mse;
  loss.mse_target = MseTarget::Signed;
  const BatchStats stats = output_error(loss, m.logits, m.batch, m.error);
  EXPECT_NEAR(stats.loss, ((4. + 1 + 4) / 3 + (.25 + 0) / 2) / 2, 1e-6);
  EXPECT_NEAR(static_cast<double>(m.error.value().row(0)[0]), 2. * (1 + 1) / 3 / 2, 1e-6);
  EXPECT_NEAR(static_cast<double>(m.error.value().row(0)[2]), 2. * (3 - 1) / 3 / 2, 1e-6);
  EXPECT_EQ(m.error.value().row(1)[0], 0);
}

TEST(PowerLoss, IsTheMeanOverRowsOfSumsOverAllowedOutputs) {
  Masked m;
  LossOptions loss = Loss::Power;
  EXPECT_EQ(loss.power, 6);
  EXPECT_EQ(loss.gain, 1);
  loss.gain = 0.5;
  const BatchStats stats = output_error(loss, m.logits, m.batch, m.error);
  const auto part = [](double z, int t) { return std::pow(std::abs(std::tanh(z / 2) - t), 6); };
  EXPECT_NEAR(stats.loss,
              (part(1, -1) + part(-2, -1) + part(3, 1) + part(.5, 1) + part(-1, -1)) / 2, 1e-5);
  EXPECT_EQ(stats.correct, 2);
  const double c = std::tanh(.5 / 2);
  EXPECT_NEAR(static_cast<double>(m.error.value().row(1)[1]),
              -6 * std::pow(1 - c, 5) * .5 * (1 - c * c) / 2, 1e-6);
  EXPECT_EQ(m.error.value().row(1)[0], 0);
}

TEST(Bce, OfLargeLogitsIsExactAndFinite) {
  Batch batch;
  batch.x.resize(4, 1);
  batch.target = {0, 1, 0, 1};
  Signal error;
  const auto logits = testing::signal(4, 1, {500, 500, -500, -500});
  const BatchStats stats = output_error(Loss::Bce, logits, batch, error);
  EXPECT_NEAR(stats.loss, (500. + 0 + 0 + 500) / 4, 1e-9);
  EXPECT_EQ(stats.correct, 2);
  EXPECT_EQ(error.value().row(0)[0], real{1} / 4);
  EXPECT_EQ(error.value().row(3)[0], -real{1} / 4);
  EXPECT_NEAR(static_cast<double>(error.value().row(1)[0]), 0, 1e-9);
}

TEST(SingleOutput, HasItsTargetItself) {
  Batch batch;
  batch.x.resize(4, 1);
  batch.target = {1, 1, 0, 0};
  Signal error;
  const auto logits = testing::signal(4, 1, {.3, -.3, .3, 0});
  BatchStats stats = output_error(Loss::Mse, logits, batch, error);
  EXPECT_NEAR(stats.loss, (.49 + 1.69 + .09) / 4, 1e-6);
  EXPECT_EQ(stats.correct, 2);  // 0 is not above 0: class 0
  EXPECT_NEAR(static_cast<double>(error.value().row(1)[0]), 2 * -1.3 / 4, 1e-6);
  EXPECT_EQ(output_error(Loss::Bce, logits, batch, error).correct, 2);
  EXPECT_THROW(output_error(Loss::CrossEntropy, logits, batch, error), Error);
}

}  // namespace
}  // namespace engram
