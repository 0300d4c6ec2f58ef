#include "models/circuits/circuits.h"
#include "models/circuits/ff.h"
#include "utils/error.h"

namespace engram {

std::vector<LayerPtr> ff_layers(const ModelOptions& options, const HeadShape& head) {
  check_labels("ff", head);
  std::vector<int> widths = options.hidden;
  if (widths.empty())
    widths.assign(static_cast<std::size_t>(options.hidden_layers), options.hidden_units);
  std::vector<LayerPtr> layers;
  layers.push_back(std::make_unique<Ff>(options.ff, std::move(widths), head.outputs));
  return layers;
}

ModelOptions ff_defaults() {
  ModelOptions o;
  o.hidden_units = 1000, o.hidden_layers = 3;
  return o;
}

}  // namespace engram
