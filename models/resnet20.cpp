// The residual network of 20 layers for CIFAR-10 (He et al. 2016).
#include "models/blocks.h"

namespace engram {

std::vector<LayerPtr> resnet20_layers(const ModelOptions& o, const HeadShape& head) {
  return cifar_resnet_layers(o, head, 3);
}

}  // namespace engram
