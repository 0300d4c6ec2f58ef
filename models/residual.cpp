// Pieces of residual networks (He et al. 2016).
#include "models/blocks.h"

namespace engram {

void add_residual_block(std::vector<LayerPtr>& layers, const ModelOptions& o, int channels,
                        int stride, Shortcut kind) {
  const std::size_t begin = layers.size();
  const auto distance = [&] { return static_cast<int>(layers.size() - begin); };
  const Synapses synapses = conv_synapses(o, Biased::No);
  layers.push_back(conv2d(channels, 3, stride, 1, synapses));
  if (o.batch_norm) layers.push_back(batch_norm());
  add_activation(layers, o, o.percent_on_conv, true);
  layers.push_back(conv2d(channels, 3, 1, 1, synapses));
  if (o.batch_norm) layers.push_back(batch_norm());
  if (kind == Shortcut::Identity) {
    layers.back()->wiring.adds = distance();
  } else {
    const int main = distance();
    const bool projected = kind == Shortcut::Projected;
    layers.push_back(projected ? conv2d(channels, 1, stride, 0, synapses)
                               : shortcut(channels, stride));
    layers.back()->wiring.reads = main + 1;
    if (projected && o.batch_norm) layers.push_back(batch_norm());
    layers.back()->wiring.adds = distance() - main;
  }
  add_activation(layers, o, o.percent_on_conv, true);
}

void add_stem(std::vector<LayerPtr>& layers, const ModelOptions& o) {
  layers.push_back(conv2d(o.conv_channels.front(), 3, 1, 1, conv_synapses(o, Biased::No)));
  if (o.batch_norm) layers.push_back(batch_norm());
  add_activation(layers, o, o.percent_on_conv, true);
}

void add_residual_stages(std::vector<LayerPtr>& layers, const ModelOptions& o, int blocks,
                         Shortcut change) {
  int below = o.conv_channels.front();
  for (std::size_t stage = 0; stage < o.conv_channels.size(); ++stage) {
    const int channels = o.conv_channels[stage];
    for (int block = 0; block < blocks; ++block) {
      const int stride = stage > 0 && block == 0 ? 2 : 1;
      const bool same = stride == 1 && channels == below;
      add_residual_block(layers, o, channels, stride, same ? Shortcut::Identity : change);
      below = channels;
    }
  }
}

std::vector<LayerPtr> cifar_resnet_layers(const ModelOptions& o, const HeadShape& head,
                                          int blocks) {
  std::vector<LayerPtr> layers;
  add_stem(layers, o);
  add_residual_stages(layers, o, blocks, Shortcut::Subsampled);
  layers.push_back(global_avg_pool());
  add_dropout(layers, o);
  add_head(layers, o, head);
  return layers;
}

ModelOptions cifar_resnet_defaults() {
  ModelOptions o;
  o.conv_channels = {16, 32, 64}, o.batch_norm = true, o.dropout = 0;
  return o;
}

}  // namespace engram
