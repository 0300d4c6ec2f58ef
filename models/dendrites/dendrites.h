// Active dendrites (Iyer, Grewal, Velu, Souza, Forest & Ahmad 2022, arXiv 2201.00042). A context
// layer reads the network's input and says for every example which of the contexts it knows is
// its own; layers of dendrites gate the sums of hidden units by what their segments make of it.
#pragma once

#include <memory>
#include <vector>

#include "models/dendrites/dendrite_options.h"
#include "models/layers.h"

namespace engram {

/// Where the contexts of a network lie, [known at most, length]: state that is saved with it. The
/// context layer, bound first, fills this in.
struct ContextVectors {
  const ParamStore* store = nullptr;
  int id = -1;
  CMat value() const { return store->state(id); }
};
using SharedContexts = std::shared_ptr<ContextVectors>;

/// What an example without a context has in the place of its number: no prototype is known yet.
constexpr int kNoContext = -1;

/// Gives one number for each example: which prototype is its context. In training that of its task,
/// the mean of all images that preview() showed of it; at test, and in training of tasks without
/// one, the nearest to the example.                                        prototype_context.cpp
LayerPtr prototype_context(int tasks, SharedContexts);
/// Likewise without tasks: every training batch joins a cluster, or founds one. cluster_context.cpp
LayerPtr cluster_context(const DendriteOptions&, int most, SharedContexts);

/// h_i = t_i sigmoid(a_i*), with the activation a_is = u_is c of segment s under the context c and
/// a_i* the one that is largest in magnitude. Remembers the context layer. Segments that were not
/// the strongest have no gradient: it is a block of rows.                          dendrites.cpp
LayerPtr dendrites(int segments, double init_share, SharedContexts);

/// What the builder of a model hands on: the place of its context layer, if it has one.
struct ContextPlace {
  int layer = -1;
  SharedContexts vectors;
};
/// Adds the context layer, if there are to be dendrites. The next layer, which would have read what
/// is below it, must still do so.
ContextPlace add_context(std::vector<LayerPtr>& layers, const DendriteOptions&, int tasks);
/// Adds dendrites to the hidden layer that was added last, if there is a context.
void add_dendrites(std::vector<LayerPtr>& layers, const DendriteOptions&, const ContextPlace&);

}  // namespace engram
