// Outputs that have not won for long cost nothing. A weight without a gradient forgets its own
// past: its velocity tends to a fixed ratio of the weight, one and the same for all idle weights,
//   r <- (M10 + M11 r) / (M00 + M01 r)   for the idle step (w, v) <- M (w, v),
// since whatever deviates from it shrinks by about the momentum in every step. A column (an
// output's weights) that no gradient has touched for long enough thus rests: it keeps w = c w^ with
// one factor c per column, c <- c (M00 + M01 r), and no velocity at all. Behind four winners of
// 4000 almost all outputs of the layer rest, where an ordinary optimiser sweeps twice over every
// weight in every step. The result is the dense optimiser's up to rounding.
//
// Readers multiply by the factors (ParamStore::scaled), or have them multiplied in (value).
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "learners/linear_step.h"
#include "models/param_store.h"

namespace engram {

class RestingColumns final : public Creditor {
 public:
  /// For one slice; `velocity` [rows * cols] is that slice's part, which this class lays out anew
  /// while columns rest: as [rows][capacity], with the columns awake in their slots.
  RestingColumns(ParamStore& params, int id, real* velocity);
  ~RestingColumns() override;
  RestingColumns(const RestingColumns&) = delete;
  RestingColumns& operator=(const RestingColumns&) = delete;

  /// Takes one step of the slice. False: too much of it is awake; the caller sweeps over all of it,
  /// with velocities in their ordinary places, and this class only keeps count.
  bool step(const LinearStep& step);

  /// All velocities are about to become zero, and their layout the ordinary one.
  void forget();

  /// Every velocity into its ordinary place.
  void wake_all() {
    if (header_[kSplit] != 0) join();
    std::fill_n(idle(), cols_, real{0});
  }

  void settle(int id, std::span<const std::int32_t> rows) override;
  void settle_all(int id) override;
  const real* column_scale(int id) override;

  std::vector<std::span<real>> state() { return {columns_, header_}; }

 private:
  // All that a resumed run needs, as numbers that a float keeps.
  enum Header { kSplit, kRatioHigh, kRatioLow, kFactors, kHeader };
  real* factor() { return columns_.data(); }            ///< [cols] c; 1 when awake
  real* idle() { return columns_.data() + cols_; }      ///< [cols] steps since the last gradient
  real* slot() { return columns_.data() + 2 * cols_; }  ///< [cols] -1: at rest
  double ratio() const {
    return static_cast<double>(header_[kRatioHigh]) + static_cast<double>(header_[kRatioLow]);
  }

  real patience() const { return static_cast<real>(patience_); }
  void count(const Param& p);
  void split();  ///< lays out the velocities of the columns awake in slots
  void join();   ///< puts every velocity into its ordinary place
  void wake(int column);
  void sweep(const LinearStep& step);
  void list_awake();

  ParamStore& params_;
  int id_;
  std::size_t rows_, cols_, capacity_;
  int patience_ = 0;  ///< idle steps before a column rests
  real* velocity_;
  std::vector<real> columns_, header_;
  std::vector<std::int32_t> awake_;  ///< by slot: its column, or -1
  struct Awake {
    std::int32_t column, slot, gradient;  ///< the last one in the gradient's block, or -1
  };
  std::vector<Awake> order_;
};

}  // namespace engram
