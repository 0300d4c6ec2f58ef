#include "models/walk_down.h"

namespace engram {

void WalkDown::begin(const Network& net) {
  signals_.resize(static_cast<std::size_t>(net.depth()));
  reached_.assign(static_cast<std::size_t>(net.depth()), 0);
}

void WalkDown::receive(int layer, const Signal& signal) {
  Signal& to = signals_[static_cast<std::size_t>(layer)];
  if (reached_[static_cast<std::size_t>(layer)] != 0) {
    add_signal(signal, to);
  } else {
    copy_signal(signal, to);
    reached_[static_cast<std::size_t>(layer)] = 1;
  }
}

}  // namespace engram
