// LeNet-5 for images of 32x32 pixels (LeCun et al. 1998) in its usual modern form, as used to
// compare feedback rules: relu, max pooling, and every channel reads all channels below. MNIST gets
// its size by `pad = 2`.
#include "models/blocks.h"

namespace engram {

ModelOptions lenet_defaults() {
  ModelOptions o;
  o.conv_channels = {6, 16, 120}, o.pool = Pool::Max, o.hidden_units = 84, o.dropout = 0;
  return o;
}

std::vector<LayerPtr> lenet_layers(const ModelOptions& o, const HeadShape& head) {
  std::vector<LayerPtr> layers;
  add_conv_stages(layers, o, PoolAfter::AllButLast);
  add_hidden_layers(layers, o, true);
  add_head(layers, o, head);
  return layers;
}

}  // namespace engram
