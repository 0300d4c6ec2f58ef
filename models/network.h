// A network is an ordered list of layers over one parameter store.
#pragma once

#include <string>
#include <vector>

#include "models/layer.h"

namespace engram {

class Network {
 public:
  /// Binds the layers to an input shape and draws initial values from rng.fork("layer", index).
  /// `active_share`: of the inputs that may be non-zero, if that is known.
  Network(ImageShape in, std::vector<LayerPtr> layers, Rng rng, double active_share = 1);

  /// tape[l] <- output of layer l. In a training pass every layer observes its output.
  Macs forward(const Signal& x, Tape& tape, const Pass& pass);
  /// As forward, without changing any state: the function whose gradient a rule computes.
  Macs evaluate(const Signal& x, Tape& tape, const Pass& pass) const;

  int depth() const { return static_cast<int>(layers_.size()); }
  Layer& layer(int l) { return *layers_[static_cast<std::size_t>(l)]; }
  const Layer& layer(int l) const { return *layers_[static_cast<std::size_t>(l)]; }
  const ImageShape& shape(int l) const {
    return shapes_[static_cast<std::size_t>(l)];
  }  ///< in of l
  const ImageShape& in() const { return shapes_.front(); }
  int outputs() const { return shapes_.back().size(); }
  std::string layer_name(int l) const { return names_[static_cast<std::size_t>(l)]; }
  /// One line per layer.
  std::string describe() const;

  ParamStore& params() { return store_; }
  const ParamStore& params() const { return store_; }

  void begin_epoch();
  void begin_experience(std::span<const int> tasks);

 private:
  ParamStore store_;
  std::vector<LayerPtr> layers_;
  std::vector<ImageShape> shapes_;
  std::vector<std::string> names_;
};

/// What layer l reads: x for the first, else the output of the layer below.
inline const Signal& input_of(int l, const Signal& x, const Tape& tape) {
  return l == 0 ? x : tape[static_cast<std::size_t>(l - 1)].out;
}

}  // namespace engram
