// A network is an ordered list of layers over one parameter store.
#pragma once

#include <string>
#include <vector>

#include "models/gating.h"
#include "models/layer.h"

namespace engram {

class Network {
 public:
  /// Binds the layers to an input shape and draws initial values from rng.fork("layer", index).
  /// `active_share`: of the inputs that may be non-zero, if that is known. `feedback`: what layers
  /// keep for errors; the rule fills it. Error(Config) for shapes that do not fit.
  /// `gating`: which units a task may use; null: all.
  Network(ImageShape in, std::vector<LayerPtr> layers, Rng rng, double active_share = 1,
          const FeedbackPlan& feedback = {}, std::unique_ptr<Gating> gating = nullptr);

  /// tape[l] <- output of layer l. In a training pass every layer observes its output.
  Macs forward(const Signal& x, Tape& tape, const Pass& pass) {
    return forward(x, tape, pass, depth());
  }
  /// The same for the lowest `count` layers alone.
  Macs forward(const Signal& x, Tape& tape, const Pass& pass, int count);
  /// As forward, without changing any state: the function whose gradient a rule computes.
  Macs evaluate(const Signal& x, Tape& tape, const Pass& pass) const {
    return evaluate(x, tape, pass, depth());
  }
  Macs evaluate(const Signal& x, Tape& tape, const Pass& pass, int count) const;

  /// Shows images of an experience to come, and their tasks, to the layers that want to see them.
  void preview(CMat images, std::span<const int> tasks);
  /// Whether there are such layers.
  bool previews() const;

  int depth() const { return static_cast<int>(layers_.size()); }
  Layer& layer(int l) { return *layers_[static_cast<std::size_t>(l)]; }
  const Layer& layer(int l) const { return *layers_[static_cast<std::size_t>(l)]; }
  /// What layer l reads: the output of a layer below, or -1, the input of the network.
  int source(int l) const { return l - layer(l).wiring.reads; }
  /// The layer whose output is added to that of l, or -1.
  int second(int l) const { return layer(l).wiring.adds > 0 ? l - layer(l).wiring.adds : -1; }
  /// The i-th layer whose output l remembers.
  int past(int l, std::size_t i) const { return l - layer(l).wiring.past[i]; }
  /// Whether the error at the outputs of the network comes down to the output of l on any way.
  bool errors_reach(int l) const { return errors_reach_[static_cast<std::size_t>(l)] != 0; }
  /// The slices of layer l: [first, last).
  int first_slice(int l) const { return first_slice_[static_cast<std::size_t>(l)]; }
  int last_slice(int l) const { return first_slice_[static_cast<std::size_t>(l) + 1]; }
  /// Its states, likewise: those that it has itself. What a gating keeps for it, under its name, is
  /// not among them.
  int first_state(int l) const { return first_state_[static_cast<std::size_t>(l)]; }
  int last_state(int l) const { return first_state_[static_cast<std::size_t>(l) + 1]; }
  const ImageShape& output_shape(int l) const { return shapes_[static_cast<std::size_t>(l + 1)]; }
  const ImageShape& input_shape(int l) const { return output_shape(source(l)); }
  const ImageShape& in() const { return shapes_.front(); }
  int outputs() const { return shapes_.back().size(); }
  std::string layer_name(int l) const { return names_[static_cast<std::size_t>(l)]; }
  /// One line per layer.
  std::string describe() const;

  /// The lowest layer with parameters: no error need go below it.
  int lowest_learning() const { return lowest_learning_; }
  /// Every matrix of weights, from the bottom up: none of layers that store theirs sparse.
  const std::vector<const SynapticMatrix*>& synapses() const { return synapses_; }
  /// Names of the layers that they belong to.
  std::vector<std::string> weight_layers() const;
  /// Null when every task may use all units.
  Gating* gating() const { return gating_.get(); }

  ParamStore& params() { return store_; }
  const ParamStore& params() const { return store_; }

  /// Of the layers from `first` on; those below stand still.
  void begin_epoch(int first = 0);
  void begin_experience(std::span<const int> tasks);
  /// After parameters and state have been read from a file, or copied from another network.
  /// Error(Data) when a layer cannot work with them.
  void restored();
  /// Before that, where they are a file's: Error(Data) when they hold what no training should leave
  /// behind.
  void check_restored() const;

 private:
  /// Layers are bound from the bottom up; `share`: of the inputs that may be non-zero.
  void bind(double share, const FeedbackPlan&);
  void find_ways_down();

  ParamStore store_;
  std::vector<LayerPtr> layers_;
  std::vector<ImageShape> shapes_;  ///< of the input, then of the output of every layer
  std::vector<std::string> names_;
  std::vector<int> first_slice_, first_state_;  ///< of every layer, and the end
  std::vector<char> errors_reach_;
  int lowest_learning_ = -1;
  std::vector<const SynapticMatrix*> synapses_;
  std::unique_ptr<Gating> gating_;
};

/// What layer l reads: x, or the output of a layer below.
inline const Signal& input_of(const Network& net, int l, const Signal& x, const Tape& tape) {
  const int source = net.source(l);
  return source < 0 ? x : tape[static_cast<std::size_t>(source)].out;
}

}  // namespace engram
