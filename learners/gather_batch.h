// How examples become rows of a batch: for the training loop, and for strategies that replay.
#pragma once

#include <cstdint>
#include <span>

#include "benchmarks/dataset.h"
#include "benchmarks/scenario.h"
#include "learners/batch.h"

namespace engram {

/// batch <- the examples at these places, as the stream's own rows, with labels as outputs and the
/// masks of a phase that has met `tasks_seen` tasks.
void gather_batch(const ExampleSet& examples, std::span<const std::uint32_t> places,
                  const Targets& targets, int tasks_seen, Batch& batch);

/// Adds rows behind those of a batch.
class BatchAppender {
 public:
  void append(const ExampleSet& examples, std::span<const std::uint32_t> places,
              const Targets& targets, int tasks_seen, Batch& batch);

 private:
  Signal more_, joined_;
};

/// The rows of a batch from `first` on say a label of the data set and a task; the label becomes
/// the output that stands for it, and masks are set.
void set_targets(const Targets& targets, int tasks_seen, int first, Batch& batch);

}  // namespace engram
