// EM step by step against Armadillo's own, arma::gmm_full, from the same clusters. Samples fill all
// dimensions, where both floors are idle.
#include <armadillo>

#include <gtest/gtest.h>

#include "utils/gaussian_mixture.h"

namespace engram {
namespace {

TEST(GaussianMixtureArmadillo, GoesTheSameWay) {
  const std::size_t n = 900, d = 7;
  const int components = 4;
  xt::xtensor<double, 2> samples({n, d});
  Rng rng(1);
  for (std::size_t i = 0; i < n; ++i) {
    const double common = rng.normal();
    for (std::size_t j = 0; j < d; ++j)
      samples(i, j) = static_cast<double>(j + 1) * (rng.normal() + 0.7 * common) +
                      2.5 * static_cast<double>((i % 3) * (j % 2));
  }
  const arma::mat x(samples.data(), d, n);
  const auto fit = [&](int iterations) {
    return fit_mixture(
        samples, {.components = components, .iterations = iterations, .floor = 1e-13}, Rng(3));
  };

  const GaussianMixture start = fit(0);
  for (const int iterations : {1, 2, 10, 25}) {
    SCOPED_TRACE(iterations);
    arma::gmm_full other;
    other.set_params(arma::mat(start.means.data(), d, components),
                     arma::cube(start.covariances.data(), d, d, components),
                     arma::rowvec(start.weights));
    ASSERT_TRUE(other.learn(x, components, arma::eucl_dist, arma::keep_existing, 0,
                            static_cast<arma::uword>(iterations), 1e-13, false));
    const GaussianMixture mine = fit(iterations);
    for (std::size_t k = 0; k < components; ++k) {
      EXPECT_NEAR(mine.weights[k], other.hefts[k], 1e-8);
      for (std::size_t a = 0; a < d; ++a) {
        EXPECT_NEAR(mine.means(k, a), other.means(a, k), 1e-6);
        for (std::size_t b = 0; b < d; ++b)
          EXPECT_NEAR(mine.covariances(k, a, b), other.fcovs(a, b, k), 1e-5);
      }
    }
    EXPECT_NEAR(mean_log_likelihood(mine, samples), other.avg_log_p(x), 1e-9);
  }
  EXPECT_GT(mean_log_likelihood(fit(25), samples), mean_log_likelihood(start, samples) + 0.01);
}

}  // namespace
}  // namespace engram
