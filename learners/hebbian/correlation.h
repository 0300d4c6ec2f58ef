// What rules share whose post-synaptic term is the activity itself.
#pragma once

#include <algorithm>

#include "learners/hebbian/local_rule.h"
#include "utils/parallel.h"

namespace engram {

/// post <- the activity of the units that may learn; 0 and not listed for the others.
inline void copy_activity(const LayerActivity& a, Signal& post) {
  const int rows = a.rows(), cols = a.places * a.units();
  const auto learns = [&](int unit) { return unit >= a.learning.first && unit < a.learning.last; };
  if (a.active) {
    const Mat to = post.resize_sparse(rows, cols);
    post.active.begin_within(*a.active);
    for (int b = 0; b < rows; ++b) {
      const real* const from = a.y.data + static_cast<std::size_t>(b) * cols;
      for (const std::int32_t at : a.active->row(b)) {
        if (!learns(at % a.units())) continue;
        to.row(b)[at] = from[at];
        post.active.push(at);
      }
      post.active.end_row();
    }
    return;
  }
  const Mat to = post.resize(rows, cols);
  const Mat samples{to.data, a.y.rows, a.y.cols};
  for_rows(a.y.rows, [&](int s) {
    real* const row = samples.row(s);
    std::fill_n(row, a.units(), real{0});
    std::copy(a.y.row(s) + a.learning.first, a.y.row(s) + a.learning.last, row + a.learning.first);
  });
}

}  // namespace engram
