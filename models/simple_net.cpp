// The convolutional network of bottom-up/top-down learning (Abel & Ullman 2024): every convolution
// is followed by a depth-wise one with stride 2 in the place of pooling, each with an activation.
#include "models/blocks.h"

namespace engram {

ModelOptions simple_net_defaults() {
  ModelOptions o;
  o.conv_channels = {32, 32}, o.hidden_units = 50, o.dropout = 0;
  return o;
}

std::vector<LayerPtr> simple_net_layers(const ModelOptions& o, const HeadShape& head) {
  std::vector<LayerPtr> layers;
  int pool = 2;
  for (const int channels : o.conv_channels) {
    add_convolution(layers, o, channels);
    layers.push_back(grouped_conv2d(channels, pool, 2, 0, channels, hidden_synapses(o)));
    if (o.batch_norm) layers.push_back(batch_norm());
    add_activation(layers, o, o.percent_on_conv, true);
    add_dropout(layers, o);
    pool = 3;
  }
  add_hidden_layers(layers, o, true);
  add_head(layers, o, head);
  return layers;
}

}  // namespace engram
