// Against clouds whose axes are known by construction, and against what makes axes principal.
#include "utils/principal_components.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "tests/utils/error_of.h"
#include "utils/rng.h"
#include "utils/tensor.h"

namespace engram {
namespace {

using Samples = xt::xtensor<double, 2>;

double dot(const Samples& a, std::size_t i, const Samples& b, std::size_t k) {
  double out = 0;
  for (std::size_t j = 0; j < a.shape(1); ++j)
    out += a(i, j) * b(k, j);
  return out;
}

Samples normals(std::size_t n, std::size_t d, std::uint64_t seed) {
  Samples out({n, d});
  Rng rng(seed);
  for (double& value : out)
    value = rng.normal();
  return out;
}

TEST(PrincipalComponents, OfACrossAreItsArms) {
  // Along (0.6, 0.8) at distance 5 and along (0.8, -0.6) at distance 1, around (10, 20): the
  // variances are 50 / 3 and 2 / 3.
  const Samples samples{{13, 24}, {7, 16}, {10.8, 19.4}, {9.2, 20.6}};
  const Projection found = principal_components(samples, 2);
  EXPECT_NEAR(found.mean[0], 10, 1e-12);
  EXPECT_NEAR(found.mean[1], 20, 1e-12);
  const Samples axes{{0.6, 0.8}, {0.8, -0.6}};
  const Samples coordinates{{5, 0}, {-5, 0}, {0, 1}, {0, -1}};
  EXPECT_LT(xt::amax(xt::abs(found.axes - axes))(), 1e-12);
  EXPECT_LT(xt::amax(xt::abs(found.project(samples) - coordinates))(), 1e-12);
  EXPECT_NEAR(found.explained[0], 25.0 / 26, 1e-12);
  EXPECT_NEAR(found.explained[1], 1.0 / 26, 1e-12);
}

TEST(PrincipalComponents, FindKnownDirectionsInNoise) {
  // Spread 6 along (1, 1, 1, 1) / 2 and 3 along (1, -1, 1, -1) / 2 over a noise of 1.
  const std::size_t n = 20'000;
  Samples samples = normals(n, 4, 1);
  Rng rng(2);
  for (std::size_t i = 0; i < n; ++i) {
    const double a = std::sqrt(35.0) * rng.normal(), b = std::sqrt(8.0) * rng.normal();
    for (std::size_t j = 0; j < 4; ++j)
      samples(i, j) += a / 2 + (j % 2 == 0 ? b : -b) / 2;
  }
  const Projection found = principal_components(samples, 2);
  EXPECT_NEAR(found.explained[0], 36.0 / 47, 0.01);
  EXPECT_NEAR(found.explained[1], 9.0 / 47, 0.01);
  const Samples expected{{0.5, 0.5, 0.5, 0.5}, {0.5, -0.5, 0.5, -0.5}};
  EXPECT_GT(dot(found.axes, 0, expected, 0), 0.999);
  // Which entry of the second is largest, and so its sign, is up to the noise.
  EXPECT_GT(std::abs(dot(found.axes, 1, expected, 1)), 0.999);
}

TEST(PrincipalComponents, AreOrthonormalUncorrelatedAndComplete) {
  const std::size_t n = 300, d = 9;
  Samples samples = normals(n, d, 3);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < d; ++j)
      samples(i, j) = 1e4 + static_cast<double>(j + 1) * samples(i, j) + samples(i, (j + 1) % d);
  const Projection found = principal_components(samples, static_cast<int>(d));
  const Samples coordinates = found.project(samples);
  double total = 0, explained = 0;
  for (std::size_t j = 0; j < d; ++j)
    for (std::size_t i = 0; i < n; ++i)
      total += std::pow(samples(i, j) - found.mean[j], 2);
  for (std::size_t a = 0; a < d; ++a) {
    for (std::size_t b = 0; b < d; ++b) {
      EXPECT_NEAR(dot(found.axes, a, found.axes, b), a == b, 1e-12);
      double product = 0;
      for (std::size_t i = 0; i < n; ++i)
        product += coordinates(i, a) * coordinates(i, b);
      EXPECT_NEAR(product / total, a == b ? found.explained[a] : 0, 1e-12);
    }
    explained += found.explained[a];
    if (a > 0) {
      EXPECT_LE(found.explained[a], found.explained[a - 1]);
    }
    const auto row = xt::row(found.axes, static_cast<std::ptrdiff_t>(a));
    EXPECT_EQ(xt::amax(row)(), xt::amax(xt::abs(row))()) << "the largest entry is positive";
  }
  EXPECT_NEAR(explained, 1, 1e-12);
  for (std::size_t i = 0; i < n; ++i)  // all axes together give the samples back
    for (std::size_t j = 0; j < d; ++j) {
      double back = found.mean[j];
      for (std::size_t a = 0; a < d; ++a)
        back += coordinates(i, a) * found.axes(a, j);
      ASSERT_NEAR(back, samples(i, j), 1e-9);
    }
}

TEST(PrincipalComponents, FewerAxesAreTheFirstOfAll) {
  const Samples samples = normals(50, 6, 4), other = normals(7, 6, 5);
  const Projection all = principal_components(samples, 6), two = principal_components(samples, 2);
  EXPECT_EQ(two.axes, xt::view(all.axes, xt::range(0, 2), xt::all()));
  EXPECT_EQ(two.explained, std::vector(all.explained.begin(), all.explained.begin() + 2));
  const Samples projected = two.project(other);
  ASSERT_EQ(projected.shape(0), 7u);
  ASSERT_EQ(projected.shape(1), 2u);
  for (std::size_t i = 0; i < 7; ++i)
    for (std::size_t a = 0; a < 2; ++a) {
      double by_hand = 0;
      for (std::size_t j = 0; j < 6; ++j)
        by_hand += (other(i, j) - two.mean[j]) * two.axes(a, j);
      EXPECT_NEAR(projected(i, a), by_hand, 1e-12);
    }
}

TEST(PrincipalComponents, RepeatAndDoNotFlip) {
  const Samples samples = normals(40, 5, 6);
  const Projection found = principal_components(samples, 5);
  EXPECT_EQ(found.axes, principal_components(samples, 5).axes);
  const Samples mirrored = -samples;
  EXPECT_LT(xt::amax(xt::abs(found.axes - principal_components(mirrored, 5).axes))(), 1e-12);
  // Two entries of one size: rounding must not choose between them.
  const Samples diagonal{{1, -1, 0}, {-1, 1, 0}, {3, -3, 0.1}, {-3, 3, -0.1}};
  EXPECT_NEAR(principal_components(diagonal, 1).axes(0, 0), std::sqrt(0.5), 1e-2);
}

TEST(PrincipalComponents, WithoutSpreadExplainNothing) {
  const Samples samples = xt::ones<double>({5, 3}) * 2.0;
  const Projection found = principal_components(samples, 3);
  EXPECT_EQ(found.explained, (std::vector<double>{0, 0, 0}));
  EXPECT_EQ(xt::amax(xt::abs(found.project(samples)))(), 0);
  EXPECT_NEAR(dot(found.axes, 0, found.axes, 0), 1, 1e-12);
}

TEST(PrincipalComponents, MoreDimensionsThanSamplesAreFine) {
  const Samples samples = normals(4, 30, 7);
  const Projection found = principal_components(samples, 5);
  EXPECT_NEAR(found.explained[0] + found.explained[1] + found.explained[2], 1, 1e-12);
  EXPECT_NEAR(found.explained[3], 0, 1e-12);
  EXPECT_GE(found.explained[3], 0);
}

TEST(PrincipalComponents, RefuseWhatCannotBe) {
  Samples samples = normals(4, 3, 8);
  const auto find = [&](int count) {
    return [&samples, count] { principal_components(samples, count); };
  };
  EXPECT_EQ(fault_of(find(4), "4 principal components of 4 samples with 3 dimensions"),
            Fault::Config);
  EXPECT_EQ(fault_of(find(0), "0 principal"), Fault::Config);
  EXPECT_EQ(fault_of(find(-1), "-1 principal"), Fault::Config);
  for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity(), 1e300}) {
    samples(1, 2) = bad;
    EXPECT_EQ(fault_of(find(2), "not finite or too large"), Fault::Numerical) << bad;
  }
  samples = normals(1, 3, 8);
  EXPECT_EQ(fault_of(find(1), "two samples"), Fault::Config);
}

}  // namespace
}  // namespace engram
