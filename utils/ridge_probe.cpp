#include "utils/ridge_probe.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "utils/arma_columns.h"
#include "utils/error.h"

namespace engram {

using Samples = xt::xtensor<double, 2>;

RidgeProbe::RidgeProbe(const Samples& samples, std::span<const std::int32_t> labels,
                       double strength) {
  const std::size_t n = samples.shape(0), d = samples.shape(1);
  if (n < 1 || strength <= 0)
    throw Error(Fault::Config,
                fmt::format("a linear probe on {} samples with strength {}: needs one or more, and "
                            "a strength above 0",
                            n, strength));
  ENGRAM_INVARIANT(labels.size() == n && *std::ranges::min_element(labels) >= 0);
  const auto classes = static_cast<std::size_t>(*std::ranges::max_element(labels)) + 1;
  arma::mat x = columns_of(samples);
  const arma::vec mean = arma::mean(x, 1);
  x.each_col() -= mean;
  arma::mat y(n, classes);  // a row is a sample
  for (std::size_t i = 0; i < n; ++i)
    y(i, static_cast<std::size_t>(labels[i])) = 1;
  const arma::rowvec intercept = arma::mean(y, 0);
  y.each_row() -= intercept;
  arma::mat gram = x.t() * x;
  const double trace = arma::trace(gram);
  if (!gram.is_finite())
    throw Error(Fault::Numerical,
                fmt::format("no linear probe on {} samples with {} features: values are not finite "
                            "or too large",
                            n, d));
  arma::mat weights(d, classes);  // 0 when all samples are the same
  if (trace > 0) {
    gram.diag() += strength * trace / static_cast<double>(n);
    arma::mat dual;
    if (!arma::solve(dual, gram, y, arma::solve_opts::likely_sympd + arma::solve_opts::fast))
      throw Error(Fault::Numerical, fmt::format("no linear probe on {} samples: LAPACK failed", n));
    weights = x * dual;
  }
  mean_.assign(mean.begin(), mean.end());
  intercept_.assign(intercept.begin(), intercept.end());
  map_ = Samples({classes, d});
  std::copy(weights.begin(), weights.end(), map_.begin());
}

Samples RidgeProbe::scores(const Samples& samples) const {
  ENGRAM_INVARIANT(samples.shape(1) == mean_.size());
  arma::mat x = columns_of(samples);
  x.each_col() -= arma::vec(mean_);
  Samples out({samples.shape(0), intercept_.size()});
  arma::mat result(out.data(), intercept_.size(), samples.shape(0), false, true);
  result = columns_of(map_).t() * x;
  result.each_col() += arma::vec(intercept_);
  return out;
}

double RidgeProbe::accuracy(const Samples& samples, std::span<const std::int32_t> labels) const {
  ENGRAM_INVARIANT(samples.shape(0) == labels.size());
  if (labels.empty()) return std::numeric_limits<double>::quiet_NaN();
  const Samples outputs = scores(samples);
  const auto classes = static_cast<std::ptrdiff_t>(outputs.shape(1));
  std::size_t hits = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const double* row = outputs.data() + static_cast<std::ptrdiff_t>(i) * classes;
    hits += std::max_element(row, row + classes) - row == labels[i];
  }
  return static_cast<double>(hits) / static_cast<double>(labels.size());
}

}  // namespace engram
