// A mini-batch as rules see it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/tape.h"

namespace engram {

struct Batch {
  Signal x;                 ///< [rows, input size]
  std::vector<int> target;  ///< output index per row
  std::vector<int> task;    ///< task per row
  /// Allowed outputs per row, [outputs] each; an empty span allows all. Empty vector: all rows.
  std::vector<std::span<const std::uint8_t>> mask;
  /// Outputs of the classes of each row's own task, [outputs] each.
  std::vector<std::span<const std::uint8_t>> own{};
  /// [rows, outputs]: numbers that the outputs are to come near, instead of `target`, which is then
  /// not read. Empty: the labels decide.
  Signal goal{};
  int rows() const { return x.rows(); }
};

/// What a rule reports about one batch.
struct BatchStats {
  double loss = 0;  ///< mean over the rows
  /// What the rule said of the epoch; if false, loss and correct mean nothing. The learner's to
  /// set.
  bool labelled = true;
  double correct = 0;  ///< rows whose best allowed output was the target, or an estimate of them
  Macs macs;           ///< of everything the rule computed
};

}  // namespace engram
