// Whitening: what it does to the images that it was fitted to, by their covariance.
#include <gtest/gtest.h>

#include "tests/models/harness.h"

namespace engram {
namespace {

using testing::Alone;
using testing::random_batch;

constexpr int kPixels = 6, kImages = 400;

/// Correlated images with means of their own.
Signal images() {
  const Batch drawn = random_batch(kImages, kPixels, 2);
  Signal out;
  const Mat x = out.resize(kImages, kPixels);
  for (int b = 0; b < kImages; ++b)
    for (int i = 0; i < kPixels; ++i)
      x.row(b)[i] = static_cast<real>(i) + static_cast<real>(i + 1) * drawn.x.value().row(b)[i] +
                    2 * drawn.x.value().row(b)[0];
  return out;
}

/// [pixels, pixels]
std::vector<double> covariance(CMat x) {
  std::vector<double> mean(kPixels), c(kPixels * kPixels);
  for (int b = 0; b < x.rows; ++b)
    for (std::size_t i = 0; i < kPixels; ++i)
      mean[i] += static_cast<double>(x.row(b)[i]) / x.rows;
  for (int b = 0; b < x.rows; ++b)
    for (std::size_t i = 0; i < kPixels; ++i)
      for (std::size_t j = 0; j < kPixels; ++j)
        c[i * kPixels + j] += (static_cast<double>(x.row(b)[i]) - mean[i]) *
                              (static_cast<double>(x.row(b)[j]) - mean[j]) / (x.rows - 1);
  return c;
}

TEST(Whiten, LeavesUncorrelatedPixelsOfUnitVariance) {
  Signal x = images();
  Alone alone(whiten(1e-7), {1, 1, kPixels});
  alone.layer().fit(x.value());
  const auto c = covariance(alone.forward(x, true).value());
  for (std::size_t i = 0; i < kPixels; ++i)
    for (std::size_t j = 0; j < kPixels; ++j)
      EXPECT_NEAR(c[i * kPixels + j], i == j, 2e-3) << i << ", " << j;
}

TEST(Whiten, IsTheIdentityBeforeItHasSeenImages) {
  const Signal x = images();
  Alone alone(whiten(0.1), {1, 1, kPixels});
  const CMat y = alone.forward(x, true).value();
  for (std::size_t i = 0; i < y.size(); ++i)
    EXPECT_EQ(y.data[i], x.value().data[i]);
}

TEST(Whiten, TheMapIsSymmetricSoThatPixelsStayWhereTheyAre) {
  Signal x = images();
  Alone alone(whiten(0.01), {1, 1, kPixels});
  alone.layer().fit(x.value());
  Signal unit;
  const Mat m = unit.resize(kPixels, kPixels);
  std::fill_n(m.data, m.size(), real{0});
  for (int i = 0; i < kPixels; ++i)
    m.row(i)[i] = 1;
  Signal zero;
  const Mat none = zero.resize(1, kPixels);
  std::fill_n(none.data, kPixels, real{0});
  const std::vector<real> shift(alone.forward(zero, false).value().all().begin(),
                                alone.forward(zero, false).value().all().end());
  const CMat y = alone.forward(unit, false).value();
  for (int i = 0; i < kPixels; ++i)
    for (int j = 0; j < i; ++j)
      EXPECT_NEAR(y.row(i)[j] - shift[static_cast<std::size_t>(j)],
                  y.row(j)[i] - shift[static_cast<std::size_t>(i)], 1e-5);
}

}  // namespace
}  // namespace engram
