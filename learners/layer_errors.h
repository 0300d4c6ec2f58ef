// What every layer read and which error came down to its output, for one batch, by
// back-propagation: for strategies that look inside. Changes no weight and no gradient.
#pragma once

#include <utility>

#include "learners/loss.h"
#include "models/walk_down.h"

namespace engram {

class LayerErrors {
 public:
  /// Calls visit(layer, its input, the error at its output) from the top down to `floor`.
  template <class Visit>
  void run(const Network& net, const LossOptions& loss, const Batch& batch, const Pass& pass,
           Visit visit, int floor = 0) {
    net.evaluate(batch.x, tape_, pass);
    output_error(loss, tape_.back().out, batch, error_);
    const auto in = [&](int l) -> const Signal& { return input_of(net, l, batch.x, tape_); };
    const auto out = [&](int l) -> const Record& { return tape_[static_cast<std::size_t>(l)]; };
    walk_.run(
        net, error_, [&](int l, const Signal& above) { visit(l, in(l), above); },
        [&](int l, const Signal& above, Signal& below) {
          return net.layer(l).backward_input(in(l), out(l), above, below, pass);
        },
        [&](int l, const Signal& above, std::span<Signal> past) {
          return net.layer(l).backward_past(in(l), out(l), above, past, pass);
        },
        floor);
  }
  const Tape& tape() const { return tape_; }

 private:
  Tape tape_;
  Signal error_;
  WalkDown walk_;
};

}  // namespace engram
