// Rows of the accuracy matrix: when each is filled, and what had been learnt until then.
#pragma once

#include "benchmarks/stream.h"

namespace engram {

struct Moment {
  int row = 0;
  int task = -1;         ///< learnt last; -1: none yet
  int learnt = 0;        ///< tasks 0 ... learnt - 1 had their phase
  int seen = 0;          ///< of tasks 0 ... seen - 1 training examples were met, perhaps early ones
  bool at_once = false;  ///< all tasks are learnt in one phase
  bool last = false;

  /// Whether a task has just been learnt: the newest, or all of them.
  bool is_new(int which) const { return row > 0 && (at_once || which == task); }
};

/// Rows of the matrix: one before training, then one for each task, or for each phase where tasks
/// come back.
int matrix_rows(const TaskStream&);
/// Row 0.
Moment untrained_moment(const TaskStream&);
/// The row after phase e: e + 1, or the last one when all tasks are learnt at once.
Moment moment_after(const TaskStream&, int e, int seen);

}  // namespace engram
