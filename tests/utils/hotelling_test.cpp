// Hotelling's two-sample test against its definition, with inverses and distributions that are
// known in closed form.
#include "utils/hotelling.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "utils/error.h"
#include "utils/rng.h"

namespace engram {
namespace {

using Samples = xt::xtensor<double, 2>;

/// Normal samples of two dimensions that depend on each other, about (shift, 0).
Samples pairs(std::size_t n, double shift, std::uint64_t seed) {
  Samples x({n, 2});
  Rng rng(seed);
  for (std::size_t i = 0; i < n; ++i) {
    const double a = rng.normal(), b = rng.normal();
    x(i, 0) = shift + 2 * a, x(i, 1) = a + 0.5 * b;
  }
  return x;
}

/// T^2 of two dimensions by the inverse of a 2 x 2 matrix.
double t_squared(const Samples& x, const Samples& y) {
  double mx[2] = {}, my[2] = {}, s[2][2] = {};
  const auto n1 = static_cast<double>(x.shape(0)), n2 = static_cast<double>(y.shape(0));
  for (std::size_t k = 0; k < 2; ++k) {
    for (std::size_t i = 0; i < x.shape(0); ++i)
      mx[k] += x(i, k) / n1;
    for (std::size_t i = 0; i < y.shape(0); ++i)
      my[k] += y(i, k) / n2;
  }
  for (std::size_t k = 0; k < 2; ++k)
    for (std::size_t l = 0; l < 2; ++l) {
      for (std::size_t i = 0; i < x.shape(0); ++i)
        s[k][l] += (x(i, k) - mx[k]) * (x(i, l) - mx[l]);
      for (std::size_t i = 0; i < y.shape(0); ++i)
        s[k][l] += (y(i, k) - my[k]) * (y(i, l) - my[l]);
      s[k][l] /= n1 + n2 - 2;
    }
  const double determinant = s[0][0] * s[1][1] - s[0][1] * s[1][0];
  const double d0 = mx[0] - my[0], d1 = mx[1] - my[1];
  const double norm =
      (d0 * d0 * s[1][1] - d0 * d1 * (s[0][1] + s[1][0]) + d1 * d1 * s[0][0]) / determinant;
  return n1 * n2 / (n1 + n2) * norm;
}

/// P(F < f) for F(2, m).
double below(double f, double m) {
  return 1 - std::pow(1 + 2 * f / m, -m / 2);
}

TEST(Hotelling, FollowsItsDefinition) {
  for (const double shift : {0., 0.3, 1.}) {
    const Samples x = pairs(23, 0, 1), y = pairs(40, shift, 2);
    const double f = (63. - 3) / (2 * 61.) * t_squared(x, y);
    EXPECT_NEAR(hotelling_quantile(x, y), below(f, 60), 1e-10) << shift;
    EXPECT_NEAR(hotelling_quantile(y, x), below(f, 60), 1e-10) << shift;
  }
}

/// The same with a third dimension added.
Samples widened(const Samples& x, double (*third)(double, double)) {
  Samples wide({x.shape(0), 3});
  for (std::size_t i = 0; i < x.shape(0); ++i)
    wide(i, 0) = x(i, 0), wide(i, 1) = x(i, 1), wide(i, 2) = third(x(i, 0), x(i, 1));
  return wide;
}

TEST(Hotelling, CountsDimensionsThatDoNotVaryAndUsesThePseudoInverse) {
  const Samples x = pairs(23, 0, 1), y = pairs(40, 1.5, 2);
  // Nothing, and a copy of a dimension: neither changes T^2, but both count.
  const double f = (63. - 4) / (3 * 61.) * t_squared(x, y);
  const double constant = hotelling_quantile(widened(x, [](double, double) { return 7.; }),
                                             widened(y, [](double, double) { return 7.; }));
  const double copied = hotelling_quantile(widened(x, [](double a, double) { return a; }),
                                           widened(y, [](double a, double) { return a; }));
  EXPECT_NEAR(constant, copied, 1e-7);
  // Of F(3, 59) by numerical integration of its density.
  double area = 0;
  constexpr int kSteps = 400'000;
  const double c =
      std::exp(std::lgamma(31.) - std::lgamma(1.5) - std::lgamma(29.5)) * std::pow(3 / 59., 1.5);
  for (int i = 0; i < kSteps; ++i) {
    const double at = f * (i + 0.5) / kSteps;
    area += c * std::sqrt(at) * std::pow(1 + 3 * at / 59, -31.) * f / kSteps;
  }
  EXPECT_NEAR(constant, area, 1e-5);
  EXPECT_GT(constant, 0.5);
  EXPECT_LT(constant, hotelling_quantile(x, y));
}

TEST(Hotelling, IsUniformWhereTheMeansAreEqual) {
  int low = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed)
    low += hotelling_quantile(pairs(12, 0, 2 * seed), pairs(15, 0, 2 * seed + 1)) < 0.3;
  EXPECT_NEAR(low, 120, 37);  // four standard deviations
}

TEST(Hotelling, SamplesTooSmallForATestAreAlike) {
  const Samples x = pairs(2, 0, 1), y = pairs(1, 100, 2);
  EXPECT_EQ(hotelling_quantile(x, y), 0);
  EXPECT_GT(hotelling_quantile(x, pairs(2, 100, 2)), 0);
}

TEST(Hotelling, ValuesThatAreNotFiniteAreAnError) {
  Samples x = pairs(5, 0, 1);
  x(2, 1) = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(hotelling_quantile(x, pairs(5, 0, 2)), Error);
}

}  // namespace
}  // namespace engram
