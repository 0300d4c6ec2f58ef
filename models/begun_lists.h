// What activations share that let no error through where they give 0: passes in tiles, and the
// decision whether the units that are not 0 are few enough to be listed.
#pragma once

#include <algorithm>
#include <cstdint>

#include "models/tape.h"
#include "utils/elementwise.h"
#include "utils/parallel.h"

namespace engram {

static_assert(ActiveSet::kSlack >= kernels::kListSlack);

constexpr std::size_t kTileSize = 1 << 15;  ///< elements of a tile

/// Calls body(first element, count) for tiles of `size` elements.
template <class Body>
void for_runs(std::size_t size, const Body& body) {
  parallel_for(static_cast<int>((size + kTileSize - 1) / kTileSize), [&](int run) {
    const std::size_t begin = static_cast<std::size_t>(run) * kTileSize;
    body(begin, std::min(kTileSize, size - begin));
  });
}

/// Calls body(row) for the rows from `first` on, in tiles of about so many elements.
template <class Body>
void for_row_tiles(int rows, int cols, int first, const Body& body) {
  const int step = std::max(1, static_cast<int>(kTileSize) / std::max(1, cols));
  parallel_for((rows - first + step - 1) / step, [&](int tile) {
    const int begin = first + tile * step;
    for (int b = begin; b < std::min(rows, begin + step); ++b)
      body(b);
  });
}

/// Fills y [rows, cols] by dense(row, to) or listed(row, to, units), which also writes the indices
/// of what is not 0, ascending, and returns how many they are. Lists are begun with some rows; the
/// others follow if those had few active units.
template <class Dense, class Listed>
void begin_lists(int rows, int cols, Signal& y, const Dense& dense, const Listed& listed) {
  const Mat out = y.resize(rows, cols);
  if (rows == 0) return;
  const int probe = std::max(1, rows / 16);
  y.active.begin(rows, cols);
  const auto list = [&](int b) { y.active.set_count(b, listed(b, out.row(b), y.active.slots(b))); };
  const auto too_many = [&](int seen) {
    return static_cast<double>(y.active.total()) > kListedShare * seen * cols;
  };
  for (int b = 0; b < probe; ++b)
    list(b);
  if (too_many(probe)) {
    y.active.forget();
    for_row_tiles(rows, cols, probe, [&](int b) { dense(b, out.row(b)); });
    return;
  }
  for_row_tiles(rows, cols, probe, list);
  if (too_many(rows)) y.active.forget();
}

}  // namespace engram
