// Exponentials of many numbers at once. The same bits whatever the vector width.
#pragma once

#include <span>

#include "utils/real.h"

namespace engram::kernels {

/// y[i] <- exp(x[i] - shift); x and y may be the same.
void exponentials(std::span<const real> x, real shift, real* y);
/// y <- softmax of x; x and y may be the same. One thread.
void softmax(std::span<const real> x, real* y);

}  // namespace engram::kernels
