#include "learners/soft_targets.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace engram {
namespace {

/// to <- softmax(z / T) over the outputs of a mask, 0 elsewhere.
void soften(std::span<const real> z, std::span<const std::uint8_t> mask, real temperature,
            std::span<real> to) {
  const auto in = [&](std::size_t y) { return mask.empty() || mask[y] != 0; };
  real most = std::numeric_limits<real>::lowest(), sum = 0;
  for (std::size_t y = 0; y < z.size(); ++y)
    if (in(y)) most = std::max(most, z[y]);
  for (std::size_t y = 0; y < z.size(); ++y)
    sum += to[y] = in(y) ? std::exp((z[y] - most) / temperature) : real{0};
  for (real& p : to)
    p /= sum;
}

}  // namespace

void SoftTargets::distil(std::span<const real> z, std::span<const real> teacher,
                         std::span<const std::uint8_t> mask, real temperature, real weight,
                         real* error) {
  now_.resize(z.size()), then_.resize(z.size());
  soften(z, mask, temperature, now_), soften(teacher, mask, temperature, then_);
  for (std::size_t y = 0; y < z.size(); ++y)
    error[y] += weight / temperature * (now_[y] - then_[y]);
}

}  // namespace engram
