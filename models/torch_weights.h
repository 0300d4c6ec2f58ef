// State dicts of PyTorch as weights of our layers. Modules are matched kind by kind in the natural
// order of their names (features.2 before features.10): the first convolution there is the first
// one here, and so are batch norms, layer norms and linear layers. That is the order of computation
// in torchvision's VGG and ResNets and in nn.Sequential. Shapes are checked by whoever loads.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "models/network.h"
#include "utils/tensor_files.h"

namespace engram {

/// A slice of parameters or state as a file has it: row-major [rows, cols].
struct SavedSlice {
  std::size_t rows = 0, cols = 0;
  std::vector<float> values;
  std::string origin;  ///< its name in the file, when that is another
};
using SavedSlices = std::map<std::string, SavedSlice, std::less<>>;

/// By the names of the network's slices. Convolutions [O, I, kh, kw] become [(kh, kw, I), O],
/// linear layers [O, I] become [I, O]; where one reads an image, I is (C, H, W) there and (H, W, C)
/// here.
SavedSlices from_torch(std::span<const NamedTensor>, const Network&);

/// Whether digits in names count as numbers: "layer2" before "layer10".
bool natural_less(const std::string& a, const std::string& b);

}  // namespace engram
