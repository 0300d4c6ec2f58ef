// Residual networks (He et al. 2016). ResNet-18 for small images and its tiny relative are those of
// bottom-up/top-down learning (Abel & Ullman 2024): no pooling but convolutions with a stride, and
// no batch norm unless asked for. ResNet-20 and 56 are He's networks for CIFAR-10, whose shortcuts
// have no parameters.
#include "models/blocks.h"

namespace engram {
namespace {

/// conv 3x3 [batch norm] relu, without a bias.
void add_stem(std::vector<LayerPtr>& layers, const ModelOptions& o) {
  layers.push_back(conv2d(o.conv_channels.front(), 3, 1, 1, conv_synapses(o, Biased::No)));
  if (o.batch_norm) layers.push_back(batch_norm());
  add_activation(layers, o, o.percent_on_conv, true);
}

/// Stages of `blocks` blocks, each but the first on half the places; `change` is the shortcut where
/// the shape changes.
void add_stages(std::vector<LayerPtr>& layers, const ModelOptions& o, int blocks, Shortcut change) {
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

std::vector<LayerPtr> cifar_layers(const ModelOptions& o, const HeadShape& head, int blocks) {
  std::vector<LayerPtr> layers;
  add_stem(layers, o);
  add_stages(layers, o, blocks, Shortcut::Subsampled);
  layers.push_back(global_avg_pool());
  add_dropout(layers, o);
  add_head(layers, o, head);
  return layers;
}

}  // namespace

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

ModelOptions resnet18_defaults() {
  ModelOptions o;
  o.conv_channels = {64, 128, 256, 512}, o.dropout = 0;
  return o;
}
std::vector<LayerPtr> resnet18_layers(const ModelOptions& o, const HeadShape& head) {
  std::vector<LayerPtr> layers;
  add_stem(layers, o);
  add_stages(layers, o, 2, Shortcut::Projected);
  add_dropout(layers, o);
  add_head(layers, o, head);
  return layers;
}

ModelOptions cifar_resnet_defaults() {
  ModelOptions o;
  o.conv_channels = {16, 32, 64}, o.batch_norm = true, o.dropout = 0;
  return o;
}
std::vector<LayerPtr> resnet20_layers(const ModelOptions& o, const HeadShape& head) {
  return cifar_layers(o, head, 3);
}
std::vector<LayerPtr> resnet56_layers(const ModelOptions& o, const HeadShape& head) {
  return cifar_layers(o, head, 9);
}

}  // namespace engram
