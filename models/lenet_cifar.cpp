// The LeNet for CIFAR-10 that feedback rules are compared with: three 3x3 convolutions without
// padding, which leave 4x4 places of a 32x32 image, and their mean over all places.
#include "models/blocks.h"

namespace engram {

ModelOptions lenet_cifar_defaults() {
  ModelOptions o;
  o.conv_channels = {32, 64, 128}, o.conv_kernel = 3, o.pool = Pool::Max;
  o.hidden_units = 256, o.dropout = 0;
  return o;
}

std::vector<LayerPtr> lenet_cifar_layers(const ModelOptions& o, const HeadShape& head) {
  std::vector<LayerPtr> layers;
  add_conv_stages(layers, o, PoolAfter::AllButLast);
  layers.push_back(global_avg_pool());
  add_hidden_layers(layers, o, true);
  add_head(layers, o, head);
  return layers;
}

}  // namespace engram
