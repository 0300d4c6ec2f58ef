// Errors on their way down through a network, by whichever path a rule sends them. Shortcuts make
// errors meet; what layers do with an error on its way is up to the visitor.
#pragma once

#include <utility>
#include <vector>

#include "models/network.h"

namespace engram {

class ErrorWalk {
 public:
  /// Calls visit(layer, its input, its record, the error at its output) for every layer from the
  /// top, and sends `error` [batch, outputs] of the network's outputs down from layer to layer by
  /// `descent(layer)`. `skips(layer)`: layers that pass errors on as they are.
  template <class Visit, class By, class Skips>
  Macs run(const Network& net, const Signal& x, const Tape& tape, const Signal& error,
           const Pass& pass, By descent, Visit visit, Skips skips) {
    Macs macs;
    begin(net);
    const int top = net.depth() - 1;
    for (int l = top; l >= 0; --l) {
      const Signal& above = l == top ? error : errors_[static_cast<std::size_t>(l)];
      if (const int also = net.second(l); also >= 0) receive(also, above);
      const Signal& in = input_of(net, l, x, tape);
      const Record& out = tape[static_cast<std::size_t>(l)];
      visit(l, in, out, above);
      const int below = net.source(l);
      if (below < 0) continue;
      if (skips(l)) {
        receive(below, above);
      } else if (!reached_[static_cast<std::size_t>(below)]) {
        macs += net.layer(l).backward_input(
            in, out, above, errors_[static_cast<std::size_t>(below)], pass, descent(l));
        reached_[static_cast<std::size_t>(below)] = true;
      } else {
        macs += net.layer(l).backward_input(in, out, above, branch_, pass, descent(l));
        receive(below, branch_);
      }
    }
    return macs;
  }

 private:
  void begin(const Network& net);
  /// The error at the output of a layer <- or += `error`.
  void receive(int layer, const Signal& error);

  std::vector<Signal> errors_;  ///< at the outputs of each layer: sparse ones keep their zeros
  std::vector<char> reached_;   ///< whether errors_ of a layer means anything yet
  Signal branch_;
};

}  // namespace engram
