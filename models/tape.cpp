#include "models/tape.h"

#include <algorithm>

#include "utils/kernels.h"

namespace engram {

Mat Signal::resize(int rows, int cols) {
  const std::size_t needed = static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols);
  if (memory_.size() < needed) memory_ = Buffer<real>(needed);
  rows_ = rows, cols_ = cols;
  active.forget();
  return value();
}

Mat Signal::resize_for_list(int rows, int cols) {
  // Above this share clearing all is faster than finding the places (measured).
  constexpr double kFewListed = 0.02;
  if (listed_ && rows == rows_ && cols == cols_ && active_share() < kFewListed) {
    for (int b = 0; b < rows; ++b)
      for (const std::int32_t i : active.row(b))
        memory_[static_cast<std::size_t>(b) * static_cast<std::size_t>(cols) + i] = 0;
  } else {
    kernels::fill(resize(rows, cols).all(), 0);
  }
  active.forget();
  listed_ = true;
  return {memory_.data(), rows_, cols_};
}

}  // namespace engram
