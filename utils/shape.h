// The shape of one example as it flows through a network.
#pragma once

#include <string>

namespace engram {

/// Height x width x channels, channels fastest. A flat vector of n features is 1 x 1 x n.
struct ImageShape {
  int height = 1, width = 1, channels = 1;
  int size() const { return height * width * channels; }
  bool flat() const { return height == 1 && width == 1; }
  bool operator==(const ImageShape&) const = default;
  /// "28x28x1", or "784" when flat.
  std::string text() const {
    if (flat()) return std::to_string(channels);
    return std::to_string(height) + "x" + std::to_string(width) + "x" + std::to_string(channels);
  }
};

}  // namespace engram
