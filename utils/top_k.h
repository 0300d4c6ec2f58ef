// Who wins: the k largest of a group of scores. Exact and deterministic, whatever the vector width.
#pragma once

#include <cstdint>
#include <span>

#include "utils/real.h"

namespace engram::kernels {

/// What is ranked: consecutive groups of `size` units each, by x, or by x * boost if that is given
/// ([size] factors). In every group the k largest win, the lowest index first among equals. Zeros
/// of either sign are equal; NaN ranks above all numbers, with its sign bit set below them.
struct Contest {
  int size = 0, k = 0;  ///< 0 < k <= size
  const real* boost = nullptr;
};

/// Winners have room for this many more entries, which may be overwritten.
constexpr int kWinnersSlack = 16;

/// Writes the indices into x of the winners of all groups, ascending, to `winners`
/// (x.size() / size * k entries and slack). With y [x.size()]: y <- x at the winners and 0
/// elsewhere.
void top_k(std::span<const real> x, const Contest& contest, std::int32_t* winners,
           real* y = nullptr);

}  // namespace engram::kernels
