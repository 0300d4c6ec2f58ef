// What an agent has lived through, as rows of numbers in a ring: once it is full, the newest row
// takes the place of the oldest.
#pragma once

#include <span>
#include <vector>

#include "utils/real.h"
#include "utils/rng.h"

namespace engram {

class ReplayMemory {
 public:
  static constexpr int kMost = 1 << 24;  ///< rows: a float counts no further

  ReplayMemory(int capacity, int width);
  int capacity() const { return capacity_; }
  int size() const { return static_cast<int>(place_[0]); }
  /// The row to be written now, whatever it holds.
  std::span<real> add();
  std::span<const real> row(int i) const;
  /// rows <- places of rows that are there, evenly and with repetition. There must be one.
  void draw(Rng rng, std::span<int> rows) const;
  void clear() { place_ = {0, 0}; }
  std::vector<std::span<real>> state() { return {rows_, place_}; }

 private:
  int capacity_, width_;
  std::vector<real> rows_;
  std::vector<real> place_ = {0, 0};  ///< how many rows there are, and which comes next
};

}  // namespace engram
