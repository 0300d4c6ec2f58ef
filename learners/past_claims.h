// What past tasks would feel of a synapse between any two units of two layers, whether there is one
// or not: the diagonal of a Fisher information that falls into its ends,
//   F_ij = sum over tasks of E[x_i^2] E[d_j^2],
// with x the inputs of a layer and d the errors of single examples at its outputs (the diagonal of
// Martens & Grosse 2015, arXiv 1503.05671, a term for every task). It takes tasks x units of
// memory, never their pairs.
#pragma once

#include <span>
#include <vector>

#include "models/sparse_synapses.h"
#include "models/tape.h"

namespace engram {

class PastClaims {
 public:
  /// `tasks`: as many as there will be.
  PastClaims(int inputs, int outputs, int tasks);

  /// A batch of the task at hand: x [rows, inputs], the error of its mean loss [rows, outputs].
  void see(const Signal& x, const Signal& error);
  /// The task at hand becomes one of the past.
  void end_task();

  /// F at one pair; 0 before the first task has ended.
  real at(SparseSynapses::Edge) const;

  /// [all that is remembered]
  std::span<real> state() { return all_; }

 private:
  std::size_t row() const { return inputs_ + outputs_; }
  std::size_t past() const { return static_cast<std::size_t>(all_[0]); }
  const real* task(std::size_t k) const { return all_.data() + kHead + k * row(); }
  real* task(std::size_t k) { return all_.data() + kHead + k * row(); }

  static constexpr std::size_t kHead = 2;
  std::size_t inputs_, outputs_, tasks_;
  /// Past tasks; batches seen of the task at hand; then a row for every task, the one at hand after
  /// the past ones: squares of inputs, squares of errors, of the task at hand their sums.
  std::vector<real> all_;
};

}  // namespace engram
