// Moves the weights of one layer by what its local rule made of a batch.
#pragma once

#include "learners/hebbian/local_rule.h"
#include "models/sparse_synapses.h"
#include "models/synaptic.h"

namespace engram {

/// The weights of a layer, however they are stored: all of them, perhaps masked, or those that
/// exist.
struct LayerWeights {
  const SynapticMatrix* all = nullptr;
  const SparseSynapses* existing = nullptr;
  int id() const { return all ? all->weight_id() : existing->weight_id(); }
  int units() const { return all ? all->weight().cols : existing->fans().outputs; }
  int fan_in() const { return all ? all->weight().rows : existing->fans().in; }
};

/// How far a step went.
struct StepSize {
  int moved = 0;    ///< units whose weights may have changed
  double norm = 0;  ///< mean L2 norm of their weights, after the step; NaN when there are none
};

class LocalUpdate {
 public:
  /// W += rate (G - W M) / size, where G = Xᵀ P is the gradient that the layer has accumulated.
  /// Units that may not learn, and those of which no example is in `post`, where that is known, are
  /// not touched: their change is 0 because the rule's decay is. `samples`: for Divide::Samples.
  /// `norm`: what units that may learn are brought to afterwards; 0: they are not.
  StepSize apply(ParamStore&, const LayerWeights&, LocalRule&, Divide, const LocalChange&,
                 UnitRange learning, int samples, double rate, double norm, Mat memory,
                 real& count);
  /// weights of unit u <- factor[u] times what they are.
  static void scale(ParamStore&, const LayerWeights&, const std::vector<real>& factor);
  /// norms <- L2 norm of each unit's weights.
  static void norms(ParamStore&, const LayerWeights&, std::vector<real>& norms);

 private:
  /// W M for M of pairs, [fan_in, touched units].
  CMat pairs_decayed(ParamStore&, const LayerWeights&, const Signal& post, bool lower);

  std::vector<std::int32_t> touched_, row_of_;
  std::vector<real> factor_, squares_, post_, pairs_, weights_, decayed_;
};

}  // namespace engram
