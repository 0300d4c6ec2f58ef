// A linear probe: how well classes can be read from features by a linear map, in closed form.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <xtensor/xtensor.hpp>

namespace engram {

/// Ridge regression (Hoerl & Kennard 1970) from features to one output per class, 1 for the right
/// one and 0 for the others, with an intercept that is not shrunk. Solved in the space of the n
/// samples: (K + lambda I) a = Y with K the centred Gram matrix; costs n²d + n³.
class RidgeProbe {
 public:
  /// Of samples [n, d] with labels [n] >= 0. lambda = strength * trace(K) / n: `strength` times the
  /// mean squared distance from the mean sample. Error(Config) for n < 1 or a strength that is not
  /// above 0, Error(Numerical) for samples that are not finite.
  RidgeProbe(const xt::xtensor<double, 2>& samples, std::span<const std::int32_t> labels,
             double strength);
  /// Outputs [n, classes]; classes run from 0 to the largest label.
  xt::xtensor<double, 2> scores(const xt::xtensor<double, 2>& samples) const;
  /// Share of the samples whose largest output (the first of equal ones) is their label; NaN for
  /// none.
  double accuracy(const xt::xtensor<double, 2>& samples,
                  std::span<const std::int32_t> labels) const;

 private:
  std::vector<double> mean_, intercept_;  ///< [d], [classes]
  xt::xtensor<double, 2> map_;            ///< [classes, d]
};

}  // namespace engram
