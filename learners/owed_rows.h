// Idle steps of gradient descent, paid when a row is next read. Without a gradient, a weight and
// its velocity evolve linearly, [w v] <- M [w v] with one 2x2 matrix for all: n idle steps are one
// multiplication by the product of their matrices. So a 4000x4000 layer behind four winners costs
// what the few rows that are read cost, and the result is the dense optimiser's up to rounding.
//
// A gradient g of one step is added to a row that is up to date and about to owe that very step,
// so it is entered as M^-1 b g, which the step turns into b g.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "learners/linear_step.h"
#include "models/param_store.h"

namespace engram {

class OwedRows final : public Creditor {
 public:
  /// `velocity` as long as all parameters, or null when there is no momentum.
  OwedRows(ParamStore& params, real* velocity);
  ~OwedRows() override;
  OwedRows(const OwedRows&) = delete;
  OwedRows& operator=(const OwedRows&) = delete;

  /// Enters the gradient of a lazy slice, whose rows will owe `step`. False: the gradient is not
  /// sparse; the slice has been settled and the caller steps it itself.
  bool enter(int id, const LinearStep& step);
  /// After all slices: from here on, every row that entered owes one step more.
  void end_step(const LinearStep& step);

  void settle(int id, std::span<const std::int32_t> rows) override;
  void settle_all(int id) override;

  /// For checkpoints: what is owed, as numbers that a float keeps exactly.
  std::vector<std::span<real>> state();

 private:
  /// A step that is this old is paid whether anybody reads the row or not.
  static constexpr int kOldest = 256;
  struct Slice {
    int id = 0;
    std::span<real> age;  ///< steps owed by each row; in ages_
  };
  Slice* find(int id);
  /// To those who read the row it stays the same: nobody is told.
  void pay(const Param& p, int row, int age) const;
  std::array<double, 4> product(int age) const;  ///< of the last `age` steps

  ParamStore& params_;
  real* weights_;  ///< of params_, which enter() tells of what they are changed
  real* velocity_;
  std::vector<real> ages_;
  std::vector<Slice> slices_;
  std::vector<real> products_;  ///< [kOldest + 1][4][2]: high and low part of a double
};

}  // namespace engram
