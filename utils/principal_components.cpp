#include "utils/principal_components.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "utils/arma_columns.h"
#include "utils/error.h"

namespace engram {
namespace {

using Samples = xt::xtensor<double, 2>;

void fix_sign(arma::vec& axis) {
  constexpr double kRounding = 1e-9;
  const double largest = arma::max(arma::abs(axis));
  const auto lead = std::find_if(axis.begin(), axis.end(), [&](double entry) {
    return std::abs(entry) >= (1 - kRounding) * largest;
  });
  if (*lead < 0) axis = -axis;
}

}  // namespace

Projection principal_components(const Samples& samples, int count) {
  const std::size_t n = samples.shape(0), d = samples.shape(1);
  if (count < 1 || d < static_cast<std::size_t>(count) || n < 2)
    throw Error(Fault::Config,
                fmt::format("{} principal components of {} samples with {} dimensions: needs one "
                            "or more, at least as many dimensions, and two samples",
                            count, n, d));
  arma::mat x = columns_of(samples);
  const arma::vec mean = arma::mean(x, 1);
  x.each_col() -= mean;
  const arma::mat covariance = x * x.t() / static_cast<double>(n - 1);
  arma::vec variances;  // ascending
  arma::mat vectors;
  if (!covariance.is_finite() || !arma::eig_sym(variances, vectors, covariance))
    throw Error(Fault::Numerical,
                fmt::format("no principal components of {} samples with {} dimensions: values are "
                            "not finite or too large; look at what made them",
                            n, d));

  Projection out{{mean.begin(), mean.end()}, Samples({static_cast<std::size_t>(count), d}), {}, {}};
  const double total = arma::trace(covariance);
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    arma::vec axis = vectors.col(d - 1 - i);
    fix_sign(axis);
    std::copy(axis.begin(), axis.end(), out.axes.data() + i * d);
    out.variance.push_back(std::max(0.0, variances[d - 1 - i]));
    out.explained.push_back(total > 0 ? std::max(0.0, variances[d - 1 - i]) / total : 0);
  }
  return out;
}

Samples Projection::project(const Samples& samples) const {
  ENGRAM_INVARIANT(samples.shape(1) == mean.size());
  arma::mat x = columns_of(samples);
  x.each_col() -= arma::vec(mean);
  Samples out({samples.shape(0), axes.shape(0)});
  arma::mat coordinates(out.data(), axes.shape(0), samples.shape(0), false, true);
  coordinates = arma::mat(axes.data(), axes.shape(1), axes.shape(0)).t() * x;
  return out;
}

}  // namespace engram
