// Sums over examples of what each one's own gradient says about every weight: its square (Fisher
// information) or its magnitude (MAS). By back-propagation in evaluation mode, whatever rule the
// run learns by, because it is the network that is asked and not the rule.
#pragma once

#include <cmath>
#include <span>
#include <vector>

#include "models/network.h"
#include "models/walk_down.h"

namespace engram {

class SampleGradients {
 public:
  enum class Of { Square, Magnitude };

  SampleGradients(Network& net, Of of);

  /// The logits of examples x [rows, inputs] of these tasks, [rows, outputs].
  CMat forward(const Signal& x, std::span<const int> tasks);
  /// sums [weights] += sum over the rows of |g|^2 or |g|, g the gradient of what has the
  /// derivatives `error` [rows, outputs] with respect to the logits of the last forward(). Where
  /// every weight meets one input and one error per example, as in a stack of linear layers, that
  /// is one product of squares per layer and batch; else one example goes down at a time.
  /// Overwrites the gradients of the network.
  void add(const Signal& error, std::span<real> sums);
  /// sums += the square or magnitude of the mean gradient of the rows, where signs cancel: what
  /// several codes take instead.
  void add_mean(const Signal& error, std::span<real> sums);

 private:
  void descend(const Signal& x, const Tape& tape, const Signal& error, const Pass& pass,
               bool of_products);
  real power(real g) const { return of_ == Of::Square ? g * g : std::abs(g); }
  /// Adds the powers of the gradients at hand, times `scale`, and leaves none.
  void add_powers(real scale, std::span<real> sums);
  void powers(const Signal& from, Signal& to) const;

  Network& net_;
  Of of_;
  bool at_once_ = true;  ///< all examples of a batch in one product
  const Signal* x_ = nullptr;
  std::span<const int> tasks_;
  Tape tape_, one_tape_;
  WalkDown walk_;
  Signal pre_, post_, one_x_, one_error_;
};

}  // namespace engram
