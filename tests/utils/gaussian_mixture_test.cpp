// Against samples whose distribution is known, against densities written out by hand, and
// (gaussian_mixture_armadillo_test.cpp) against Armadillo's own EM.
#include "utils/gaussian_mixture.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include <gtest/gtest.h>

#include "tests/utils/error_of.h"
#include "utils/parallel.h"
#include "utils/tensor.h"

namespace engram {
namespace {

using Samples = xt::xtensor<double, 2>;

/// Three separate anisotropic Gaussians in the plane.
GaussianMixture three() {
  return {{0.2, 0.3, 0.5},
          {{-20, 5}, {0, -10}, {25, 15}},
          {{{4, 1.5}, {1.5, 1}}, {{1, -2}, {-2, 9}}, {{16, 6}, {6, 4}}}};
}

/// log N(x; mean, covariance) in the plane, written out.
double log_density(const GaussianMixture& m, std::size_t k, double x, double y) {
  const double a = m.covariances(k, 0, 0), b = m.covariances(k, 0, 1), c = m.covariances(k, 1, 1);
  const double u = x - m.means(k, 0), v = y - m.means(k, 1), determinant = a * c - b * b;
  const double square = (c * u * u - 2 * b * u * v + a * v * v) / determinant;
  return -std::log(2 * std::numbers::pi) - std::log(determinant) / 2 - square / 2;
}

/// The component of `m` whose mean is nearest to that of component k of `to`.
std::size_t match(const GaussianMixture& m, const GaussianMixture& to, std::size_t k) {
  std::vector<double> distances;
  for (std::size_t i = 0; i < m.weights.size(); ++i)
    distances.push_back(std::hypot(m.means(i, 0) - to.means(k, 0), m.means(i, 1) - to.means(k, 1)));
  return static_cast<std::size_t>(std::min_element(distances.begin(), distances.end()) -
                                  distances.begin());
}

double sum(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

void expect_equal(const GaussianMixture& a, const GaussianMixture& b) {
  EXPECT_EQ(a.weights, b.weights);
  EXPECT_EQ(a.means, b.means);
  EXPECT_EQ(a.covariances, b.covariances);
}

/// Points that fill only `rank` directions of d, around one of four centres.
Samples flat_cloud(std::size_t n, std::size_t d, std::size_t rank, Rng rng) {
  Samples out({n, d});
  for (std::size_t i = 0; i < n; ++i) {
    std::vector<double> z(rank);
    for (double& value : z)
      value = rng.normal();
    z[0] += 8.0 * static_cast<double>(i % 4);
    for (std::size_t j = 0; j < d; ++j) {
      out(i, j) = 0;
      for (std::size_t r = 0; r < rank; ++r)
        out(i, j) += z[r] * std::cos(static_cast<double>(1 + j * (2 * r + 1)));
    }
  }
  return out;
}

TEST(GaussianMixture, FindsThreeSeparateGaussians) {
  const GaussianMixture truth = three();
  const int n = 6000;
  for (const std::uint64_t seed : {1, 2, 3, 4, 5}) {
    SCOPED_TRACE(seed);
    const Samples samples = draw(truth, n, Rng(seed).fork("samples"), nullptr, 0);
    const GaussianMixture found = fit_mixture(samples, {.components = 3}, Rng(seed).fork("fit"));
    ASSERT_EQ(found.components(), 3);
    ASSERT_EQ(found.dimensions(), 2);
    EXPECT_NEAR(sum(found.weights), 1, 1e-12);
    // Four standard errors of what that many samples of a component tell.
    for (std::size_t k = 0; k < 3; ++k) {
      const std::size_t i = match(found, truth, k);
      const double w = truth.weights[k], own = n * w;
      EXPECT_NEAR(found.weights[i], w, 4 * std::sqrt(w * (1 - w) / n));
      for (std::size_t a = 0; a < 2; ++a) {
        const double variance = truth.covariances(k, a, a);
        EXPECT_NEAR(found.means(i, a), truth.means(k, a), 4 * std::sqrt(variance / own));
        for (std::size_t b = 0; b < 2; ++b) {
          const double covariance = truth.covariances(k, a, b);
          const double error =
              std::sqrt((variance * truth.covariances(k, b, b) + covariance * covariance) / own);
          EXPECT_NEAR(found.covariances(i, a, b), covariance, 4 * error);
          EXPECT_EQ(found.covariances(i, a, b), found.covariances(i, b, a));
        }
      }
    }
  }
}

TEST(GaussianMixture, DrawsFollowWeightsMeansAndCovariances) {
  const GaussianMixture truth = three();
  const int n = 30'000;
  std::vector<int> from{7};  // what was in it does not stay
  const Samples samples = draw(truth, n, Rng(3), &from, 0);
  ASSERT_EQ(from.size(), static_cast<std::size_t>(n));
  double chi_square = 0;
  for (std::size_t k = 0; k < 3; ++k) {
    std::vector<std::size_t> own;
    for (std::size_t i = 0; i < from.size(); ++i)
      if (from[i] == static_cast<int>(k)) own.push_back(i);
    const auto count = static_cast<double>(own.size());
    const double expected = n * truth.weights[k];
    chi_square += (count - expected) * (count - expected) / expected;
    std::vector<double> mean{0, 0};
    for (const std::size_t i : own)
      mean[0] += samples(i, 0) / count, mean[1] += samples(i, 1) / count;
    for (std::size_t a = 0; a < 2; ++a) {
      const double variance = truth.covariances(k, a, a);
      EXPECT_NEAR(mean[a], truth.means(k, a), 4 * std::sqrt(variance / count));
      for (std::size_t b = 0; b < 2; ++b) {
        double product = 0;
        for (const std::size_t i : own)
          product += (samples(i, a) - mean[a]) * (samples(i, b) - mean[b]);
        const double covariance = truth.covariances(k, a, b);
        const double error =
            std::sqrt((variance * truth.covariances(k, b, b) + covariance * covariance) / count);
        EXPECT_NEAR(product / count, covariance, 4 * error);
      }
    }
  }
  EXPECT_LT(chi_square, 13.82) << "two degrees of freedom, p = 0.001";
}

TEST(GaussianMixture, DrawsNeverComeFromWeightlessComponents) {
  GaussianMixture mixture = three();
  mixture.weights = {0, 1, 0};
  mixture.covariances(2, 0, 0) = -1;  // not even looked at
  std::vector<int> from;
  draw(mixture, 1000, Rng(1), &from);
  EXPECT_EQ(from, std::vector<int>(1000, 1));
  EXPECT_EQ(draw(mixture, 0, Rng(1), &from).shape(0), 0u);
  EXPECT_TRUE(from.empty());
}

TEST(GaussianMixture, JitterAddsToEveryVariance) {
  const GaussianMixture point{{1}, {{3, 4}}, {{{0, 0}, {0, 0}}}};
  const int n = 20'000;
  for (const double jitter : {0.25, 1e-4}) {
    const Samples samples = draw(point, n, Rng(1), nullptr, jitter);
    double squares = 0;
    for (std::size_t i = 0; i < n; ++i)
      squares += std::pow(samples(i, 0) - 3, 2) + std::pow(samples(i, 1) - 4, 2);
    EXPECT_NEAR(squares / (2 * n), jitter, 4 * jitter / std::sqrt(n));
  }
  EXPECT_EQ(fault_of([&] { draw(point, 1, Rng(1), nullptr, 0); }, "component 0"), Fault::Numerical);
  EXPECT_EQ(fault_of(
                [&] {
                  mean_log_likelihood(point, {{3, 4}});
                },
                "positive definite"),
            Fault::Numerical);
}

TEST(GaussianMixture, LogLikelihoodIsTheFormula) {
  const GaussianMixture mixture = three();
  const Samples samples = draw(mixture, 50, Rng(9));
  double total = 0;
  for (std::size_t i = 0; i < 50; ++i) {
    double density = 0;
    for (std::size_t k = 0; k < 3; ++k)
      density +=
          mixture.weights[k] * std::exp(log_density(mixture, k, samples(i, 0), samples(i, 1)));
    total += std::log(density);
  }
  EXPECT_NEAR(mean_log_likelihood(mixture, samples), total / 50, 1e-12);
  // So far out that every density is 0 in a double, its logarithm is still the nearest one's.
  double nearest = -std::numeric_limits<double>::infinity();
  for (std::size_t k = 0; k < 3; ++k)
    nearest = std::max(nearest, std::log(mixture.weights[k]) + log_density(mixture, k, 900, -700));
  EXPECT_LT(nearest, -1000);
  EXPECT_NEAR(mean_log_likelihood(mixture, {{900, -700}}), nearest, 1e-9 * std::abs(nearest));
}

TEST(GaussianMixture, EveryIterationIsBetterThanTheClusters) {
  // Overlapping, and more components than there are, so that EM has something to do.
  GaussianMixture near = three();
  near.means *= 0.15;
  const Samples samples = draw(near, 1500, Rng(4));
  double last = -std::numeric_limits<double>::infinity();
  for (const int iterations : {0, 1, 2, 3, 5, 10, 30, 100, 300}) {
    const double now = mean_log_likelihood(
        fit_mixture(samples, {.components = 5, .iterations = iterations}, Rng(6)), samples);
    EXPECT_GE(now, last - 1e-9) << iterations;
    last = now;
  }
  const double clusters = mean_log_likelihood(
      fit_mixture(samples, {.components = 5, .iterations = 0}, Rng(6)), samples);
  EXPECT_GT(last, clusters + 0.02);
  EXPECT_GT(last, mean_log_likelihood(near, samples)) << "five fit these samples better than truth";
}

TEST(GaussianMixture, RepeatsToTheBitOnAnyNumberOfThreads) {
  const Samples samples = flat_cloud(700, 12, 12, Rng(1));
  const Samples before = samples;
  const auto fit = [&](std::uint64_t seed) {
    return fit_mixture(samples, {.components = 6, .iterations = 20}, Rng(seed));
  };
  const GaussianMixture one = fit(1);
  const Samples drawn = draw(one, 20, Rng(2));
  expect_equal(one, fit(1));
  EXPECT_NE(one.means, fit(2).means);
  set_threads(3);
  const GaussianMixture again = fit(1);
  EXPECT_EQ(mean_log_likelihood(one, samples), mean_log_likelihood(again, samples));
  set_threads(1);
  expect_equal(one, again);
  EXPECT_EQ(drawn, draw(again, 20, Rng(2)));
  EXPECT_EQ(samples, before);
}

TEST(GaussianMixture, UnitsDoNotMatter) {
  // Powers of two change no bit but the exponents'.
  const Samples samples = draw(three(), 800, Rng(4));
  Samples other = samples;
  const std::vector<double> unit{0x1p14, 0x1p-20};
  for (std::size_t i = 0; i < 800; ++i)
    for (std::size_t a = 0; a < 2; ++a)
      other(i, a) *= unit[a];
  const GaussianMixture plain = fit_mixture(samples, {.components = 4}, Rng(1));
  const GaussianMixture scaled = fit_mixture(other, {.components = 4}, Rng(1));
  EXPECT_EQ(plain.weights, scaled.weights);
  for (std::size_t k = 0; k < 4; ++k)
    for (std::size_t a = 0; a < 2; ++a) {
      EXPECT_EQ(plain.means(k, a) * unit[a], scaled.means(k, a));
      for (std::size_t b = 0; b < 2; ++b)
        EXPECT_EQ(plain.covariances(k, a, b) * unit[a] * unit[b], scaled.covariances(k, a, b));
    }
}

TEST(GaussianMixture, FarFromTheOriginIsAsGood) {
  const Samples samples = draw(three(), 2000, Rng(4));
  const Samples moved = samples + 1e6;
  const GaussianMixture here = fit_mixture(samples, {.components = 3}, Rng(1));
  const GaussianMixture there = fit_mixture(moved, {.components = 3}, Rng(1));
  for (std::size_t k = 0; k < 3; ++k) {
    EXPECT_NEAR(here.weights[k], there.weights[k], 1e-7);
    for (std::size_t a = 0; a < 2; ++a) {
      EXPECT_NEAR(here.means(k, a) + 1e6, there.means(k, a), 1e-6);
      EXPECT_NEAR(here.covariances(k, a, a), there.covariances(k, a, a), 1e-6);
    }
  }
}

TEST(GaussianMixture, StartsSpreadOut) {
  // Ten tight groups far apart: centres drawn evenly would nearly always miss some (10!/10^10 =
  // 0.04 % hit all).
  Samples samples({500, 2});
  Rng rng(8);
  for (std::size_t i = 0; i < 500; ++i) {
    const double angle = 2 * std::numbers::pi * static_cast<double>(i % 10) / 10;
    samples(i, 0) = 1000 * std::cos(angle) + 0.01 * rng.normal();
    samples(i, 1) = 1000 * std::sin(angle) + 0.01 * rng.normal();
  }
  for (const std::uint64_t seed : {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
    for (const double weight : fit_mixture(samples, {.iterations = 0}, Rng(seed)).weights)
      EXPECT_DOUBLE_EQ(weight, 0.1) << seed;
}

TEST(GaussianMixture, SamplesInOnePointAreAFloorWide) {
  const Samples samples = xt::ones<double>({8, 3}) * 0.1;
  for (const int components : {1, 3, 8}) {
    const GaussianMixture found = fit_mixture(samples, {.components = components}, Rng(1));
    EXPECT_DOUBLE_EQ(sum(found.weights), 1);
    const auto k = static_cast<std::size_t>(
        std::max_element(found.weights.begin(), found.weights.end()) - found.weights.begin());
    EXPECT_EQ(found.weights[k], 1) << "one is enough";
    for (std::size_t a = 0; a < 3; ++a)
      for (std::size_t b = 0; b < 3; ++b) {
        EXPECT_EQ(found.means(k, a), 0.1);
        EXPECT_EQ(found.covariances(k, a, b), a == b ? 1e-6 : 0);
      }
    const Samples drawn = draw(found, 100, Rng(1), nullptr, 0);
    EXPECT_LT(xt::amax(xt::abs(drawn - 0.1))(), 6e-3);
  }
}

TEST(GaussianMixture, FewDistinctPointsNeedFewComponents) {
  Samples samples({12, 2});
  for (std::size_t i = 0; i < 12; ++i)
    samples(i, 0) = i % 3 == 0 ? 1 : 0, samples(i, 1) = i % 3 == 1 ? 5 : 0;
  const GaussianMixture found = fit_mixture(samples, {.components = 6}, Rng(1));
  EXPECT_DOUBLE_EQ(sum(found.weights), 1);
  EXPECT_EQ(std::count(found.weights.begin(), found.weights.end(), 0.0), 3);
  EXPECT_EQ(std::count_if(found.weights.begin(), found.weights.end(),
                          [](double w) { return std::abs(w - 1.0 / 3) < 1e-12; }),
            3);
}

TEST(GaussianMixture, FlatCloudsAndFewSamplesAreFine) {
  struct Case {
    std::size_t n, d, rank;
  };
  for (const auto [n, d, rank] : {Case{400, 10, 2}, {40, 30, 30}, {40, 30, 3}, {5, 20, 20}}) {
    SCOPED_TRACE(::testing::PrintToString(std::vector{n, d, rank}));
    Samples samples = flat_cloud(n, d, rank, Rng(2));
    for (std::size_t i = 0; i < n; ++i)
      samples(i, d - 1) = 7, samples(i, 0) *= 1e4;
    const GaussianMixture found = fit_mixture(samples, {.components = 4}, Rng(1));
    EXPECT_NEAR(sum(found.weights), 1, 1e-12);
    EXPECT_TRUE(std::isfinite(mean_log_likelihood(found, samples)));
    const Samples drawn = draw(found, 500, Rng(1), nullptr, 0);
    EXPECT_LT(xt::amax(xt::abs(xt::view(drawn, xt::all(), d - 1) - 7))(), 6e-3);
    // Within 6 deviations of floor and mixture together, hardly beyond the samples.
    for (std::size_t j = 0; j < d; ++j) {
      const double least = xt::amin(xt::view(samples, xt::all(), j))();
      const double most = xt::amax(xt::view(samples, xt::all(), j))();
      const double room = most - least + 0.1;
      EXPECT_GT(xt::amin(xt::view(drawn, xt::all(), j))(), least - room);
      EXPECT_LT(xt::amax(xt::view(drawn, xt::all(), j))(), most + room);
    }
  }
}

TEST(GaussianMixture, AFlatCloudStaysFlat) {
  // Two directions of ten, three groups: what is drawn lies in the plane, but for the floor.
  const Samples samples = flat_cloud(600, 10, 2, Rng(2));
  const GaussianMixture found = fit_mixture(samples, {.components = 4, .floor = 1e-8}, Rng(1));
  const Samples drawn = draw(found, 200, Rng(5), nullptr, 0);
  // Coordinates in the plane from dimensions 0 and 1; the others must follow from them.
  const auto direction = [](std::size_t j, double r) {
    return std::cos(1 + static_cast<double>(j) * (2 * r + 1));
  };
  const double determinant = direction(0, 0) * direction(1, 1) - direction(0, 1) * direction(1, 0);
  double worst = 0;
  for (std::size_t i = 0; i < 200; ++i) {
    const double u = (drawn(i, 0) * direction(1, 1) - drawn(i, 1) * direction(0, 1)) / determinant;
    const double v = (drawn(i, 1) * direction(0, 0) - drawn(i, 0) * direction(1, 0)) / determinant;
    for (std::size_t j = 2; j < 10; ++j)
      worst = std::max(worst, std::abs(drawn(i, j) - u * direction(j, 0) - v * direction(j, 1)));
  }
  EXPECT_LT(worst, 0.02) << "deviations of 1e-4 of about 9, and errors in u and v";
  EXPECT_GT(worst, 1e-5) << "the floor is there";
}

TEST(GaussianMixture, OneDimensionAndOneComponentAreMeanAndVariance) {
  const Samples samples{{1}, {2}, {4}, {9}};
  const GaussianMixture found = fit_mixture(samples, {.components = 1, .floor = 1e-12}, Rng(1));
  EXPECT_EQ(found.weights, std::vector<double>{1});
  EXPECT_NEAR(found.means(0, 0), 4, 1e-12);
  EXPECT_NEAR(found.covariances(0, 0, 0), (9 + 4 + 0 + 25) / 4.0, 1e-9);
}

TEST(GaussianMixture, RefusesWhatCannotBe) {
  Samples samples = draw(three(), 9, Rng(1));
  const auto fit = [&](MixtureOptions options) {
    return [&samples, options] { fit_mixture(samples, options, Rng(1)); };
  };
  EXPECT_EQ(fault_of(fit({}), "10 components needs as many samples, not 9"), Fault::Config);
  EXPECT_NO_THROW(fit({.components = 9})());
  EXPECT_EQ(fault_of(fit({.components = 0}), "0 components"), Fault::Config);
  EXPECT_EQ(fault_of(fit({.components = 2, .iterations = -1}), "-1 iterations"), Fault::Config);
  for (const double floor : {0.0, -1.0, std::nan(""), std::numeric_limits<double>::infinity()})
    EXPECT_EQ(fault_of(fit({.components = 2, .floor = floor}), "floor"), Fault::Config) << floor;
  samples(4, 1) = std::nan("");
  EXPECT_EQ(fault_of(fit({.components = 2}), "sample 4 for a mixture is nan in dimension 1"),
            Fault::Numerical);
  samples(4, 1) = -std::numeric_limits<double>::infinity();
  EXPECT_EQ(fault_of(fit({.components = 2}), "is -inf in dimension 1"), Fault::Numerical);
  samples(4, 1) = 1e300;
  EXPECT_EQ(fault_of(fit({.components = 2}), "too far apart in dimension 1"), Fault::Numerical);
  samples = Samples({3, 0});
  EXPECT_EQ(fault_of(fit({.components = 2}), "no dimensions"), Fault::Config);
}

}  // namespace
}  // namespace engram
