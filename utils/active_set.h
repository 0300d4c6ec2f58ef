// Which units of a batch may be non-zero: for every row an ascending list of columns. What makes
// cost follow activity: kernels that are given one touch only the listed units.
//
// A set says two things about the signal that it belongs to:
//  - outside the set every value is zero;
//  - outside the set nobody below needs an error: what made the zeros (a relu, k-winners) lets none
//    through there, or there are no weights below (the input of a network). So a layer above may
//    leave the error at such a unit zero, whatever it would be.
// A layer may therefore list only what its own backward pass silences elsewhere (relu, k-winners),
// or hand on a part of the set that came in (dropout, flatten). It must not make a list of the
// zeros that it happens to find: errors of units that could have been non-zero would be lost.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace engram {

/// Above this share of active units lists are not worth making: errors computed only where a list
/// says stop paying at 0.43 (kernels::sddmm_time). Layers and data sets then leave the set unknown.
constexpr double kListedShare = 0.6;

/// When not known, every unit may be active.
class ActiveSet {
 public:
  /// Entries behind a row's room that its writer may overwrite: vector stores need not be cut.
  static constexpr int kSlack = 16;

  ActiveSet() = default;
  ActiveSet(const ActiveSet& other) { *this = other; }
  /// Keeps its memory and leaves out the room that `other` did not use.
  ActiveSet& operator=(const ActiveSet& other) {
    if (this == &other) return *this;
    begin_within(other), known_ = other.known_;
    if (!known_) return *this;
    reserve(other.total());
    for (int i = 0; i < other.rows(); ++i) {
      const auto units = other.row(i);
      std::copy(units.begin(), units.end(), units_.begin() + static_cast<std::ptrdiff_t>(used_));
      used_ += units.size(), end_row();
    }
    return *this;
  }
  ActiveSet(ActiveSet&&) noexcept = default;
  ActiveSet& operator=(ActiveSet&&) noexcept = default;

  bool known() const { return known_; }
  void forget() { known_ = false; }

  /// Starts a new set; then, for each row: push() its units in ascending order and end_row().
  void begin() { known_ = true, used_ = 0, rows_.clear(); }
  /// The same, with room at once for all that `other` may come to hold.
  void begin_within(const ActiveSet& other) {
    begin();
    units_.reserve(other.units_.capacity()), rows_.reserve(other.rows_.size());
  }
  void push(int unit) {
    if (used_ == units_.size()) units_.resize(std::max<std::size_t>(64, 2 * used_));
    units_[used_++] = unit;
  }
  void end_row() {
    const std::size_t begin = rows_.empty() ? 0 : rows_.back().begin + rows_.back().count;
    rows_.push_back({begin, used_ - begin});
  }

  /// Starts a new set of empty rows with room for `room` units each, to be filled in any order and
  /// on any threads: write a row's units in ascending order to slots(i), then set_count(i, n).
  void begin(int rows, int room) {
    known_ = true;
    const auto n = static_cast<std::size_t>(rows), step = static_cast<std::size_t>(room) + kSlack;
    rows_.resize(n);
    for (std::size_t i = 0; i < n; ++i)
      rows_[i] = {i * step, 0};
    used_ = n * step;
    reserve(0);
  }
  std::int32_t* slots(int i) { return units_.data() + rows_[static_cast<std::size_t>(i)].begin; }
  void set_count(int i, int count) {
    rows_[static_cast<std::size_t>(i)].count = static_cast<std::size_t>(count);
  }

  int rows() const { return static_cast<int>(rows_.size()); }
  std::span<const std::int32_t> row(int i) const {
    const Row& r = rows_[static_cast<std::size_t>(i)];
    return {units_.data() + r.begin, r.count};
  }
  std::size_t total() const {  ///< active units over all rows
    std::size_t sum = 0;
    for (const Row& r : rows_)
      sum += r.count;
    return sum;
  }

 private:
  struct Row {
    std::size_t begin, count;
  };
  void reserve(std::size_t more) {
    if (units_.size() < used_ + more) units_.resize(used_ + more);
  }

  bool known_ = false;
  std::vector<std::int32_t> units_;  ///< only grows: what is not in a row is left over
  std::size_t used_ = 0;
  std::vector<Row> rows_;
};

}  // namespace engram
