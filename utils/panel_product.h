// The inner product of convolutions: a block of rows times a matrix, where both are read with
// strides in two nested loops, so that patches of an image need not be copied out first.
#pragma once

#include <cstddef>

#include "utils/real.h"

namespace engram::kernels {

/// c[i][j] = start + sum over s < outer, k < inner of
///   a[i * a_row + s * a_outer + k * a_inner] * b[panel(j) + s * b_outer + k * b_inner].
/// Columns are read in panels of panel_width(): column j is b + (j / width) * b_panel + j % width.
/// Each sum runs in order with fused multiply-adds, whatever the vector width.
struct PanelProduct {
  const real* a = nullptr;
  std::ptrdiff_t a_row = 0, a_outer = 0, a_inner = 1;
  const real* b = nullptr;
  std::ptrdiff_t b_outer = 0, b_inner = 0, b_panel = 0;
  real* c = nullptr;
  std::ptrdiff_t c_row = 0;
  int rows = 0, cols = 0, outer = 1, inner = 0;
  const real* start = nullptr;  ///< start[j] for every row; zero without
  bool add = false;             ///< start from what c holds
};
void panel_product(const PanelProduct& product);

/// Columns of a panel on this processor; a power of two.
int panel_width();

}  // namespace engram::kernels
