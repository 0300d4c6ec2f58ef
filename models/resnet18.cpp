// ResNet-18 for small images as in bottom-up/top-down learning (Abel & Ullman 2024): no pooling but
// convolutions with a stride, and no batch norm unless asked for.
#include "models/blocks.h"

namespace engram {

ModelOptions resnet18_defaults() {
  ModelOptions o;
  o.conv_channels = {64, 128, 256, 512}, o.dropout = 0;
  return o;
}
std::vector<LayerPtr> resnet18_layers(const ModelOptions& o, const HeadShape& head) {
  std::vector<LayerPtr> layers;
  add_stem(layers, o);
  add_residual_stages(layers, o, 2, Shortcut::Projected);
  add_dropout(layers, o);
  add_head(layers, o, head);
  return layers;
}

}  // namespace engram
