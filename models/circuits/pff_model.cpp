#include "models/circuits/circuits.h"
#include "models/circuits/pff.h"

namespace engram {

std::vector<LayerPtr> pff_layers(const ModelOptions& options, const HeadShape& head) {
  check_labels("pff", head);
  std::vector<LayerPtr> layers;
  layers.push_back(std::make_unique<Pff>(options.pff, options.hidden_units, head.outputs));
  return layers;
}

ModelOptions pff_defaults() {
  ModelOptions o;
  o.hidden_units = 2000;
  return o;
}

}  // namespace engram
