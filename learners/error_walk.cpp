#include "learners/error_walk.h"

#include <algorithm>

namespace engram {

void ErrorWalk::begin(const Network& net) {
  errors_.resize(static_cast<std::size_t>(net.depth()));
  reached_.assign(static_cast<std::size_t>(net.depth()), 0);
}

void ErrorWalk::receive(int layer, const Signal& error) {
  Signal& to = errors_[static_cast<std::size_t>(layer)];
  if (reached_[static_cast<std::size_t>(layer)]) {
    add_signal(error, to);
  } else {
    const CMat from = error.value();
    std::copy_n(from.data, from.size(), to.resize(from.rows, from.cols).data);
    reached_[static_cast<std::size_t>(layer)] = true;
  }
}

}  // namespace engram
