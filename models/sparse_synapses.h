// Weights of which only some exist, stored without the others. Every output has the same number of
// inputs, so by output the structure is ELL: `kept` (input, value) pairs per row. By input it is a
// list of outputs each. The values lie in one of the two orders, and the other reads them through
// their places; which is the first order is a matter of how the layer is mostly read.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/synaptic.h"
#include "utils/sparse_rows.h"

namespace engram {

/// Whether sparse storage is the faster one for a linear layer of this density whose inputs are
/// active in this share (measured: tests/perf/products.cpp, with a fifth and with 2.5 % of the
/// inputs active).
bool sparse_storage_pays(double density, double active_share);

/// What `storage` asks for, or for Auto whether the density is below 1 and sparse storage `pays`.
/// Never when errors take another path than the weights; Error(Config) if it is asked for then.
bool stores_sparse(const Synapses& synapses, bool pays, const Place& place);

class SparseSynapses {
 public:
  explicit SparseSynapses(const Synapses& synapses) : synapses_(synapses) {}

  void bind(const Fans& fans, const std::string& name, ParamStore& store, double active_share);
  void init(const Rng& rng);

  // Changing which weights exist, where that was asked for (Synapses::rewirable).
  bool rewirable() const { return input_of_ >= 0; }
  /// One weight: it leads from an input to an output.
  struct Edge {
    std::int32_t output, input;
  };
  /// The weight at place `slot` of the slice weight_id().
  Edge edge(std::size_t slot) const;
  /// The weights at these places lead elsewhere from now on: where none did, and no two to the same
  /// place. Values stay in their places, and the caller sets those of the new weights. Costs the
  /// number of weights.
  void rewire(std::span<const std::uint32_t> slots, std::span<const Edge> edges);
  void restored();
  /// An initial value, by the law of the layer's weights.
  real draw(Rng& rng) const;

  /// The structure seen from one side: entries of every output, or of every input, ascending.
  struct View {
    std::vector<std::int32_t> begin, index;
    std::vector<std::int32_t> place;  ///< of each entry among the values; empty: they are in order
  };
  const View& by_output() const { return by_output_; }
  const View& by_input() const { return by_input_; }
  /// A view with its values, gathered into `scratch` unless they lie in this order.
  SparseView valued(const View& view, std::vector<real>& scratch) const;

  const Bias& bias() const { return bias_; }
  const Fans& fans() const { return fans_; }
  int weight_id() const { return weight_; }
  /// Where gradients of a view's entries go: straight into the slice's gradient, or into `scratch`
  /// [entries] first; close_gradient() then adds them.
  struct OpenedView {
    real* value;
    bool fresh;  ///< to be overwritten, else added to
  };
  OpenedView open_gradient(const View& view, std::vector<real>& scratch) const;
  void close_gradient(const View& view, const std::vector<real>& scratch) const;

  /// to [outputs, fan_in] <- all weights, absent ones 0.
  void incoming(Signal& to) const;
  int kept() const { return kept_; }
  std::size_t entries() const { return by_output_.index.size(); }

 private:
  void index();  ///< both views from where the weights lead

  Synapses synapses_;
  Fans fans_;
  ParamStore* store_ = nullptr;
  Bias bias_;
  View by_output_, by_input_;
  int weight_ = -1, kept_ = 0;
  bool input_order_ = false;
  /// States [1, entries], for checkpoints: where the weight at each place leads. Absent: -1.
  int input_of_ = -1, output_of_ = -1;
};

}  // namespace engram
