// Hotelling's two-sample test: whether two sets of vectors have the same mean.
#pragma once

#include <xtensor/xtensor.hpp>

namespace engram {

/// How surprising the means of two samples [n1, p] and [n2, p] are if those behind them are equal:
/// where
///   F = (n - p - 1) / (p (n - 2)) T^2,   T^2 = n1 n2 / n dᵀ S⁺ d,   n = n1 + n2,
/// with the difference d of the means and the pseudo-inverse of the pooled covariance S, lies in
/// the distribution F(p, n - p - 1): 0 is alike, 1 as different as can be. Dimensions that do not
/// vary count in p, so with many of them the test says "alike" too often (as in Iyer et al. 2022).
/// Samples too small for a test (n < p + 2) count as alike: 0. Error(Numerical) when values are not
/// finite.
double hotelling_quantile(const xt::xtensor<double, 2>& one, const xt::xtensor<double, 2>& other);

}  // namespace engram
