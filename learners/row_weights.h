// How much parts of a batch count in the loss, for strategies that weigh the present against what
// they replay.
#pragma once

#include <algorithm>

#include "learners/batch.h"

namespace engram {

/// Rows with a label among `count` rows of a batch from `first` on.
inline int labelled_rows(const Batch& batch, int first, int count) {
  const auto begin = batch.target.begin() + first;
  return static_cast<int>(std::count_if(begin, begin + count, [](int t) { return t >= 0; }));
}

/// The error of a loss that is a mean over all labelled rows <- that of a loss in which the mean
/// over these rows has the weight `weight`.
inline void weigh_rows(const Batch& batch, int first, int count, double weight, Mat error) {
  const int labelled = labelled_rows(batch, first, count);
  if (labelled == 0) return;
  const auto scale = static_cast<real>(weight * labelled_rows(batch, 0, batch.rows()) / labelled);
  for (int b = first; b < first + count; ++b)
    for (int y = 0; y < error.cols; ++y)
      error.row(b)[y] *= scale;
}

}  // namespace engram
