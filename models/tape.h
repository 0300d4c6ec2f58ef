// What a pass through a network leaves behind. The tape is owned by the caller, so a network holds
// no activations and can be used by several rules at once. A signal knows its active set: after
// k-winners a row is k units out of thousands, and whatever reads it touches only those.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "utils/active_set.h"
#include "utils/buffer.h"
#include "utils/matrix.h"

namespace engram {

/// Activations or errors of one layer for a batch: [rows, cols], zero outside the active set.
class Signal {
 public:
  /// Gives the signal a shape; the content is undefined, the active set unknown. Memory is kept
  /// when it is large enough.
  Mat resize(int rows, int cols);
  /// The same for a signal that will be zero outside its active set: all zero now, and the caller
  /// writes at the units that it then lists in `active`, nowhere else. Costs what was active
  /// before, not the size of the signal, when its last content was of this kind too.
  Mat resize_sparse(int rows, int cols);
  Mat value() { return {memory_.data(), rows_, cols_}; }
  CMat value() const { return {memory_.data(), rows_, cols_}; }
  /// May be written anywhere from now on.
  void densify() { sparse_ = false, active.forget(); }
  int rows() const { return rows_; }
  int cols() const { return cols_; }

  ActiveSet active;
  /// Fraction of the units that may be active; 1 when not known.
  double active_share() const {
    const double all = static_cast<double>(rows_) * cols_;
    return active.known() && all > 0 ? static_cast<double>(active.total()) / all : 1;
  }

 private:
  Buffer<real> memory_;
  int rows_ = 0, cols_ = 0;
  bool sparse_ = false;  ///< made by resize_sparse
};

/// to <- the rows of `above`, and those of `below` under them; its active set is known where both
/// are.
void join_rows(const Signal& above, const Signal& below, Signal& to);

/// to += from. Shortcuts and errors that meet; `to` forgets its active set.
void add_signal(const Signal& from, Signal& to);

/// One entry of the tape: the output of a layer, and what the layer needs again on the way back.
struct Record {
  Signal out;
  std::vector<real> saved;          ///< layer's own: batch statistics, dropout factors, ...
  std::vector<std::int32_t> index;  ///< layer's own: places of maxima, ...
  std::vector<std::uint8_t> bits;   ///< layer's own: a bit for each element (dropout)
  std::span<const real> gate;       ///< [tasks, units], lent by models/gating.h; empty: all open
  std::vector<const Signal*> past;  ///< what the layer remembers (Wiring::past), lent by the tape
};
using Tape = std::vector<Record>;  ///< tape[l] belongs to layer l

/// Multiply-adds that were executed, and what a dense implementation would have executed.
struct Macs {
  double executed = 0, dense = 0;
  Macs& operator+=(const Macs& other) {
    executed += other.executed, dense += other.dense;
    return *this;
  }
};

/// to <- from, with its active set.
void copy_signal(const Signal& from, Signal& to);

}  // namespace engram
