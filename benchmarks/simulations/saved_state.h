// What simulations share: the seed that stands for their random numbers, their state as a list of
// numbers that is checked when it is read back, and actions that are numbers.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "utils/matrix.h"
#include "utils/rng.h"

namespace engram {

constexpr double kMostSeed = 9007199254740991.0;  ///< 2^53 - 1: doubles hold every one

/// A whole number up to kMostSeed drawn from `rng`, so that a checkpoint can hold it.
double seed_of(Rng rng);

/// Error(Numerical) when one of them is no finite number: that would spoil a world for good.
void refuse_nonsense(CMat actions);

class StateWriter {
 public:
  StateWriter(std::string_view world, int bodies);
  void add(double value) { values_.push_back(value); }
  std::vector<double> take() { return std::move(values_); }

 private:
  std::vector<double> values_;
};

/// Reads in the order of writing. Error(Data) when the list is of another world or number of
/// bodies, ends early or late, or holds what a world cannot be in.
class StateReader {
 public:
  StateReader(std::string_view world, int bodies, std::span<const double> saved);
  double number(double low, double high);
  double whole(double low, double high);
  void end() const;

 private:
  [[noreturn]] void refuse(std::string_view why) const;

  std::string_view world_;
  std::span<const double> saved_;
  std::size_t next_ = 0;
};

}  // namespace engram
