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
  /// Room is taken for all that a signal of this shape may hold, so that a later batch allocates
  /// nothing; memory that is never written costs nothing.
  void resize(std::size_t entries, std::size_t most);
  std::vector<std::int32_t> begin_, index_, next_;
  std::vector<real> value_;
};

/// The rows of a sparse matrix four by four, the entries of a group sorted by which of its rows
/// have them, so that a product loads what an entry meets once for all of those (spmm).
class GroupedRows {
 public:
  static constexpr int kRows = 4, kPatterns = 1 << kRows;

  /// The entries of s in columns [first, last).
  void assign(const SparseView& s, int first, int last);

  /// A group: entries [begin[p], begin[p + 1]) are those of exactly the rows of pattern p (bit r:
  /// row r); each has one value per row of its pattern, and they follow one another.
  struct Group {
    std::int32_t begin[kPatterns + 1];  ///< into index; begin[1] is the first entry
    std::int32_t value;                 ///< of the first entry
  };
  int groups() const { return static_cast<int>(groups_.size()); }
  const Group& group(int g) const { return groups_[static_cast<std::size_t>(g)]; }
  const std::int32_t* index() const { return index_.data(); }
  const real* value() const { return value_.data(); }

 private:
  void build(const SparseView& s, int first_col, int last_col, int g);
  std::vector<Group> groups_;
  std::vector<std::int32_t> index_;
  std::vector<real> value_;
};

/// The columns that are active in some row, ascending. `cols` is the width of the signal.
void distinct_units(const ActiveSet& active, int cols, std::vector<std::int32_t>& units);

}  // namespace engram
