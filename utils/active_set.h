// Which units of a batch may be non-zero: for every row an ascending list of columns. What makes
// cost follow activity: kernels that are given one touch only the listed units.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace engram {

/// When not known, every unit may be active.
class ActiveSet {
 public:
  bool known() const { return known_; }
  void forget() { known_ = false; }

  /// Starts a new set; then, for each row: push() its units in ascending order and end_row().
  void begin() { known_ = true, units_.clear(), ends_.clear(); }
  void push(int unit) { units_.push_back(unit); }
  void end_row() { ends_.push_back(static_cast<std::int32_t>(units_.size())); }

  int rows() const { return static_cast<int>(ends_.size()); }
  std::span<const std::int32_t> row(int i) const {
    const auto r = static_cast<std::size_t>(i);
    const auto begin = r == 0 ? 0u : static_cast<std::size_t>(ends_[r - 1]);
    return {units_.data() + begin, static_cast<std::size_t>(ends_[r]) - begin};
  }
  std::size_t total() const { return units_.size(); }  ///< active units over all rows

 private:
  bool known_ = false;
  std::vector<std::int32_t> units_, ends_;
};

}  // namespace engram
