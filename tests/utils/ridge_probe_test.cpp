// The closed form against the normal equations of the other space, and what it must classify.
#include "utils/ridge_probe.h"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/utils/error_of.h"
#include "utils/rng.h"

namespace engram {
namespace {

using Samples = xt::xtensor<double, 2>;

Samples random_samples(std::size_t n, std::size_t d, std::uint64_t seed) {
  Samples x({n, d});
  Rng rng(seed);
  for (double& v : x)
    v = rng.normal();
  return x;
}
std::vector<std::int32_t> cycling_labels(std::size_t n, int classes) {
  std::vector<std::int32_t> labels;
  for (std::size_t i = 0; i < n; ++i)
    labels.push_back(static_cast<std::int32_t>(i) % classes);
  return labels;
}

/// The gradient of sum |W x + b - y|² + lambda |W|² vanishes at the solution, whatever made it.
TEST(RidgeProbe, IsWhereTheGradientOfItsLossVanishes) {
  for (const auto& [n, d] : {std::pair<std::size_t, std::size_t>{12, 5}, {7, 20}}) {
    constexpr int kClasses = 3;
    constexpr double kStrength = 0.05;
    Samples x = random_samples(n, d, 3);
    const auto labels = cycling_labels(n, kClasses);
    const RidgeProbe probe(x, labels, kStrength);

    double trace = 0;
    for (std::size_t j = 0; j < d; ++j) {
      double mean = 0;
      for (std::size_t i = 0; i < n; ++i)
        mean += x(i, j) / static_cast<double>(n);
      for (std::size_t i = 0; i < n; ++i)
        trace += (x(i, j) - mean) * (x(i, j) - mean);
    }
    const double lambda = kStrength * trace / static_cast<double>(n);
    // The map itself, from outputs for unit vectors: W e_j + b less W 0 + b.
    Samples units({d + 1, d}, 0.0);
    for (std::size_t j = 0; j < d; ++j)
      units(j, j) = 1;
    const Samples answers = probe.scores(units), outputs = probe.scores(x);
    for (std::size_t c = 0; c < kClasses; ++c) {
      double by_intercept = 0;
      for (std::size_t i = 0; i < n; ++i)
        by_intercept += outputs(i, c) - (labels[i] == static_cast<int>(c));
      EXPECT_NEAR(by_intercept, 0, 1e-10);
      for (std::size_t j = 0; j < d; ++j) {
        double gradient = lambda * (answers(j, c) - answers(d, c));
        for (std::size_t i = 0; i < n; ++i)
          gradient += (outputs(i, c) - (labels[i] == static_cast<int>(c))) * x(i, j);
        EXPECT_NEAR(gradient, 0, 1e-9) << n << " " << c << " " << j;
      }
    }
  }
}

TEST(RidgeProbe, TellsApartWhatALineTellsApart) {
  const auto shifted = [](std::uint64_t seed) {
    Samples x = random_samples(200, 30, seed);
    for (std::size_t i = 0; i < 200; ++i)
      x(i, i % 2) += 6;
    return x;
  };
  const auto labels = cycling_labels(200, 2);
  EXPECT_GT(RidgeProbe(shifted(1), labels, 0.01).accuracy(shifted(2), labels), 0.97);
  const double chance = RidgeProbe(random_samples(200, 30, 1), labels, 0.01)
                            .accuracy(random_samples(200, 30, 2), labels);
  EXPECT_NEAR(chance, 0.5, 0.15);
}

TEST(RidgeProbe, GuessesTheMostFrequentClassWhereAllSamplesAreTheSame) {
  const Samples same({5, 3}, 0.25);
  const std::vector<std::int32_t> labels{1, 1, 1, 0, 2};
  const RidgeProbe probe(same, labels, 0.01);
  EXPECT_DOUBLE_EQ(probe.accuracy(same, labels), 0.6);
  EXPECT_TRUE(std::isnan(probe.accuracy(Samples({0, 3}), {})));
}

TEST(RidgeProbe, RefusesWhatItCannotSolve) {
  const std::vector<std::int32_t> labels{0, 1};
  Samples x({2, 2}, 1.0);
  EXPECT_SAYS(error_of([&] { RidgeProbe(x, labels, 0); }), "a strength above 0");
  x(1, 1) = NAN;
  EXPECT_SAYS(error_of([&] { RidgeProbe(x, labels, 1); }, Fault::Numerical), "not finite");
}

}  // namespace
}  // namespace engram
