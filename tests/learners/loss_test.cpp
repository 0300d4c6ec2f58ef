#include "learners/loss.h"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/models/harness.h"

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

}  // namespace
}  // namespace engram
