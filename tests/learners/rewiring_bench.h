// A network some of whose synapses are missing, for strategies that move them.
#pragma once

#include <utility>
#include <vector>

#include "models/layers.h"
#include "models/sparse_synapses.h"
#include "tests/learners/strategy_bench.h"

namespace engram::testing {

inline std::vector<LayerPtr> sparse_layers(double density = 0.3) {
  const Synapses synapses{.density = density, .storage = WeightStorage::Sparse, .rewirable = true};
  return stack(linear(20, synapses), relu(), linear(16, synapses), relu());
}

inline BenchPlan rewiring_plan() {
  BenchPlan p;
  p.each = 20, p.learner.batch_size = 8, p.learner.epochs = 4;
  p.scenario = {.scenario = Scenario::Class, .head = Head::Shared};
  p.optimizer.lr = 0.05, p.optimizer.momentum = 0.9;
  return p;
}

using Edges = std::vector<std::pair<int, int>>;  ///< output, input
inline Edges edges_of(Network& net, int layer) {
  Edges all;
  const SparseSynapses& s = *net.layer(layer).rewirable();
  for (std::size_t slot = 0; slot < s.entries(); ++slot)
    all.emplace_back(s.edge(slot).output, s.edge(slot).input);
  return all;
}
/// Slots of a layer whose edge is another than before.
inline std::vector<std::size_t> moved(const Edges& before, const Edges& after) {
  std::vector<std::size_t> slots;
  for (std::size_t i = 0; i < before.size(); ++i)
    if (before[i] != after[i]) slots.push_back(i);
  return slots;
}

}  // namespace engram::testing
