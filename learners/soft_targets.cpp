#include "learners/soft_targets.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace engram {
namespace {

/// to <- softmax(z / T), 0 outside the mask.
void soften(SoftTargets::Said said, real temperature, std::vector<real>& to) {
  const auto& [z, mask] = said;
  to.resize(z.size());
  const auto in = [&mask = mask](std::size_t y) { return mask.empty() || mask[y] != 0; };
  real most = std::numeric_limits<real>::lowest(), sum = 0;
  for (std::size_t y = 0; y < z.size(); ++y)
    if (in(y)) most = std::max(most, z[y]);
  for (std::size_t y = 0; y < z.size(); ++y)
    sum += to[y] = in(y) ? std::exp((z[y] - most) / temperature) : real{0};
  for (real& p : to)
    p /= sum;
}

}  // namespace

void SoftTargets::distil(Said now, Said teacher, real temperature, real weight, real* error) {
  soften(now, temperature, now_), soften(teacher, temperature, then_);
  for (std::size_t y = 0; y < now_.size(); ++y)
    error[y] += weight / temperature * (now_[y] - then_[y]);
}

}  // namespace engram
