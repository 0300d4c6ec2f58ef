// Passes over activations that make or follow lists of what is not zero. Any size, any alignment;
// the same bits whatever the vector width. One thread: callers cut batches into tiles.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "utils/matrix.h"

namespace engram::kernels {

/// Lists of units have room for this many more entries, which may be overwritten.
constexpr int kListSlack = 16;

/// y <- max(0, x).
void relu(std::span<const real> x, real* y);
/// The same, and writes the indices of what is positive to `units`, ascending. Returns how many.
int relu_listed(std::span<const real> x, real* y, std::int32_t* units);
/// dx <- dy where y > 0, else 0.
void relu_backward(std::span<const real> y, const real* dy, real* dx);

/// Writes the indices of what is not 0 to `units`, ascending. Returns how many.
int list_nonzero(std::span<const real> x, std::int32_t* units);

/// y[i] <- x[i] * scale where bit i is set, else 0. Bit i is bit i % 8 of byte i / 8;
/// one byte behind the last may be read.
void scale_kept(std::span<const real> x, const std::uint8_t* bits, real scale, real* y);

}  // namespace engram::kernels
