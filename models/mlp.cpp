// Multi-layer perceptron of the sparse-dynamic-synapses study: [linear, relu or k-winners, dropout]
// per hidden layer and a classifier. The sparse variant has no relu: winners may be negative.
// Active dendrites may gate what relu or k-winners see.
#include "models/blocks.h"

namespace engram {

std::vector<LayerPtr> mlp_layers(const ModelOptions& options, const HeadShape& head) {
  std::vector<LayerPtr> layers;
  add_input(layers, options);
  const ContextPlace context = add_context(layers, options.dendrites, head.tasks);
  add_hidden_layers(layers, options, false, context);
  add_head(layers, options, head);
  return layers;
}

}  // namespace engram
