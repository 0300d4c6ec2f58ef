#include "models/init.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "utils/error.h"
#include "utils/linalg.h"

namespace engram {

bool has_scale(WeightInit kind) {
  return kind >= WeightInit::Uniform;
}

bool is_normal(WeightInit kind) {
  return kind == WeightInit::He || kind == WeightInit::Orthogonal || kind == WeightInit::Normal ||
         kind == WeightInit::NormalFan;
}

double init_bound(WeightInit kind, const Fans& fans, double scale) {
  const double in = fans.in;
  switch (kind) {
    case WeightInit::Torch:
      return 1 / std::sqrt(in);
    case WeightInit::Glorot:
      return std::sqrt(6 / (in + fans.out));
    case WeightInit::HeUniform:
      return std::sqrt(6 / in);
    case WeightInit::Orthogonal:
      return 1;
    case WeightInit::ActiveFan:
      return scale / std::sqrt(in);
    case WeightInit::Uniform:
    case WeightInit::Uniform01:
      return scale;
    case WeightInit::He:
    case WeightInit::Normal:
    case WeightInit::NormalFan:
      break;
  }
  return std::numeric_limits<double>::infinity();
}

double init_deviation(WeightInit kind, const Fans& fans, double scale) {
  if (kind == WeightInit::He) return std::sqrt(2. / fans.in);
  if (kind == WeightInit::Orthogonal) return 1 / std::sqrt(1. * std::max(fans.in, fans.outputs));
  if (kind == WeightInit::Normal) return scale;
  if (kind == WeightInit::NormalFan) return scale / std::sqrt(1. * fans.in);
  return init_bound(kind, fans, scale) / std::sqrt(3);  // uniform, from 0 or from both sides
}

void init_weights(WeightInit kind, const Fans& fans, Mat w, Mat bias, Rng rng, double scale) {
  ENGRAM_INVARIANT(w.rows == fans.outputs && w.cols == fans.in);
  Rng weights = rng.fork("weight"), biases = rng.fork("bias");
  const auto uniform = [](Mat m, double bound, Rng& r) {
    for (real& x : m.all())
      x = static_cast<real>(r.uniform(-bound, bound));
  };
  const auto normal = [](Mat m, double deviation, Rng& r) {
    for (real& x : m.all())
      x = static_cast<real>(deviation * r.normal());
  };
  const bool biased = kind == WeightInit::Torch || kind == WeightInit::ActiveFan;
  uniform(bias, biased ? init_bound(WeightInit::Torch, fans) : 0, biases);
  switch (kind) {
    case WeightInit::He:
    case WeightInit::Normal:
    case WeightInit::NormalFan:
      return normal(w, init_deviation(kind, fans, scale), weights);
    case WeightInit::Orthogonal:
      return normal(w, 1, weights), orthonormalise(w);
    case WeightInit::Uniform01:
      for (real& x : w.all())
        x = static_cast<real>(weights.uniform(0, scale));
      return;
    default:
      return uniform(w, init_bound(kind, fans, scale), weights);
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
