// Where a training run is, and what it has to say about an epoch.
#pragma once

#include <cstdint>
#include <vector>

#include "models/tape.h"  // Macs

namespace engram {

/// Of one layer with weights: its feedback matrix B beside its weights W, and what the rule makes
/// of a batch beside what back-propagation makes of it. NaN where there is nothing to compare.
struct Alignment {
  double feedback_angle = 0;  ///< degrees between B and W, as vectors
  double update_angle = 0;    ///< degrees between the rule's gradient of W and back-propagation's
  double norm_ratio = 0;      ///< |B| / |W|, Frobenius
};

/// One epoch of training.
struct EpochRow {
  int experience = 0, epoch = 0;  ///< 0-based
  double learning_rate = 0;       ///< of its last step
  double loss = 0;                ///< mean over its examples
  double train_accuracy = 0;      ///< on its examples, as they came, in training mode
  double seconds = 0;
  Macs macs;                            ///< multiply-adds of its training steps
  std::vector<double> active_fraction;  ///< per hidden layer, before dropout
  std::vector<Alignment> alignment;     ///< per layer with weights, after the epoch; or empty
  std::vector<double> measures;         ///< means of Rule::measures, NaN where it had none
};

/// The next thing to do, and the sums of the epoch so far: with the weights, all that a resumed run
/// needs, because random numbers depend on names and counters alone.
struct Cursor {
  int experience = 0, epoch = 0;
  std::int64_t step = 0;  ///< within the epoch
  std::int64_t total_steps = 0;
  std::int64_t examples = 0;                                     ///< in this epoch so far
  double loss = 0, correct = 0, seconds = 0, learning_rate = 0;  ///< sums, and the last rate
  Macs macs;
  double window_correct = 0, window_examples = 0;  ///< since the last continual evaluation
  std::vector<double> active;          ///< per hidden layer: sum of active fractions times rows
  std::vector<double> measures;        ///< of the rule: sums over the examples of this epoch
  std::vector<std::int64_t> measured;  ///< so many of them: not those of which a measure was NaN
};

}  // namespace engram
