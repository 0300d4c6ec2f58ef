// Principal components: the orthogonal directions in which a cloud of points spreads most, to look
// at many dimensions in a picture of two (Pearson 1901; Hotelling 1933).
#pragma once

#include <vector>

#include <xtensor/xtensor.hpp>

namespace engram {

struct Projection {
  std::vector<double> mean;       ///< [d]
  xt::xtensor<double, 2> axes;    ///< [count, d], orthonormal rows, the widest spread first
  std::vector<double> explained;  ///< [count], shares of the total variance; 0 if there is none
  std::vector<double> variance;   ///< [count], along each axis

  /// Coordinates [n, count] of samples [n, d] along the axes, from the mean.
  xt::xtensor<double, 2> project(const xt::xtensor<double, 2>& samples) const;
};

/// The first `count` axes of samples [n, d], by the eigenvectors of their covariance; costs d³.
/// The largest entry of every axis is positive (the first of those that are equal up to rounding),
/// so that pictures do not flip. Error(Config) when count < 1, d < count or n < 2,
/// Error(Numerical) for samples that are not finite.
Projection principal_components(const xt::xtensor<double, 2>& samples, int count);

}  // namespace engram
