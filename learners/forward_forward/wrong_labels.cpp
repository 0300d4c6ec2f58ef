#include "learners/forward_forward/wrong_labels.h"

namespace engram {

std::span<const std::uint8_t> allowed_labels(const Batch& batch, int row, Negatives scope) {
  const auto at = static_cast<std::size_t>(row);
  if (scope == Negatives::Seen && !batch.mask.empty()) return batch.mask[at];
  if (scope == Negatives::Task && !batch.own.empty()) return batch.own[at];
  return {};
}

void draw_wrong_labels(const Batch& batch, int outputs, Negatives scope, Rng rng,
                       LabelledRows& rows) {
  const int n = batch.rows();
  rows.positives = n;
  rows.image.clear(), rows.label.clear();
  rows.paired.assign(static_cast<std::size_t>(n), 0);
  for (int i = 0; i < n; ++i) {
    rows.image.push_back(i);
    rows.label.push_back(batch.target[static_cast<std::size_t>(i)]);
  }
  for (int i = 0; i < n; ++i) {
    const auto allowed = allowed_labels(batch, i, scope);
    const int target = batch.target[static_cast<std::size_t>(i)];
    const auto wrong = [&](int c) {
      return c != target && (allowed.empty() || allowed[static_cast<std::size_t>(c)]);
    };
    std::uint32_t count = 0;
    for (int c = 0; c < outputs; ++c)
      count += wrong(c);
    if (count == 0) continue;
    std::uint32_t place = rng.below(count);
    int label = 0;
    while (!wrong(label) || place-- > 0)
      ++label;
    rows.image.push_back(i), rows.label.push_back(label);
    rows.paired[static_cast<std::size_t>(i)] = 1;
  }
}

}  // namespace engram
