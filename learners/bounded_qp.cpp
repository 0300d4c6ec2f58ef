#include "learners/bounded_qp.h"

#include <armadillo>

#include "utils/error.h"

namespace engram {

std::vector<double> solve_bounded_qp(std::span<const double> p, std::span<const double> q,
                                     double lowest) {
  const arma::uword n = q.size();
  ENGRAM_INVARIANT(p.size() == n * n);
  const arma::mat P(p.data(), n, n);  // symmetric: rows are columns
  // In u = v - lowest >= 0 the linear term is c; u_i is free where `free` says so, else 0.
  const arma::vec c = arma::vec(q.data(), n) + lowest * arma::sum(P, 1);
  const double tolerance = 1e-12 * (1 + arma::abs(c).max());
  arma::vec u(n, arma::fill::zeros);
  std::vector<bool> free(n, false);
  const auto chosen = [&] {
    arma::uvec all(n);
    arma::uword count = 0;
    for (arma::uword i = 0; i < n; ++i)
      if (free[i]) all[count++] = i;
    return arma::uvec(all.head(count));
  };
  // Every round lowers the objective, so no set of free variables comes twice.
  for (arma::uword round = 0; round < 30 * (n + 1); ++round) {
    const arma::vec downhill = -(c + P * u);
    arma::uword best = n;
    for (arma::uword i = 0; i < n; ++i)
      if (!free[i] && downhill[i] > tolerance && (best == n || downhill[i] > downhill[best]))
        best = i;
    if (best == n) break;
    free[best] = true;
    for (arma::uvec set = chosen(); !set.is_empty(); set = chosen()) {
      arma::vec s;
      if (!arma::solve(s, P(set, set), -c(set), arma::solve_opts::likely_sympd))
        throw Error(Fault::Numerical, "a quadratic program is not positive definite");
      if (s.min() > 0) {
        u.zeros();
        u(set) = s;
        break;
      }
      double way = 1;  // towards s, until the first u_i is 0
      for (arma::uword k = 0; k < set.n_elem; ++k)
        if (s[k] <= 0) way = std::min(way, u[set[k]] / (u[set[k]] - s[k]));
      for (arma::uword k = 0; k < set.n_elem; ++k) {
        const arma::uword i = set[k];
        u[i] += way * (s[k] - u[i]);
        if (s[k] <= 0 && u[i] <= tolerance) u[i] = 0, free[i] = false;
      }
    }
  }
  std::vector<double> v(n);
  for (arma::uword i = 0; i < n; ++i)
    v[i] = u[i] + lowest;
  return v;
}

}  // namespace engram
