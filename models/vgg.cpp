// VGG (Simonyan & Zisserman 2015): stages of 3x3 convolutions, each stage followed by max pooling
// that halves the image; then, if asked for, averages to a size of one's own, and fully connected
// layers. stage_depths = 1, 1, 2, 2, 2 is VGG-11; 2, 2, 3, 3, 3 VGG-16; 2, 2, 4, 4, 4 VGG-19; with
// batch_norm = yes, which is of convolutions alone, they are the _bn variants. torchvision's
// classifier is feature_pool = 7, 7 and hidden = 4096, 4096.
#include "models/blocks.h"
#include "utils/error.h"

namespace engram {

ModelOptions vgg_defaults() {
  ModelOptions o;
  o.conv_channels = {64, 128, 256, 512, 512}, o.stage_depths = {1, 1, 2, 2, 2};
  o.hidden_layers = 0, o.dropout = 0;
  return o;
}

std::vector<LayerPtr> vgg_layers(const ModelOptions& o, const HeadShape& head) {
  check_stages(o);
  std::vector<LayerPtr> layers;
  ModelOptions convolution = o;
  convolution.conv_kernel = 3, convolution.conv_stride = convolution.conv_pad = 1;
  for (std::size_t stage = 0; stage < o.conv_channels.size(); ++stage) {
    for (int i = 0; i < o.stage_depths[stage]; ++i)
      add_convolution(layers, convolution, o.conv_channels[stage]);
    layers.push_back(max_pool(2, 2));
  }
  add_feature_pool(layers, o);
  ModelOptions connected = o;
  connected.batch_norm = false;
  add_hidden_layers(layers, connected, true);
  add_head(layers, o, head);
  return layers;
}

}  // namespace engram
