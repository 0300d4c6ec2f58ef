// The convolutional network of SoftHebb for CIFAR-10 (Journe et al. 2023): three blocks of batch
// norm without parameters, reflection padding, a convolution without biases, a triangle activation
// and pooling; then dropout and the classifier. Kernels, powers and pooling are the paper's;
// weights start wide, for the rule shrinks their norms to 1. Any image that leaves a place at the
// top fits.
#include <array>

#include <fmt/format.h>

#include "models/blocks.h"
#include "utils/error.h"

namespace engram {
namespace {

struct Block {
  int kernel;
  double power;
};
constexpr std::array<Block, 3> kBlocks{{{5, 0.7}, {3, 1.4}, {3, 1.0}}};

}  // namespace

ModelOptions softhebb_cnn_defaults() {
  ModelOptions o;
  o.conv_channels = {96, 384, 1536}, o.dropout = 0.5;
  o.init = WeightInit::NormalFan, o.init_scale = 25;
  return o;
}

std::vector<LayerPtr> softhebb_cnn_layers(const ModelOptions& o, const HeadShape& head) {
  if (o.conv_channels.size() != kBlocks.size())
    throw Error(Fault::Config,
                fmt::format("softhebb_cnn has {} blocks, but conv_channels has {} numbers",
                            kBlocks.size(), o.conv_channels.size()));
  std::vector<LayerPtr> layers;
  for (std::size_t i = 0; i < kBlocks.size(); ++i) {
    const auto& [kernel, power] = kBlocks[i];
    layers.push_back(batch_norm({.affine = false}));
    layers.push_back(reflect_pad(kernel / 2));
    layers.push_back(conv2d(o.conv_channels[i], kernel, 1, 0, conv_synapses(o, Biased::No)));
    layers.push_back(triangle(power));
    layers.push_back(i + 1 < kBlocks.size() ? max_pool(4, 2, 1) : avg_pool(2, 2));
  }
  add_dropout(layers, o);
  add_head(layers, o, head);
  return layers;
}

}  // namespace engram
