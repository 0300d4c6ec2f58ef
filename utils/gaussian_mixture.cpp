// EM is written here, over Armadillo's decompositions, because its own arma::gmm_full floors only
// the diagonal of a covariance: where samples have fewer degrees of freedom than dimensions (units
// that are never on, few samples a component) it leaves covariances that are singular, or does not
// move at all. Here the floor is on every direction.
#include "utils/gaussian_mixture.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "utils/arma_columns.h"
#include "utils/error.h"
#include "utils/parallel.h"

namespace engram {
namespace {

constexpr int kClusterRounds = 10;
/// EM ends when an iteration adds less than this to the mean log-likelihood.
constexpr double kSettled = 1e-7;
/// A component that answers for less of a sample than this is not needed.
constexpr double kNothing = 1e-10;

using Samples = xt::xtensor<double, 2>;

/// Of a mixture's own memory, so that what is assigned to it lands there.
arma::mat means_of(GaussianMixture& mixture) {
  return arma::mat(mixture.means.data(), mixture.means.shape(1), mixture.means.shape(0), false,
                   true);
}
arma::mat covariance_of(GaussianMixture& mixture, arma::uword k) {
  const arma::uword d = mixture.covariances.shape(1);
  return arma::mat(mixture.covariances.data() + k * d * d, d, d, false, true);
}
arma::vec mean_of(const GaussianMixture& mixture, arma::uword k) {
  const arma::uword d = mixture.means.shape(1);
  return arma::vec(mixture.means.data() + k * d, d);
}

/// Lower triangular L with L L' = covariance + jitter I.
arma::mat root_of(const GaussianMixture& mixture, arma::uword k, double jitter) {
  const arma::uword d = mixture.covariances.shape(1);
  arma::mat covariance(mixture.covariances.data() + k * d * d, d, d), root;
  covariance.diag() += jitter;
  if (!arma::chol(root, covariance, "lower"))
    throw Error(Fault::Numerical,
                fmt::format("the covariance of component {} of a mixture is not positive definite; "
                            "a larger floor or jitter helps",
                            k));
  return root;
}

void check(const Samples& samples, const MixtureOptions& options) {
  if (options.components < 1 || options.iterations < 0 || !(options.floor > 0) ||
      !std::isfinite(options.floor))
    throw Error(Fault::Config, fmt::format("a mixture of {} components, {} iterations and floor {}:"
                                           " must be at least 1, at least 0 and positive",
                                           options.components, options.iterations, options.floor));
  const std::size_t n = samples.shape(0), d = samples.shape(1);
  if (n < static_cast<std::size_t>(options.components))
    throw Error(Fault::Config, fmt::format("a mixture of {} components needs as many samples, not "
                                           "{}; lower the number of components",
                                           options.components, n));
  if (d < 1) throw Error(Fault::Config, "samples for a mixture have no dimensions");
  for (std::size_t i = 0; i < n * d; ++i)
    if (!std::isfinite(samples.data()[i]))
      throw Error(Fault::Numerical,
                  fmt::format("sample {} for a mixture is {} in dimension {}; what came before it "
                              "diverged, a lower learning rate may help",
                              i / d, samples.data()[i], i % d));
}

/// Where samples lie and how far they spread, per dimension.
struct Scale {
  arma::vec shift, unit;  ///< [d]; units are powers of two
};

Scale scale_of(const arma::mat& x) {
  Scale scale{arma::vec(x.n_rows), arma::vec(x.n_rows)};
  for (arma::uword j = 0; j < x.n_rows; ++j) {
    // From the first sample on, so that equal values spread by exactly nothing.
    const arma::rowvec from_first = x.row(j) - x(j, 0);
    const double mean = arma::mean(from_first);
    const double spread = std::sqrt(arma::mean(arma::square(from_first - mean)));
    if (!std::isfinite(spread))
      throw Error(Fault::Numerical,
                  fmt::format("samples for a mixture are too far apart in dimension {}", j));
    scale.shift[j] = x(j, 0) + mean;
    scale.unit[j] = spread > 0 ? std::exp2(std::round(std::log2(spread))) : 1;
  }
  return scale;
}

/// From each sample to the point, [n].
arma::vec squared_distances(const arma::mat& x, const arma::vec& point) {
  arma::vec out(x.n_cols);
  for (arma::uword i = 0; i < x.n_cols; ++i) {
    const double* const sample = x.colptr(i);
    for (arma::uword j = 0; j < x.n_rows; ++j)
      out[i] += (sample[j] - point[j]) * (sample[j] - point[j]);
  }
  return out;
}

/// An index in proportion to what it adds to the running sums, or any if all are 0.
arma::uword pick(const arma::vec& running, Rng& rng) {
  const double total = running[running.n_elem - 1];
  if (!(total > 0)) return rng.below(static_cast<std::uint32_t>(running.n_elem));
  const auto place = std::upper_bound(running.begin(), running.end(), rng.uniform() * total);
  return static_cast<arma::uword>(place - running.begin());
}

/// Samples far from those chosen so far are the likelier next centres: in proportion to the
/// squared distance, and evenly when all distances are 0. Of a few draws the one stays that leaves
/// the samples nearest to a centre, the paper's greedy variant. Result [d, count].
arma::mat spread_centres(const arma::mat& x, arma::uword count, Rng& rng) {
  const auto tries = 2 + static_cast<int>(std::log(count));
  arma::mat centres(x.n_rows, count);
  centres.col(0) = x.col(rng.below(static_cast<std::uint32_t>(x.n_cols)));
  arma::vec nearest = squared_distances(x, centres.col(0));
  for (arma::uword k = 1; k < count; ++k) {
    const arma::vec below = arma::cumsum(nearest);
    arma::vec best_nearest;
    for (int attempt = 0; attempt < tries; ++attempt) {
      const arma::uword candidate = pick(below, rng);
      const arma::vec with = arma::min(nearest, squared_distances(x, x.col(candidate)));
      if (attempt > 0 && arma::accu(with) >= arma::accu(best_nearest)) continue;
      best_nearest = with;
      centres.col(k) = x.col(candidate);
    }
    nearest = best_nearest;
  }
  return centres;
}

arma::uvec nearest_centres(const arma::mat& x, const arma::mat& centres) {
  arma::mat distances(x.n_cols, centres.n_cols);
  for (arma::uword k = 0; k < centres.n_cols; ++k)
    distances.col(k) = squared_distances(x, centres.col(k));
  return arma::index_min(distances, 1);
}

/// Lloyd's rounds. Moves the centres and returns whose each sample is; a centre that loses all
/// its samples stays.
arma::uvec cluster(const arma::mat& x, arma::mat& centres) {
  arma::uvec owner = nearest_centres(x, centres);
  for (int round = 0; round < kClusterRounds; ++round) {
    arma::mat sums(centres.n_rows, centres.n_cols);
    arma::vec counts(centres.n_cols);
    for (arma::uword i = 0; i < x.n_cols; ++i)
      sums.col(owner[i]) += x.col(i), ++counts[owner[i]];
    for (arma::uword k = 0; k < centres.n_cols; ++k)
      if (counts[k] > 0) centres.col(k) = sums.col(k) / counts[k];
    const arma::uvec next = nearest_centres(x, centres);
    if (arma::all(next == owner)) break;
    owner = next;
  }
  return owner;
}

/// Weights, means and covariances that suit the shares [n, K] that components have in samples.
/// A component without a share keeps its place with weight 0.
void maximise(GaussianMixture& mixture, const arma::mat& x, const arma::mat& shares, double floor) {
  parallel_for(mixture.components(), [&](int component) {
    const auto k = static_cast<arma::uword>(component);
    const arma::vec share = shares.col(k);
    const double total = arma::accu(share);
    mixture.weights[k] = total > kNothing ? total / static_cast<double>(x.n_cols) : 0;
    if (mixture.weights[k] == 0) return;
    arma::mat means = means_of(mixture), covariance = covariance_of(mixture, k);
    means.col(k) = x * share / total;
    arma::mat off = x.each_col() - means.col(k);
    off.each_row() %= arma::sqrt(share / total).t();
    covariance = off * off.t();
    covariance.diag() += floor;
  });
}

/// log(weight * density) of each sample under each component, [n, K].
arma::mat log_joint(const GaussianMixture& mixture, const arma::mat& x) {
  arma::mat out(x.n_cols, mixture.weights.size());
  parallel_for(mixture.components(), [&](int component) {
    const auto k = static_cast<arma::uword>(component);
    if (!(mixture.weights[k] > 0)) {
      out.col(k).fill(-std::numeric_limits<double>::infinity());
      return;
    }
    const arma::mat root = root_of(mixture, k, 0);
    const arma::mat off = x.each_col() - mean_of(mixture, k);
    const arma::mat eps = arma::solve(arma::trimatl(root), off, arma::solve_opts::fast);
    const double constant = std::log(mixture.weights[k]) - arma::accu(arma::log(root.diag())) -
                            0.5 * static_cast<double>(x.n_rows) * std::log(2 * arma::datum::pi);
    out.col(k) = constant - 0.5 * arma::sum(arma::square(eps), 0).t();
  });
  return out;
}

/// log of the sum of exp over each row, without overflow. [n]
arma::vec log_sums(const arma::mat& logs) {
  const arma::vec largest = arma::max(logs, 1);
  return largest + arma::log(arma::sum(arma::exp(logs.each_col() - largest), 1));
}

}  // namespace

GaussianMixture fit_mixture(const Samples& samples, const MixtureOptions& options, Rng rng) {
  check(samples, options);
  arma::mat x = columns_of(samples);
  const Scale scale = scale_of(x);
  x.each_col() -= scale.shift;
  x.each_col() /= scale.unit;

  const auto count = static_cast<std::size_t>(options.components);
  GaussianMixture mixture{std::vector<double>(count), Samples({count, samples.shape(1)}),
                          xt::xtensor<double, 3>({count, samples.shape(1), samples.shape(1)})};
  arma::mat means = means_of(mixture);
  means = spread_centres(x, count, rng);
  for (arma::uword k = 0; k < count; ++k)
    covariance_of(mixture, k).eye();
  const arma::uvec owner = cluster(x, means);
  arma::mat shares(x.n_cols, count);
  for (arma::uword i = 0; i < x.n_cols; ++i)
    shares(i, owner[i]) = 1;
  maximise(mixture, x, shares, options.floor);

  double last = -std::numeric_limits<double>::infinity();
  for (int iteration = 0; iteration < options.iterations; ++iteration) {
    const arma::mat logs = log_joint(mixture, x);
    const arma::vec sums = log_sums(logs);
    const double likelihood = arma::mean(sums);
    if (likelihood - last < kSettled) break;
    last = likelihood;
    maximise(mixture, x, arma::exp(logs.each_col() - sums), options.floor);
  }

  for (arma::uword k = 0; k < count; ++k) {
    means.col(k) = means.col(k) % scale.unit + scale.shift;
    arma::mat covariance = covariance_of(mixture, k);
    covariance.each_col() %= scale.unit;
    covariance.each_row() %= scale.unit.t();
  }
  return mixture;
}

Samples draw(const GaussianMixture& mixture, int n, Rng rng, std::vector<int>* components,
             double jitter) {
  ENGRAM_INVARIANT(n >= 0 && mixture.components() >= 1);
  const std::size_t d = mixture.means.shape(1), count = mixture.weights.size();
  std::vector<arma::mat> roots(count);
  std::size_t last = 0;  // takes what rounding leaves above the sum of the weights
  for (std::size_t k = 0; k < count; ++k)
    if (mixture.weights[k] > 0) roots[k] = root_of(mixture, k, jitter), last = k;

  Samples out({static_cast<std::size_t>(n), d});
  if (components) components->clear();
  for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
    std::size_t k = 0;
    for (double left = rng.uniform() - mixture.weights[0]; left >= 0 && k < last;)
      left -= mixture.weights[++k];
    double* const row = out.data() + i * d;
    std::copy_n(mixture.means.data() + k * d, d, row);
    for (std::size_t b = 0; b < d; ++b) {
      const double eps = rng.normal();
      const double* const column = roots[k].colptr(b);
      for (std::size_t a = b; a < d; ++a)
        row[a] += column[a] * eps;
    }
    if (components) components->push_back(static_cast<int>(k));
  }
  return out;
}

double mean_log_likelihood(const GaussianMixture& mixture, const Samples& samples) {
  ENGRAM_INVARIANT(samples.shape(0) >= 1 && samples.shape(1) == mixture.means.shape(1));
  return arma::mean(log_sums(log_joint(mixture, columns_of(samples))));
}

}  // namespace engram
