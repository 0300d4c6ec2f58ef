// Convolutional network of the sparse-dynamic-synapses study: [conv, relu, (k-winners), dropout,
// (pooling)] per entry of conv_channels, then one fully connected hidden layer, or those of
// `hidden`; hidden_layers does not apply, as in the study. Release 1.0.0 is conv_channels = 64, 128
// and 1024 hidden units; the runs of November 2019 are conv_channels = 64 and 512. Any image size
// fits: the flattened size is computed.
#include "models/blocks.h"

namespace engram {

std::vector<LayerPtr> cnn_layers(const ModelOptions& o, const HeadShape& head) {
  std::vector<LayerPtr> layers;
  add_input(layers, o);
  add_conv_stages(layers, o, PoolAfter::All);
  ModelOptions top = o;
  top.hidden_layers = 1;
  add_hidden_layers(layers, top, true);
  add_head(layers, o, head);
  return layers;
}

}  // namespace engram
