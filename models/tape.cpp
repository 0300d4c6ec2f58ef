#include "models/tape.h"

namespace engram {

Mat Signal::resize(int rows, int cols) {
  const std::size_t needed = static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols);
  if (memory_.size() < needed) memory_ = Buffer<real>(needed);
  rows_ = rows, cols_ = cols;
  active.forget();
  return value();
}

}  // namespace engram
