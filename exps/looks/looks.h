// Everything that a run looks at beside its accuracy, at every row of the matrix: receptive fields,
// representations, plasticity, attributions. Off by default, and then it costs nothing; what is on
// changes no weight.
#pragma once

#include "benchmarks/scenario.h"
#include "benchmarks/stream.h"
#include "exps/experiment.h"
#include "exps/looks/attributions.h"
#include "exps/looks/plasticity.h"
#include "exps/looks/receptive_fields.h"
#include "exps/looks/representations.h"
#include "exps/moment.h"
#include "exps/record.h"
#include "models/network.h"

namespace engram {

class Looks {
 public:
  /// Error(Config) when something is asked for that the network cannot show.
  Looks(const Network& net, const Targets& targets, const TaskStream& stream,
        const EvaluationOptions& options, Rng rng);
  /// For a row of the accuracy matrix.
  void take(const Moment&, RunRecord& run);
  /// What checkpoints must keep.
  std::vector<std::span<real>> state() { return representations_.state(); }

 private:
  const TaskStream& stream_;
  ReceptiveFields fields_;
  Representations representations_;
  PlasticityLook plasticity_;
  Attributions attributions_;
};

}  // namespace engram
