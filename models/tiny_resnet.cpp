// The small residual network of bottom-up/top-down learning (Abel & Ullman 2024).
#include "models/blocks.h"

namespace engram {

ModelOptions tiny_resnet_defaults() {
  ModelOptions o;
  o.conv_channels = {32, 64, 64}, o.dropout = 0;
  return o;
}
std::vector<LayerPtr> tiny_resnet_layers(const ModelOptions& o, const HeadShape& head) {
  std::vector<LayerPtr> layers;
  add_stem(layers, o);
  for (std::size_t i = 1; i < o.conv_channels.size(); ++i)
    add_residual_block(layers, o, o.conv_channels[i], i == 1 ? 1 : 2, Shortcut::Projected);
  // Pooling that learns.
  layers.push_back(conv2d(o.conv_channels.back(), 5, 3, 1, conv_synapses(o)));
  if (o.batch_norm) layers.push_back(batch_norm());
  add_activation(layers, o, o.percent_on_conv, true);
  add_dropout(layers, o);
  add_head(layers, o, head);
  return layers;
}

}  // namespace engram
