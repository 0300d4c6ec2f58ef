// Signals on their way down through a network: errors, or instructions. Shortcuts make signals
// meet; what happens to them on the way is up to the caller.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "models/network.h"

namespace engram {

class WalkDown {
 public:
  /// From the top layer to the bottom: calls visit(layer, the signal at its output), and, unless
  /// the layer reads the input of the network, send(layer, the signal at its output, where the
  /// signal at its input is to go), which returns multiply-adds; and, if the layer sends signals to
  /// what it remembers, recall(layer, the signal at its output, where those at the outputs that it
  /// remembers are to go). `top`: the signal at the outputs of the network. Layers below `floor`
  /// are not reached, nor those that no way down leads to. Returns the sum.
  template <class Visit, class Send, class Recall>
  Macs run(const Network& net, const Signal& top, Visit visit, Send send, Recall recall,
           int floor = 0) {
    Macs macs;
    begin(net);
    for (int l = net.depth() - 1; l >= floor; --l) {
      if (!net.errors_reach(l)) continue;
      const Signal& above = l == net.depth() - 1 ? top : signals_[static_cast<std::size_t>(l)];
      if (const int also = net.second(l); also >= floor) receive(also, above);
      visit(l, above);
      if (net.layer(l).errors_reach_past()) {
        const std::size_t count = net.layer(l).wiring.past.size();
        recalled_.resize(std::max(recalled_.size(), count));
        macs += recall(l, above, std::span(recalled_).first(count));
        for (std::size_t i = 0; i < count; ++i)
          if (net.past(l, i) >= floor) receive(net.past(l, i), recalled_[i]);
      }
      const int below = net.source(l);
      if (below < floor || !net.layer(l).errors_reach_input()) continue;
      const bool met = reached_[static_cast<std::size_t>(below)] != 0;
      macs += send(l, above, met ? branch_ : signals_[static_cast<std::size_t>(below)]);
      if (met) receive(below, branch_);
      reached_[static_cast<std::size_t>(below)] = 1;
    }
    return macs;
  }

 private:
  void begin(const Network& net);
  /// The signal at the output of a layer <- or += `signal`.
  void receive(int layer, const Signal& signal);

  std::vector<Signal> signals_;  ///< at the outputs of each layer: sparse ones keep their zeros
  std::vector<char> reached_;    ///< whether a layer's signal means anything yet
  Signal branch_;
  std::vector<Signal> recalled_;  ///< on their way to what a layer remembers
};

}  // namespace engram
