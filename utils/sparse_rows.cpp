#include "utils/sparse_rows.h"

namespace engram {

void SparseRows::assign(CMat x, const ActiveSet& active) {
  begin_.resize(static_cast<std::size_t>(x.rows) + 1);
  index_.resize(active.total()), value_.resize(active.total());
  std::int32_t at = 0;
  begin_[0] = 0;
  for (int b = 0; b < x.rows; ++b) {
    const real* row = x.row(b);
    for (const std::int32_t i : active.row(b))
      index_[at] = i, value_[at] = row[i], ++at;
    begin_[b + 1] = at;
  }
}

void SparseRows::assign_transposed(CMat x, const ActiveSet& active) {
  begin_.assign(static_cast<std::size_t>(x.cols) + 1, 0);
  index_.resize(active.total()), value_.resize(active.total());
  for (int b = 0; b < x.rows; ++b)
    for (const std::int32_t i : active.row(b))
      ++begin_[i + 1];
  for (int i = 0; i < x.cols; ++i)
    begin_[i + 1] += begin_[i];
  next_.assign(begin_.begin(), begin_.end() - 1);
  for (int b = 0; b < x.rows; ++b) {
    const real* row = x.row(b);
    for (const std::int32_t i : active.row(b)) {
      const std::int32_t at = next_[i]++;
      index_[at] = b, value_[at] = row[i];
    }
  }
}

void distinct_units(const ActiveSet& active, int cols, std::vector<std::int32_t>& units) {
  thread_local std::vector<std::uint8_t> seen;
  seen.assign(static_cast<std::size_t>(cols), 0);
  for (int b = 0; b < active.rows(); ++b)
    for (const std::int32_t i : active.row(b))
      seen[i] = 1;
  units.clear();
  for (int i = 0; i < cols; ++i)
    if (seen[i] != 0) units.push_back(i);
}

}  // namespace engram
