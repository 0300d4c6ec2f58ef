// What becomes of a task's representation, layer by layer, while others are learnt: whether classes
// can still be read from it, how far it has moved, and what it shares with other tasks.
#pragma once

#include <span>
#include <vector>

#include "benchmarks/scenario.h"
#include "benchmarks/stream.h"
#include "exps/experiment.h"
#include "exps/moment.h"
#include "exps/record.h"
#include "models/network.h"

namespace engram {

/// Features of one layer for some examples; maps of images are means over 4 x 4 cells.
using Features = xt::xtensor<double, 2>;  ///< [examples, features]

/// Values [rows of y, features] of a layer's output: as they are when it is flat or no larger than
/// 4 x 4 places, else the mean of every channel over the cells of a 4 x 4 grid.
Features pooled_features(const Signal& y, const ImageShape& shape);
/// Linear probe accuracy: of a ridge probe (utils/ridge_probe.h, strength 0.01) that was fitted to
/// the first half of the examples, on the second half. NaN below four examples.
double probe_accuracy(const Features& features, std::span<const std::int32_t> labels);
/// Representation drift: 1 - the mean over the examples of the cosine between both features of
/// each; two vectors of zeros have the cosine 1, one alone 0. NaN without examples.
double representation_drift(const Features& now, const Features& then);

/// What overlaps are computed from.
struct ActivityProfile {
  std::vector<double> strength;      ///< [features]: mean absolute value
  std::vector<std::uint8_t> active;  ///< [features]: 1 where not 0 on more than a tenth of examples
};
ActivityProfile activity_profile(const Features& features);
/// Cosine of the mean absolute activities; NaN when one of them is 0 everywhere.
double strength_overlap(const ActivityProfile& a, const ActivityProfile& b);
/// Jaccard index of the sets of active features; NaN when both are empty.
double active_overlap(const ActivityProfile& a, const ActivityProfile& b);

class Representations {
 public:
  /// Off when options.representation_examples = 0. Error(Config) for networks without hidden
  /// layers, and for more tasks than the tables of all layers have room for.
  Representations(const Network& net, const Targets& targets, const TaskStream& stream,
                  const EvaluationOptions& options, Rng rng);
  bool on() const { return examples_ > 0; }
  /// Fills a row of every record: for all tasks before training (and at the end, when they were
  /// learnt at once), else for those learnt so far. Row 0 makes the records. Remembers the features
  /// of the task that has just been learnt.
  void take(const Moment&, RunRecord& run);
  /// What checkpoints must keep: features of the first examples of every task when it was learnt,
  /// one span per layer.
  std::vector<std::span<real>> state();

 private:
  struct Sample {
    ExampleSet examples;
    std::vector<std::int32_t> labels;  ///< the outputs that are right
  };
  const Sample& sample(int task);
  std::vector<Features> features_of(int task);
  void start(RunRecord& run) const;
  /// Those of a task when it was learnt: [examples, features].
  Features remembered(std::size_t layer, int task) const;
  void remember(std::size_t layer, int task, const Features& now);
  std::size_t width(std::size_t layer) const;

  const Network& net_;
  const Targets& targets_;
  const TaskStream& stream_;
  Rng rng_;
  int examples_ = 0;
  bool validation_ = false;
  std::vector<int> layers_;
  std::vector<Sample> samples_;                 ///< per task, made when first asked for
  std::vector<std::vector<real>> when_learnt_;  ///< per layer [tasks, examples, features]
};

}  // namespace engram
