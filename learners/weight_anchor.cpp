#include "learners/weight_anchor.h"

#include "utils/parallel.h"

namespace engram {

void WeightAnchor::add(std::span<const real> importance, std::span<const real> values) {
  for (std::size_t i = 0; i < anchor_.size(); ++i) {
    importance_[i] += importance[i];
    // As a step towards the new values: no small difference of large sums.
    if (importance_[i] != 0)
      anchor_[i] += importance[i] / importance_[i] * (values[i] - anchor_[i]);
  }
}

void WeightAnchor::replace(double keep, std::span<const real> importance,
                           std::span<const real> values) {
  for (std::size_t i = 0; i < anchor_.size(); ++i) {
    importance_[i] = static_cast<real>(keep) * importance_[i] + importance[i];
    anchor_[i] = values[i];
  }
}

void WeightAnchor::pull(double s, ParamStore& params) const {
  const auto grads = params.grads();
  const auto values = params.values();
  const auto strength = static_cast<real>(2 * s);
  for_blocks(anchor_.size(), [&](std::size_t begin, std::size_t end) {
    real* const g = grads.data();
    const real *const theta = values.data(), *const a = anchor_.data();
    const real* const f = importance_.data();
#pragma omp simd
    for (std::size_t i = begin; i < end; ++i)
      g[i] += strength * f[i] * (theta[i] - a[i]);
  });
}

}  // namespace engram
