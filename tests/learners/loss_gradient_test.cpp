// Every loss against central differences, in double precision.
#include <gtest/gtest.h>

#include "learners/loss.h"
#include "tests/models/harness.h"

namespace engram {
namespace {

enum class Targets { Labels, Goals };
void expect_derivatives(const LossOptions& loss, int outputs, bool masked,
                        Targets targets = Targets::Labels) {
  static_assert(std::is_same_v<real, double>);
  Batch batch = testing::random_batch(5, outputs, std::max(outputs, 2));
  if (targets == Targets::Goals) {
    batch.goal = testing::random_batch(5, outputs, 2, 1, 77).x;
    for (real& x : batch.goal.value().all())
      x *= 2;  // both sides of Huber's corner
    batch.target.clear();
  }
  std::vector<std::uint8_t> mask(static_cast<std::size_t>(outputs), 1);
  mask[0] = 0;
  if (masked) {
    for (int& t : batch.target)
      t = std::max(t, 1);
    batch.mask = {mask, {}, mask, {}, mask};
  }
  Signal error, ignored;
  output_error(loss, batch.x, batch, error);
  constexpr double kStep = 1e-5;
  for (int b = 0; b < batch.rows(); ++b)
    for (int c = 0; c < outputs; ++c) {
      real& z = batch.x.value().row(b)[c];
      const real at = z;
      z = at + kStep;
      const double above = output_error(loss, batch.x, batch, ignored).loss;
      z = at - kStep;
      const double below = output_error(loss, batch.x, batch, ignored).loss;
      z = at;
      EXPECT_NEAR(error.value().row(b)[c], (above - below) / (2 * kStep), 1e-8)
          << name_of(loss.loss) << " " << loss.power << " of " << outputs << " outputs, row " << b
          << " output " << c;
    }
}

TEST(LossGradient, IsTheDerivativeOfTheMeanLoss) {
  for (const Loss loss : {Loss::CrossEntropy, Loss::Bce, Loss::Mse})
    for (const bool masked : {false, true})
      expect_derivatives(loss, 4, masked);
}

LossOptions power(double m, double gain) {
  LossOptions loss = Loss::Power;
  loss.power = m, loss.gain = gain;
  return loss;
}
LossOptions signed_mse() {
  LossOptions loss = Loss::Mse;
  loss.mse_target = MseTarget::Signed;
  return loss;
}

TEST(LossGradient, OfPowersOfTheDistanceAndOfSignedTargets) {
  for (const bool masked : {false, true}) {
    for (const LossOptions& loss :
         {power(6, 1), power(6, 0.01), power(2, 0.5), power(2.5, 1), power(3.3, 2), power(1, 1)})
      expect_derivatives(loss, 4, masked);
    expect_derivatives(signed_mse(), 4, masked);
  }
  expect_derivatives(power(6, 1), 1, false);
  expect_derivatives(signed_mse(), 1, false);
}

TEST(LossGradient, OfGoalsAndOfHubersLoss) {
  for (const bool masked : {false, true})
    for (const LossOptions& loss : {LossOptions(Loss::Mse), LossOptions(Loss::Huber)})
      for (const int outputs : {1, 4})
        if (outputs > 1 || !masked) {
          expect_derivatives(loss, outputs, masked, Targets::Goals);
          expect_derivatives(loss, outputs, masked);
        }
}

/// One output of a row takes part, as when values of actions are learnt: its gradient is the
/// clipped distance over the rows of the batch.
TEST(LossGradient, HuberOfOneOutputIsTheClippedDistance) {
  Batch batch;
  batch.x = testing::signal(2, 3, {5, 0.25, 1, 7, -2, 4});
  batch.goal = testing::signal(2, 3, {0, 1, 0, 3, 0, 0});
  const std::vector<std::uint8_t> second{0, 1, 0}, first{1, 0, 0};
  batch.mask = {second, first};
  Signal error;
  const BatchStats stats = output_error(Loss::Huber, batch.x, batch, error);
  EXPECT_NEAR(stats.loss, (0.75 * 0.75 / 2 + (4 - 0.5)) / 2, 1e-12);
  EXPECT_EQ(stats.correct, 0);
  const double expected[] = {0, -0.75 / 2, 0, 0.5, 0, 0};
  for (std::size_t i = 0; i < 6; ++i)
    EXPECT_NEAR(error.value().all()[i], expected[i], 1e-12) << i;
}

TEST(LossGradient, OfASingleOutputToo) {
  expect_derivatives(Loss::Bce, 1, false);
  expect_derivatives(Loss::Mse, 1, false);
}

}  // namespace
}  // namespace engram
