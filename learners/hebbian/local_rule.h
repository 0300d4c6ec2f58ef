// A local rule says what a layer's own activity does to its weights. It sees one layer in one batch
// and answers with a post-synaptic term P and a decay M; the weights [fan_in, units] then move by
//   W += rate (Xᵀ P - W M) / size,
// with X the layer's inputs (a convolution: the patches of all places, each a sample of its own).
// X, W and P are multiplied by the layer's accumulate(), so that a rule works for every layer with
// weights, and costs what is active.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "models/sparse_synapses.h"
#include "models/tape.h"
#include "utils/options.h"

namespace engram {

/// What a rule looks at.
enum class Sees {
  Drive,    ///< input times weights, before any activation
  Activity  ///< what the layer's activation makes of it
};

/// Units [first, last) of a layer may learn.
struct UnitRange {
  int first = 0, last = 0;
};

/// The synapses of a layer's units that may learn, by their places among its weights as they are
/// stored.
struct LearningSynapses {
  UnitRange units;
  int rows = 0, cols = 0;                           ///< of the weights, if all are stored
  std::span<const std::uint8_t> mask{};             ///< 0 where there is no synapse; or empty
  const SparseSynapses::View* by_output = nullptr;  ///< if only synapses that exist are stored

  /// Calls body(place) for each.
  template <class Body>
  void for_each(const Body& body) const {
    if (by_output) {
      const std::int32_t last = by_output->begin[units.last];
      for (std::int32_t j = by_output->begin[units.first]; j < last; ++j)
        body(static_cast<std::size_t>(by_output->place.empty() ? j : by_output->place[j]));
      return;
    }
    for (int i = 0; i < rows; ++i)
      for (int u = units.first; u < units.last; ++u) {
        const std::size_t at = static_cast<std::size_t>(i) * cols + u;
        if (mask.empty() || mask[at] != 0) body(at);
      }
  }
};

/// A layer in a batch. Sample s is place s % places of row s / places.
struct LayerActivity {
  CMat y;                             ///< [samples, units]: what the rule sees
  const ActiveSet* active = nullptr;  ///< of the signal [rows, places * units], if it is known
  int places = 1;
  UnitRange learning;
  std::span<const real> norms{};  ///< L2 norm of each unit's weights, if the rule asks for them
  int rows() const { return y.rows / places; }
  int units() const { return y.cols; }
};

enum class Decay {
  None,
  Units,  ///< M is diagonal: what the rule says
  Pairs,  ///< M = Pᵀ P
  Lower   ///< the same, but M_jk = 0 for j > k: a unit sees itself and those before it
};
/// By what the change is divided.
enum class Divide {
  Samples,       ///< a mean over the batch
  Nothing,       ///< a sum over the batch
  LargestChange  ///< the largest |entry|: the largest step of a weight is then the rate
};
template <>
struct Choices<Divide> {
  static constexpr std::array<std::string_view, 3> names{"samples", "nothing", "largest_change"};
};

/// What a batch does to a layer. The rule fills it; memory is kept.
struct LocalChange {
  Signal post;                   ///< P as [rows, places * units]
  std::vector<real> unit_decay;  ///< [units] for Decay::Units
  std::vector<real> unit_rate;   ///< [units], multiplies the rate; empty: 1
};

class LocalRule {
 public:
  virtual ~LocalRule() = default;
  virtual Sees sees() const = 0;
  virtual Decay decay() const = 0;
  virtual Divide divide() const { return Divide::Samples; }
  virtual double default_rate() const = 0;
  /// What units are brought to after every change, by default; 0: they are not.
  virtual double default_norm() const { return 0; }
  /// p of the drive sum_i sign(W_i) |W_i|^(p-1) x_i.
  virtual double exponent() const { return 2; }
  virtual bool wants_norms() const { return false; }
  /// False: the layer stays as it was drawn.
  virtual bool learns() const { return true; }
  /// True: the rate falls to 0 over a task, by default.
  virtual bool anneals() const { return false; }
  /// Before training, with the number of layers that learn so.
  virtual void begin(int /*layers*/) {}
  /// What a resumed run needs; sized by begin().
  virtual std::vector<std::span<real>> state() { return {}; }
  /// P, the diagonal of M and the units' rates from the activity. `layer` counts the layers that
  /// learn so, from below.
  virtual void respond(const LayerActivity&, int layer, LocalChange&) = 0;

  /// Rules that keep a memory of each synapse and a number: they edit the change Xᵀ P, already
  /// divided, before it is multiplied by `rate`. Change and memory are shaped like the weights as
  /// they are stored; the rest of them concerns synapses that do not learn, and is left alone.
  virtual bool remembers() const { return false; }
  virtual void edit(Mat /*change*/, const LearningSynapses&, Mat /*memory*/, real& /*count*/,
                    double /*rate*/) {}
};

}  // namespace engram
