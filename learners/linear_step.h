// Gradient descent without a gradient is linear: what owed rows and resting columns rely on.
#pragma once

#include <array>

namespace engram {

/// One idle step, and what a unit of gradient adds: (w, v) <- M (w, v) + gain g.
struct LinearStep {
  std::array<double, 4> matrix{1, 0, 0, 1};  ///< row-major
  std::array<double, 2> gain{};
};

}  // namespace engram
