// Every loss against central differences, in double precision.
#include <gtest/gtest.h>

#include "learners/loss.h"
#include "tests/models/harness.h"

namespace engram {
namespace {

void expect_derivatives(Loss loss, int outputs, bool masked) {
  static_assert(std::is_same_v<real, double>);
  Batch batch = testing::random_batch(5, outputs, std::max(outputs, 2));
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
          << name_of(loss) << " of " << outputs << " outputs, row " << b << " output " << c;
    }
}

TEST(LossGradient, IsTheDerivativeOfTheMeanLoss) {
  for (const Loss loss : {Loss::CrossEntropy, Loss::Bce, Loss::Mse})
    for (const bool masked : {false, true})
      expect_derivatives(loss, 4, masked);
}

TEST(LossGradient, OfASingleOutputToo) {
  expect_derivatives(Loss::Bce, 1, false);
  expect_derivatives(Loss::Mse, 1, false);
}

}  // namespace
}  // namespace engram
