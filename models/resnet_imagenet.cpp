// Residual networks for large images (He et al. 2016) in the shape of torchvision's: a 7x7
// convolution and max pooling, each with stride 2, then four stages; shortcuts are projected where
// the shape changes. stage_depths = 2, 2, 2, 2 is ResNet-18, 3, 4, 6, 3 ResNet-34, and with
// bottleneck = yes ResNet-50.
#include "models/blocks.h"
#include "utils/error.h"

namespace engram {
namespace {

constexpr int kExpansion = 4;  ///< channels of a bottleneck's output over its inner ones

/// 1x1, 3x3 with the stride, 1x1, each with batch norm, + shortcut.
void add_bottleneck(std::vector<LayerPtr>& layers, const ModelOptions& o, int channels, int stride,
                    bool projected) {
  const Synapses synapses = conv_synapses(o, Biased::No);
  const std::size_t begin = layers.size();
  const auto distance = [&] { return static_cast<int>(layers.size() - begin); };
  const auto convolution = [&](int outputs, int kernel, int step) {
    layers.push_back(conv2d(outputs, kernel, step, kernel / 2, synapses));
    if (o.batch_norm) layers.push_back(batch_norm());
  };
  convolution(channels, 1, 1);
  add_activation(layers, o, o.percent_on_conv, true);
  convolution(channels, 3, stride);
  add_activation(layers, o, o.percent_on_conv, true);
  convolution(kExpansion * channels, 1, 1);
  const int main = distance();
  if (projected) {
    const std::size_t first = layers.size();
    convolution(kExpansion * channels, 1, stride);
    layers[first]->wiring.reads = main + 1;
    layers.back()->wiring.adds = distance() - main;
  } else {
    layers.back()->wiring.adds = main;
  }
  add_activation(layers, o, o.percent_on_conv, true);
}

}  // namespace

ModelOptions resnet_imagenet_defaults() {
  ModelOptions o;
  o.conv_channels = {64, 128, 256, 512}, o.stage_depths = {2, 2, 2, 2};
  o.batch_norm = true, o.dropout = 0, o.feature_pool = {1, 1};
  return o;
}

std::vector<LayerPtr> resnet_imagenet_layers(const ModelOptions& o, const HeadShape& head) {
  check_stages(o);
  std::vector<LayerPtr> layers;
  layers.push_back(conv2d(o.conv_channels.front(), 7, 2, 3, conv_synapses(o, Biased::No)));
  if (o.batch_norm) layers.push_back(batch_norm());
  add_activation(layers, o, o.percent_on_conv, true);
  layers.push_back(max_pool(3, 2, 1));
  int below = o.conv_channels.front();
  for (std::size_t stage = 0; stage < o.conv_channels.size(); ++stage)
    for (int block = 0; block < o.stage_depths[stage]; ++block) {
      const int channels = o.conv_channels[stage], stride = stage > 0 && block == 0 ? 2 : 1;
      const int above = o.bottleneck ? kExpansion * channels : channels;
      const bool projected = stride != 1 || above != below;
      if (o.bottleneck)
        add_bottleneck(layers, o, channels, stride, projected);
      else
        add_residual_block(layers, o, channels, stride,
                           projected ? Shortcut::Projected : Shortcut::Identity);
      below = above;
    }
  add_feature_pool(layers, o);
  add_dropout(layers, o);
  add_head(layers, o, head);
  return layers;
}

}  // namespace engram
