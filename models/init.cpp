#include "models/init.h"

#include <algorithm>
#include <cmath>

#include "utils/error.h"
#include "utils/linalg.h"

namespace engram {

double init_deviation(WeightInit kind, int fan_in, int fan_out) {
  switch (kind) {
    case WeightInit::Torch:
      return 1 / std::sqrt(3.0 * fan_in);
    case WeightInit::Glorot:
      return std::sqrt(2.0 / (fan_in + fan_out));
    case WeightInit::He:
    case WeightInit::HeUniform:
      return std::sqrt(2.0 / fan_in);
    case WeightInit::Orthogonal:  // unit vectors along the longer side
      return 1 / std::sqrt(static_cast<double>(std::max(fan_in, fan_out)));
  }
  broken_invariant("init is one of its choices");
}

void init_weights(WeightInit kind, Mat w, Mat bias, Rng rng, int fan_out) {
  Rng weights = rng.fork("weight"), biases = rng.fork("bias");
  const double fan_in = w.cols;
  const auto uniform = [](Mat m, double bound, Rng& r) {
    for (real& x : m.all())
      x = static_cast<real>(r.uniform(-bound, bound));
  };
  const auto normal = [](Mat m, double deviation, Rng& r) {
    for (real& x : m.all())
      x = static_cast<real>(deviation * r.normal());
  };
  uniform(bias, kind == WeightInit::Torch ? 1 / std::sqrt(fan_in) : 0, biases);
  switch (kind) {
    case WeightInit::Torch:
      return uniform(w, 1 / std::sqrt(fan_in), weights);
    case WeightInit::Glorot:
      return uniform(w, std::sqrt(6 / (fan_in + (fan_out > 0 ? fan_out : w.rows))), weights);
    case WeightInit::He:
      return normal(w, std::sqrt(2 / fan_in), weights);
    case WeightInit::HeUniform:
      return uniform(w, std::sqrt(6 / fan_in), weights);
    case WeightInit::Orthogonal:
      return normal(w, 1, weights), orthonormalise(w);
  }
}

int kept_per_row(double density, int fan_in, MaskRounding rounding) {
  // nearbyint rounds half to even, as Python's round does
  if (rounding == MaskRounding::NonZeros)
    return static_cast<int>(std::nearbyint((1 - (1 - density)) * fan_in));
  return fan_in - static_cast<int>(std::nearbyint((1 - density) * fan_in));
}

std::vector<std::uint8_t> random_mask(int rows, int cols, int kept, Rng rng) {
  std::vector<std::uint8_t> mask(static_cast<std::size_t>(rows) * cols, 0);
  for (int row = 0; row < rows; ++row) {
    const auto order = rng.fork("row", static_cast<std::uint64_t>(row))
                           .permutation(static_cast<std::uint32_t>(cols));
    for (int i = 0; i < kept; ++i)
      mask[static_cast<std::size_t>(row) * cols + order[static_cast<std::size_t>(i)]] = 1;
  }
  return mask;
}

}  // namespace engram
