// How able to learn a network still is: dead and dormant units, ranks of what hidden layers say,
// and sizes of weights, before and after every task.
#pragma once

#include <span>
#include <vector>

#include "benchmarks/stream.h"
#include "exps/experiment.h"
#include "exps/looks/representations.h"
#include "exps/moment.h"
#include "exps/record.h"
#include "models/network.h"

namespace engram {

/// Share of the units with s_i <= tau, s_i = magnitude_i / mean of all: tau-dormant (Sokar et al.
/// 2023). tau = 0: dead. Where all are silent all are dormant; NaN without units.
double dormant_share(std::span<const double> magnitudes, double tau);

struct Ranks {
  double effective = 0, approximate = 0, srank99 = 0, stable = 0;  ///< as kUnitMeasures says
};
/// From singular values in descending order; all 0 where these are.
Ranks ranks_of(std::span<const double> singular_values);

class PlasticityLook {
 public:
  /// Off when options.plasticity_examples = 0. Error(Config) for networks without hidden layers.
  PlasticityLook(const Network& net, const TaskStream& stream, const EvaluationOptions& options,
                 Rng rng);
  /// For a row of the accuracy matrix: one phase is over, unless it is row 0, and the next one, if
  /// any, is about to begin. Row 0 makes the records.
  void take(const Moment&, RunRecord& run);

 private:
  /// What the units of a hidden layer say to examples.
  struct Activity {
    Features features;               ///< of which ranks are taken
    std::vector<double> magnitudes;  ///< mean |h| of every unit, or channel of an image
  };
  void start(RunRecord& run) const;
  void measure(int phase, std::size_t moment, RunRecord& run) const;
  std::vector<Activity> activity(int phase) const;

  const Network& net_;
  const TaskStream& stream_;
  Rng rng_;
  int examples_ = 0;
  std::vector<int> hidden_, weighted_;  ///< layers
};

}  // namespace engram
