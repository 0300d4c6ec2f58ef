// A gradient that is zero outside some rows and columns of its slice, stored without the zeros.
// Behind k-winners a step touches a few hundred of millions of weights, and this is what it costs.
#pragma once

#include <cstdint>
#include <vector>

#include "utils/real.h"

namespace engram {

struct GradientBlock {
  bool all_rows = false, all_cols = false;  ///< then `rows` or `cols` is not used
  std::vector<std::int32_t> rows, cols;     ///< ascending
  std::vector<real> value;                  ///< [row_count][col_count], row-major

  std::size_t width(int slice_cols) const {
    return all_cols ? static_cast<std::size_t>(slice_cols) : cols.size();
  }
};

}  // namespace engram
