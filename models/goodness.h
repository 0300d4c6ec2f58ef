// Networks that recognise by trying labels (Hinton 2022): each level has a goodness, its sum of
// squared activities, which is trained to tell an image with its true label from one with a wrong
// label. A label's score comes from the goodness of all levels when it is held to be true.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "models/layer.h"
#include "models/network.h"
#include "utils/options.h"

namespace engram {

/// Which examples a level answers with much activity.
enum class PositiveGoodness { Low, High };
template <>
struct Choices<PositiveGoodness> {
  static constexpr std::array<std::string_view, 2> names{"low", "high"};
};

/// A whole network as one layer: its output [rows, labels] is the score of every label, the lowest
/// number for those that Pass::outputs leaves out. forward() leaves the mean goodness of every
/// level in Record::saved, [rows, labels, levels], NaN where a label was not tried.
class GoodnessLayer : public Layer {
 public:
  virtual int levels() const = 0;
  bool differentiable() const final { return false; }
  /// Local rules send no error down.
  Macs backward_input(const Signal&, const Record&, const Signal&, Signal&, const Pass&,
                      const Descent&) const final;
};

/// What can make images from codes and codes from images.
class ImageModel {
 public:
  virtual ~ImageModel() = default;
  virtual int latents() const = 0;
  /// False when the generating half is switched off.
  virtual bool generates() const = 0;
  /// codes [rows, latents] <- of images [rows, pixels]; `outputs`: labels that may be guessed.
  virtual void encode(CMat images, std::span<const std::uint8_t> outputs, Mat codes) const = 0;
  /// images [rows, pixels] <- of codes [rows, latents], whose length does not matter; in [0, 1].
  virtual void decode(CMat codes, Mat images) const = 0;
  /// rebuilt [rows, pixels] <- images by way of their highest representation.
  virtual void reconstruct(CMat images, Mat rebuilt) const = 0;
};

/// The first layer of a network that is a T, or null.
template <class T>
T* find_layer(Network& net) {
  for (int l = 0; l < net.depth(); ++l)
    if (auto* found = dynamic_cast<T*>(&net.layer(l))) return found;
  return nullptr;
}
template <class T>
const T* find_layer(const Network& net) {
  for (int l = 0; l < net.depth(); ++l)
    if (auto* found = dynamic_cast<const T*>(&net.layer(l))) return found;
  return nullptr;
}

}  // namespace engram
