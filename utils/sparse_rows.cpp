#include "utils/sparse_rows.h"

#include <algorithm>
#include <bit>

#include "utils/parallel.h"

namespace engram {

void SparseRows::resize(std::size_t entries, std::size_t most) {
  index_.reserve(most), value_.reserve(most);
  index_.resize(entries), value_.resize(entries);
}

void SparseRows::assign(CMat x, const ActiveSet& active) {
  begin_.resize(static_cast<std::size_t>(x.rows) + 1);
  resize(active.total(), x.size());
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
  resize(active.total(), x.size());
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

void GroupedRows::assign(const SparseView& s, int first, int last) {
  groups_.resize(static_cast<std::size_t>((s.rows + kRows - 1) / kRows));
  const std::size_t most =
      static_cast<std::size_t>(s.rows) * static_cast<std::size_t>(last - first);
  index_.reserve(most), value_.reserve(most);
  index_.resize(s.entries()), value_.resize(s.entries());
  constexpr int kRun = 8;
  parallel_for((groups() + kRun - 1) / kRun, [&](int run) {
    for (int g = run * kRun; g < std::min(groups(), (run + 1) * kRun); ++g)
      build(s, first, last, g);
  });
}

void GroupedRows::build(const SparseView& s, int first_col, int last_col, int g) {
  thread_local std::vector<std::uint8_t> pattern;  // of each column; zeros between uses
  thread_local std::vector<real> column;           // its values
  const auto width = static_cast<std::size_t>(last_col);
  if (pattern.size() < width) pattern.resize(width, 0), column.resize(width * kRows);
  const int first = g * kRows, last = std::min(s.rows, first + kRows);
  int low = last_col, high = first_col;
  for (int r = first; r < last; ++r) {
    const std::int32_t* const end = s.index + s.begin[r + 1];
    auto j = std::lower_bound(s.index + s.begin[r], end, first_col) - s.index;
    for (; j < s.begin[r + 1] && s.index[j] < last_col; ++j) {
      const int c = s.index[j];
      low = std::min(low, c), high = std::max(high, c + 1);
      pattern[c] = static_cast<std::uint8_t>(pattern[c] | 1u << (r - first));
      column[static_cast<std::size_t>(c) * kRows + (r - first)] = s.value[j];
    }
  }
  std::int32_t count[kPatterns] = {}, value_at[kPatterns];
  for (int c = low; c < high; ++c)
    ++count[pattern[c]];
  Group& group = groups_[static_cast<std::size_t>(g)];
  // A group has at most as many entries as its rows together: their place is kept for it.
  std::int32_t at = s.begin[first] - s.begin[0], value = at;
  group.begin[0] = group.begin[1] = at, group.value = value;
  for (unsigned p = 1; p < kPatterns; ++p) {
    value_at[p] = value;
    at += count[p], value += count[p] * std::popcount(p);
    group.begin[p + 1] = at;
  }
  std::int32_t next[kPatterns];
  std::copy_n(group.begin, kPatterns, next);
  for (int c = low; c < high; ++c) {
    const unsigned p = pattern[c];
    if (p == 0) continue;
    pattern[c] = 0;
    index_[next[p]++] = c;
    const real* from = column.data() + static_cast<std::size_t>(c) * kRows;
    for (unsigned rows = p; rows != 0; rows &= rows - 1)
      value_[value_at[p]++] = from[std::countr_zero(rows)];
  }
}

void distinct_units(const ActiveSet& active, int cols, std::vector<std::int32_t>& units) {
  thread_local std::vector<std::uint8_t> seen;
  seen.assign(static_cast<std::size_t>(cols), 0);
  for (int b = 0; b < active.rows(); ++b)
    for (const std::int32_t i : active.row(b))
      seen[i] = 1;
  units.clear();
  units.reserve(static_cast<std::size_t>(cols));
  for (int i = 0; i < cols; ++i)
    if (seen[i] != 0) units.push_back(i);
}

}  // namespace engram
