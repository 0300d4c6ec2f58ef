#include "utils/hotelling.h"

#include <boost/math/distributions/fisher_f.hpp>

#include "utils/arma_columns.h"
#include "utils/error.h"

namespace engram {
namespace {

/// x <- x less its mean, which is returned. A column is a sample.
arma::vec take_mean(arma::mat& x) {
  const arma::vec mean = arma::mean(x, 1);
  x.each_col() -= mean;
  return mean;
}

/// dᵀ S⁺ d.
double pseudo_norm(const arma::mat& s, const arma::vec& d) {
  // What does not vary has no part in the pseudo-inverse. Without it S has an inverse, mostly.
  const double largest = s.is_empty() ? 0 : arma::max(s.diag());
  const arma::uvec varies = arma::find(s.diag() > 1e-15 * largest);
  if (varies.is_empty()) return 0;
  const arma::mat part = s.submat(varies, varies);
  const arma::vec lean = d.elem(varies);
  arma::mat root;
  if (arma::chol(root, part, "lower")) {
    const double smallest = arma::min(root.diag());
    if (smallest * smallest > 1e-11 * largest) {
      const arma::vec z = arma::solve(arma::trimatl(root), lean);
      return arma::dot(z, z);
    }
  }
  arma::vec values;
  arma::mat vectors;
  if (!arma::eig_sym(values, vectors, part))
    throw Error(Fault::Numerical, "Hotelling's test: the covariance has no eigenvalues");
  const arma::vec along = vectors.t() * lean;
  double sum = 0;
  for (arma::uword i = 0; i < values.n_elem; ++i)
    if (values[i] > 1e-15 * values.max()) sum += along[i] * along[i] / values[i];
  return sum;
}

}  // namespace

double hotelling_quantile(const xt::xtensor<double, 2>& one, const xt::xtensor<double, 2>& other) {
  ENGRAM_INVARIANT(one.shape(1) == other.shape(1));
  const auto n1 = static_cast<double>(one.shape(0)), n2 = static_cast<double>(other.shape(0));
  const double n = n1 + n2, p = static_cast<double>(one.shape(1));
  if (n < p + 2) return 0;
  arma::mat x = columns_of(one), y = columns_of(other);
  const arma::vec d = take_mean(x) - take_mean(y);
  const arma::mat pooled = (x * x.t() + y * y.t()) / (n - 2);
  if (!pooled.is_finite() || !d.is_finite())
    throw Error(Fault::Numerical, "Hotelling's test of samples that are not finite");
  const double f = (n - p - 1) / (p * (n - 2)) * n1 * n2 / n * pseudo_norm(pooled, d);
  return boost::math::cdf(boost::math::fisher_f(p, n - p - 1), f);
}

}  // namespace engram
