// How the goodness of labels moves while other tasks are learnt: for every level, by the class of
// the example.
#pragma once

#include <vector>

#include "exps/record.h"
#include "models/network.h"

namespace engram {

class GoodnessLog {
 public:
  explicit GoodnessLog(const Network& net);
  /// True for networks that try labels.
  bool on() const { return levels_ > 0; }
  /// Forgets what was added.
  void start();
  /// Adds a batch that was evaluated; `target`: right outputs of its rows.
  void add(const Tape& tape, std::span<const int> target);
  /// What was added since start() becomes row `row` of the accuracy matrix; row 0 makes the
  /// records.
  void finish(int row, RunRecord& run) const;

 private:
  struct Mean {
    double sum = 0, count = 0;
    double value() const { return count > 0 ? sum / count : kNotEvaluated; }
  };
  std::size_t layer_ = 0, levels_ = 0, outputs_ = 0;
  std::vector<Mean> label_, others_;  ///< [levels][outputs]
};

}  // namespace engram
