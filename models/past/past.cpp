#include "models/past/past.h"

#include "utils/error.h"

namespace engram {
namespace {

int last_of(const std::vector<LayerPtr>& layers) {
  return static_cast<int>(layers.size()) - 1;
}

/// Appends a layer that reads the layer `source` and remembers `past`; returns its place.
int append(std::vector<LayerPtr>& layers, LayerPtr layer, int source,
           std::span<const int> past = {}) {
  const int place = static_cast<int>(layers.size());
  layer->wiring.reads = place - source;
  for (const int p : past)
    layer->wiring.past.push_back(place - p);
  layers.push_back(std::move(layer));
  return place;
}

/// Projections are linear layers of their own, those of the past as convolutions of one place, so
/// that whatever learns or carries errors through such layers does so here.
void add_attention(std::vector<LayerPtr>& layers, AttentionOptions o,
                   std::span<const int> remembered, int features, const Synapses& synapses) {
  if (!o.projected && (o.width || o.independent_heads))
    throw Error(Fault::Config,
                "attention.width and attention.independent_heads are of projections; use "
                "attention.projected = yes");
  const int width = o.width.value_or(features);
  const int all = o.independent_heads ? o.heads * width : width;
  int value = last_of(layers);
  if (o.projected) value = append(layers, linear(all, synapses), value);
  const int seen =
      append(layers, recall(), remembered.back(), remembered.first(remembered.size() - 1));
  int query = seen, key = seen;
  if (o.projected) {
    query = append(layers, conv2d(all, 1, 1, 0, synapses), seen);
    key = append(layers, conv2d(all, 1, 1, 0, synapses), seen);
  }
  append(layers, pseudo_attention(o), value, std::array{query, key});
  layers.push_back(linear(width, synapses));
}

}  // namespace

void add_past(std::vector<LayerPtr>& layers, const PastOptions& o, std::span<const int> remembered,
              int features, const Synapses& synapses) {
  ENGRAM_INVARIANT(!remembered.empty());
  if (o.mechanism == PastMechanism::Kde) {
    KdeOptions options = o.kde;
    options.stochastic_eval = o.stochastic_eval;
    append(layers, kde(options), last_of(layers), remembered);
  } else if (o.mechanism == PastMechanism::Attention) {
    AttentionOptions options = o.attention;
    options.stochastic_eval = o.stochastic_eval;
    add_attention(layers, options, remembered, features, synapses);
  }
}

}  // namespace engram
