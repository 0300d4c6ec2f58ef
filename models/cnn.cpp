// Convolutional network of the sparse-dynamic-synapses study: [conv, relu, (k-winners), dropout,
// (pooling)] per entry of conv_channels, then one fully connected hidden layer, or those of
// `hidden`; hidden_layers does not apply, as in the study. Release 1.0.0 is conv_channels = 64, 128
// and 1024 hidden units; the runs of November 2019 are conv_channels = 64 and 512. Any image size
// fits: the flattened size is computed.
#include "models/blocks.h"

namespace engram {

std::vector<LayerPtr> cnn_layers(const ModelOptions& o, const HeadShape& head) {
  std::vector<LayerPtr> layers;
  const Synapses synapses{o.sparsify ? o.weight_sparsity_conv : 1, o.mask_rounding, o.init,
                          o.weight_storage};
  for (const int channels : o.conv_channels) {
    layers.push_back(conv2d(channels, o.conv_kernel, o.conv_stride, o.conv_pad, synapses));
    if (o.batch_norm) layers.push_back(batch_norm());
    add_activation(layers, o, o.percent_on_conv, true);
    if (o.pool == Pool::Max) layers.push_back(max_pool(o.pool_size, o.pool_size));
    if (o.pool == Pool::Avg) layers.push_back(avg_pool(o.pool_size, o.pool_size));
    add_dropout(layers, o);
  }
  ModelOptions top = o;
  top.hidden_layers = 1;
  add_hidden_layers(layers, top, true);
  add_head(layers, o, head);
  return layers;
}

}  // namespace engram
