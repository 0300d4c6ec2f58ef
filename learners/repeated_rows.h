// Rows of a batch that are earlier rows once more, to be read by the heads of other tasks
// (Batch::repeats): where tasks make no other difference, the layers below the heads need to see
// each of them once.
#pragma once

#include <span>

#include "learners/batch.h"
#include "models/network.h"

namespace engram {

/// Whether the network has a head for every task and nothing else in it asks for a row's task.
bool only_heads_read_tasks(const Network&);

/// Adds rows to a batch that are earlier ones once more: row of[i] for task[i], without a label.
/// `memory` is what the batch gives back.
void add_repeats(std::span<const int> of, std::span<const int> task, Signal& memory, Batch& batch);

class RepeatedRows {
 public:
  /// True if `batch` has rows that need not be passed: x and, after repeat(), features stand for
  /// what the network and its heads read.
  bool take(const Network&, const Batch& batch);

  const Signal& x() const { return x_; }                ///< [distinct rows, inputs]
  const Signal& features() const { return features_; }  ///< [rows of the batch, features]

  /// Fills features() from those of the distinct rows.
  void repeat(const Batch&, const Signal& features);
  /// to [distinct rows, features] <- the error at every row's features, summed over its repeats.
  void sum(const Batch&, const Signal& error, Signal& to) const;

 private:
  Signal x_, features_;
};

}  // namespace engram
