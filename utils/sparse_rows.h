// A matrix of which only some entries of every row exist: what the products of sparse_kernels.h
// take. Built from a signal and its active set, or from its transpose; buffers only grow.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "utils/active_set.h"
#include "utils/matrix.h"

namespace engram {

/// Compressed rows: entry j of row r lies in [begin[r], begin[r + 1]) with ascending columns.
struct SparseView {
  const std::int32_t* begin = nullptr;  ///< [rows + 1]
  const std::int32_t* index = nullptr;  ///< column of every entry
  const real* value = nullptr;          ///< of every entry
  int rows = 0;
  std::size_t entries() const { return static_cast<std::size_t>(begin[rows] - begin[0]); }
};

class SparseRows {
 public:
  /// The active entries of x [B, I].
  void assign(CMat x, const ActiveSet& active);
  /// The same, transposed: rows are the columns of x, [I, B].
  void assign_transposed(CMat x, const ActiveSet& active);

  int rows() const { return static_cast<int>(begin_.size()) - 1; }
  SparseView view() const { return {begin_.data(), index_.data(), value_.data(), rows()}; }

 private:
  std::vector<std::int32_t> begin_, index_, next_;
  std::vector<real> value_;
};

/// The columns that are active in some row, ascending. `cols` is the width of the signal.
void distinct_units(const ActiveSet& active, int cols, std::vector<std::int32_t>& units);

}  // namespace engram
