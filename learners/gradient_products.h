// Inner products of whole gradients, for strategies that compare them.
#pragma once

#include <span>

#include "utils/real.h"

namespace engram {

/// aᵀ b in double precision, with the same bits on any number of threads.
double inner_product(std::span<const real> a, std::span<const real> b);

}  // namespace engram
