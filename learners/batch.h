// A mini-batch as rules see it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/tape.h"

namespace engram {

struct Batch {
  Signal x;  ///< [rows, input size]
  /// Output index per row; -1: no label, and no part in the loss, whose error somebody else fills
  /// in (Strategy::shape_error).
  std::vector<int> target;
  std::vector<int> task;  ///< task per row
  /// Of the first rows, which are the stream's own: their places in the training set of the phase.
  /// Rows behind them were added by strategies. Empty: all rows are the stream's own.
  std::vector<std::uint32_t> place{};
  /// Allowed outputs per row, [outputs] each; an empty span allows all. Empty vector: all rows.
  std::vector<std::span<const std::uint8_t>> mask;
  /// Outputs of the classes of each row's own task, [outputs] each.
  std::vector<std::span<const std::uint8_t>> own{};
  /// [rows, outputs]: numbers that the outputs are to come near, instead of `target`, which is then
  /// not read. Empty: the labels decide.
  Signal goal{};
  /// The last rows, if they are earlier ones once more that only differ in their task: which one
  /// each. They count no longer once other rows have been added behind them.
  struct Repeats {
    int first = 0;  ///< the row where they begin
    std::vector<int> of{};
  } repeats{};
  int rows() const { return x.rows(); }
  /// Rows that are not repeats.
  int distinct_rows() const {
    const bool last = repeats.first + static_cast<int>(repeats.of.size()) == rows();
    return last ? repeats.first : rows();
  }
  /// The stream's own rows; they come first.
  int own_rows() const { return place.empty() ? rows() : static_cast<int>(place.size()); }
};

/// What a rule reports about one batch.
struct BatchStats {
  double loss = 0;  ///< mean over the rows
  int counted = 0;  ///< rows of which `correct` speaks; 0: all
  /// What the rule said of the epoch; if false, loss and correct mean nothing. The learner's to
  /// set.
  bool labelled = true;
  /// Rows whose best allowed output was the target, or an estimate of them; NaN: nobody looked.
  double correct = 0;
  Macs macs;  ///< of everything the rule computed
};

}  // namespace engram
