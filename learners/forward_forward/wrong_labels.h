// Negative examples of forward-forward: the same images under labels that are wrong.
#pragma once

#include <vector>

#include "learners/batch.h"
#include "learners/rules/rules.h"

namespace engram {

/// Positives first, then the negatives of those rows for which there is a wrong label.
struct LabelledRows {
  std::vector<int> image;            ///< row of the batch
  std::vector<int> label;            ///< label that it is shown with
  std::vector<std::uint8_t> paired;  ///< per row of the batch: it has a negative
  int positives = 0;
  int rows() const { return static_cast<int>(image.size()); }
};

/// The outputs from which wrong labels of a row are drawn; empty: all.
std::span<const std::uint8_t> allowed_labels(const Batch& batch, int row, Negatives scope);

/// One wrong label for every row, uniform over the others that are allowed.
void draw_wrong_labels(const Batch& batch, int outputs, Negatives scope, Rng rng, LabelledRows&);

}  // namespace engram
