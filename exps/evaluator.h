// Looks at a network without changing it: accuracy per task, and which units are active.
#pragma once

#include <cstdint>
#include <vector>

#include "benchmarks/scenario.h"
#include "benchmarks/stream.h"
#include "exps/experiment.h"
#include "exps/goodness_log.h"
#include "learners/batch.h"
#include "models/network.h"

namespace engram {

/// How often each unit of each hidden layer was active; channels of an image share a counter.
struct UnitUsage {
  std::vector<std::vector<std::uint32_t>> counts;  ///< [hidden layer][unit]
  std::vector<double> active_fraction;             ///< [hidden layer]
};

/// Examples per evaluation pass: large for speed, small enough for wide layers to stay in memory.
int rows_at_once(const Network& net);

class Evaluator {
 public:
  Evaluator(const Network&, const Targets&, const EvaluationOptions&, int batch_size);

  /// Accuracy on examples of one task after `tasks_seen` tasks; NaN where it would mean nothing
  /// (no examples, no head yet). Fills `usage` if given.
  double accuracy(const ExampleSet& examples, int task, int tasks_seen, UnitUsage* usage = nullptr);

  /// Whom to tell about the goodness of labels, or null. It must outlive the evaluator or be taken
  /// back.
  void watch(GoodnessLog* log) { goodness_ = log; }
  /// Multiply-adds of everything evaluated so far.
  const Macs& macs() const { return macs_; }
  /// Units that are counted in a hidden layer: features, or channels of an image.
  static int units_of(const Network& net, int layer);

 private:
  /// Adds to hits[0] the correct among places [begin, end), to hits[1] those among the first `pad`.
  void evaluate_batch(const ExampleSet&, std::size_t begin, std::size_t end, int task, int head,
                      int tasks_seen, UnitUsage* usage);
  void count_units(UnitUsage& usage) const;
  double padded_accuracy(std::size_t examples) const;

  const Network& net_;
  const Targets& targets_;
  EvaluationOptions o_;
  int batch_size_, rows_;
  std::vector<int> hidden_;
  GoodnessLog* goodness_ = nullptr;
  std::vector<std::uint32_t> places_;  ///< of the batch
  Batch batch_;
  Tape tape_;
  Macs macs_;
  std::vector<std::uint8_t> correct_;  ///< per example of the set under test
};

}  // namespace engram
