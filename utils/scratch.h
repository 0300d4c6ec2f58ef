// Memory of a thread for intermediate results, kept from call to call: it only grows, so that a
// training step allocates nothing once it has run.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

#include "utils/real.h"

namespace engram {

/// Declare as `thread_local Scratch memory;` in the function that uses it.
class Scratch {
 public:
  /// At least `count` numbers on a cache line boundary; the content is undefined.
  real* get(std::size_t count) {
    if (count > count_) {
      constexpr std::size_t kLine = 64;
      memory_.reset();
      count_ = 0;
      memory_.reset(std::aligned_alloc(kLine, (count * sizeof(real) + kLine - 1) / kLine * kLine));
      if (!memory_) throw std::bad_alloc();
      count_ = count;
    }
    return static_cast<real*>(memory_.get());
  }

 private:
  struct Free {
    void operator()(void* p) const { std::free(p); }
  };
  std::unique_ptr<void, Free> memory_;
  std::size_t count_ = 0;
};

}  // namespace engram
