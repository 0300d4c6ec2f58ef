// Numbers for tests of kernels.
#pragma once

#include <cstdint>
#include <vector>

#include "utils/real.h"
#include "utils/rng.h"

namespace engram::testing {

inline std::vector<real> random_values(std::size_t count, std::uint64_t seed) {
  Rng rng(seed);
  std::vector<real> values(count);
  for (real& v : values)
    v = static_cast<real>(rng.normal());
  return values;
}

}  // namespace engram::testing
