// Memory of a thread for intermediate results, kept from call to call: it only grows, so that a
// training step allocates nothing once it has run.
#pragma once

#include <cstddef>

#include "utils/buffer.h"
#include "utils/matrix.h"

namespace engram {

/// Declare as `thread_local Scratch memory;` in the function that uses it.
class Scratch {
 public:
  /// At least `count` numbers on a cache line boundary; the content is undefined.
  real* get(std::size_t count) {
    if (count > memory_.size()) {
      memory_ = {};  // before the new one is there
      memory_ = Buffer<real>(count);
    }
    return memory_.data();
  }
  Mat matrix(int rows, int cols) {
    return {get(static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols)), rows, cols};
  }

 private:
  Buffer<real> memory_;
};

}  // namespace engram
