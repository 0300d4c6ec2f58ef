// Mixtures of Gaussians with full covariances: fitted to a cloud of points by EM, then drawn from,
// for instance to replay features instead of data. The algebra is Armadillo's over OpenBLAS, whose
// bits depend on the core that OpenBLAS picks; they do not depend on the number of threads.
#pragma once

#include <vector>

#include <xtensor/xtensor.hpp>

#include "utils/rng.h"

namespace engram {

/// Weighted Gaussians with full covariances.
struct GaussianMixture {
  std::vector<double> weights;         ///< [K], sum 1; 0 for a component that no sample needs
  xt::xtensor<double, 2> means;        ///< [K, d]
  xt::xtensor<double, 3> covariances;  ///< [K, d, d], symmetric, positive definite
  int components() const { return static_cast<int>(weights.size()); }
  int dimensions() const { return static_cast<int>(means.shape(1)); }
};

struct MixtureOptions {
  int components = 10;
  int iterations = 100;  ///< of EM, at most: it ends when the log-likelihood settles
  double floor = 1e-6;   ///< added to each variance, relative to that of all samples there
};

/// Expectation maximisation (Dempster, Laird & Rubin 1977) from the clusters of ten rounds of
/// k-means, started by greedy k-means++ (Arthur & Vassilvitskii 2007) drawn from `rng`. One start,
/// so the optimum is a local one: of 1000 streams 5 missed one of three Gaussians that lie apart.
/// samples [n, d]. Inside, every dimension has mean 0 and, by a power of two, a deviation about 1,
/// so that units hardly matter to clusters and floor; the way back is exact but for adding the
/// mean. A dimension without spread keeps its unit: its variance becomes `floor`. The same samples,
/// options and stream give the same bits.
/// Error(Config) for options out of range and fewer samples than components, Error(Numerical) for
/// samples that are not finite and when rounding leaves a covariance that is not positive definite.
GaussianMixture fit_mixture(const xt::xtensor<double, 2>& samples, const MixtureOptions& options,
                            Rng rng);

/// n draws [n, d]: a component by weight, then mean + chol(covariance + jitter I) eps with standard
/// normal eps. `components`, unless null, receives which component each row is from.
/// Error(Numerical) when a covariance is not positive definite even with the jitter.
xt::xtensor<double, 2> draw(const GaussianMixture& mixture, int n, Rng rng,
                            std::vector<int>* components = nullptr, double jitter = 1e-4);

/// Natural logarithm of the density at samples [n, d], averaged over them; n >= 1.
/// Error(Numerical) when a covariance is not positive definite.
double mean_log_likelihood(const GaussianMixture& mixture, const xt::xtensor<double, 2>& samples);

}  // namespace engram
