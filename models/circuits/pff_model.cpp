#include "models/circuits/circuits.h"
#include "models/circuits/pff.h"
#include "utils/error.h"

namespace engram {

std::vector<LayerPtr> pff_layers(const ModelOptions& options, const HeadShape& head) {
  if (head.heads > 1)
    throw Error(Fault::Config,
                "model = pff has one set of labels; use head = masked or shared instead of "
                "per_task");
  if (head.outputs < 2)
    throw Error(Fault::Config, "model = pff tells labels apart and needs two of them at least");
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
