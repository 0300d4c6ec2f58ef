// A layer is three pure verbs: forward, backward_input (errors down) and accumulate (gradient of
// its own weights). Rules decide which errors come down and what is accumulated. Layers hold no
// activations; randomness comes in with the pass; state changes only in observe().
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "models/feedback.h"
#include "models/param_store.h"
#include "models/tape.h"
#include "utils/matrix.h"
#include "utils/rng.h"
#include "utils/shape.h"

namespace engram {

/// How a forward pass is meant.
struct Pass {
  bool training = false;
  Rng rng{0};                    ///< of this step; each layer forks its own stream by its index
  std::span<const int> tasks{};  ///< task of each row, for per-task heads
  /// [outputs]: 1 for those that somebody will read; empty: all. Layers that pay for every output
  /// may leave the others at the lowest number there is.
  std::span<const std::uint8_t> outputs{};
  int update = 0;  ///< which of the rule's updates for this batch it belongs to
  int floor = 0;   ///< no error goes down to the layers below this one, which belong to others
  int still = 0;   ///< layers below this one work as in evaluation, even in training
};

/// Names the layer's part in the network, for parameter names and random streams.
struct Place {
  int index = 0;             ///< position in the network
  std::string name;          ///< unique in the network: "linear1", "conv2"
  double active_share = 1;   ///< of the inputs that may be non-zero in training, as far as is known
  bool reads_input = false;  ///< of the network: no error goes down through it
  const FeedbackPlan* feedback = nullptr;  ///< what layers keep for errors; null: nothing
  std::span<const ImageShape> past{};      ///< shapes of the outputs that it remembers
};

/// Where a layer finds its input. The output of a layer so many places below: the next one, unless
/// a shortcut passes it by.
struct Wiring {
  int reads = 1;  ///< places down to the layer that is read
  int adds = 0;   ///< places down to the layer whose output is added to this one's; 0: none
  /// Places down to layers of the same pass whose outputs it remembers beside its input, in the
  /// order in which it knows them: Record::past.
  std::vector<int> past{};
};

/// What a layer does to a signal that comes down without a bottom-up pass before it.
enum class Downward {
  None,      ///< it needs what that pass left behind
  Identity,  ///< hands it on
  Weights    ///< backward_input(), of which the input's shape alone matters
};

class SparseSynapses;
class SynapticMatrix;

class Layer {
 public:
  virtual ~Layer() = default;
  virtual std::string kind() const = 0;  ///< "linear", "conv", "k_winners"
  /// For people, once bound: "linear", "k-winners 4 of 4000, boost 1".
  virtual std::string describe() const = 0;

  /// Declares parameters and state for this shape of input and returns the shape of the output.
  /// Throws Error(Config) for sizes that do not fit.
  virtual ImageShape bind(ImageShape in, const Place& place, ParamStore& store) = 0;
  /// Fills parameters and state with their initial values.
  virtual void init(Rng) {}

  /// y.out <- f(x). x is [batch, in.size()].
  virtual Macs forward(const Signal& x, Record& y, const Pass& pass) const = 0;
  /// dx <- Jᵀ dy, or only where x is active: then dx.active says so, and dx is zero elsewhere,
  /// which is right because what lies below lets no error through there (see ActiveSet). With
  /// another path than Path::Weights, what the layer keeps for it stands in for its weights.
  virtual Macs backward_input(const Signal& x, const Record& y, const Signal& dy, Signal& dx,
                              const Pass& pass, const Descent& descent = {}) const = 0;
  /// to[i] <- the error at the i-th output that the layer remembers, for layers that send it there.
  virtual Macs backward_past(const Signal& /*x*/, const Record& /*y*/, const Signal& /*dy*/,
                             std::span<Signal> /*to*/, const Pass& /*pass*/) const {
    return {};
  }
  /// Whether errors go down to what the layer remembers; otherwise that is a constant to it.
  virtual bool errors_reach_past() const { return false; }
  /// Whether they go down to what it reads. If not, backward_input() is never called.
  virtual bool errors_reach_input() const { return true; }
  /// grad += postᵀ pre. Gradient rules pass post = dy; local rules pass what they like.
  virtual Macs accumulate(const Signal& /*pre*/, const Record& /*y*/, const Signal& /*post*/,
                          const Pass& /*pass*/) const {
    return {};
  }
  /// After a training forward: running statistics, duty cycles.
  virtual void observe(const Signal& /*x*/, const Record& /*y*/) {}

  /// Once before training, for layers that read the network's input: images of the first task,
  /// [n, inputs].
  virtual void fit(CMat /*images*/) {}
  /// Whether fit() does anything.
  virtual bool fits() const { return false; }
  /// Before an experience is learnt, for layers that read the network's input: all its images
  /// [n, inputs] and their tasks, some at a time.
  virtual void preview(CMat /*images*/, std::span<const int> /*tasks*/) {}
  /// Whether preview() does anything.
  virtual bool previews() const { return false; }
  /// Before a training pass, for layers that read the network's input.
  virtual void meet(const Signal& /*x*/, const Pass& /*pass*/) {}

  // What happens at the borders of training; most layers ignore them.
  virtual void begin_epoch() {}  ///< boost decay
  /// `tasks`: those whose examples occur in the training set to come. Decides which heads learn.
  virtual void begin_experience(std::span<const int> /*tasks*/) {}

  /// The weights that carry signals, with what stands in for them when errors go down: one matrix,
  /// or one per head. Empty for other layers and for sparse storage.
  virtual std::vector<const SynapticMatrix*> synapses() const { return {}; }
  /// The weights in sparse storage, or null.
  virtual const SparseSynapses* existing_synapses() const { return nullptr; }
  /// The same for changing which weights exist; null unless the layer was built for that
  /// (Synapses::rewirable).
  virtual SparseSynapses* rewirable() { return nullptr; }
  /// After parameters and state have been read from a file or copied from another network: builds
  /// anew what depends on them. Error(Data) when they lead to places that there are not.
  virtual void restored() {}
  /// Before that, where they are a file's: Error(Data) when they hold what no training should leave
  /// behind. Copies are not asked: there it is the training that went wrong, and not a file.
  virtual void check_restored() const {}
  /// to [units, fan_in] <- the weights of every unit from what it reads, absent ones 0; the fan_in
  /// of a convolution is [kernel height, kernel width, channels]. For looking at; of several heads
  /// the first one. No rows: the layer has no weights.
  virtual void incoming(Signal& to) const;
  /// Whether accumulate() multiplies one input by one error for every weight and example, so that
  /// the squares (magnitudes) of the gradients of single examples are the products of squares
  /// (magnitudes).
  virtual bool meets_once() const { return false; }
  /// False for layers that do not hand errors down: backward_input() is not theirs.
  virtual bool differentiable() const { return true; }
  /// Share of the outputs that may be non-zero in training when that of the inputs is `inputs`.
  virtual double active_share(double /*inputs*/) const { return 1; }
  /// True for layers whose outputs are the "hidden units" of statistics (winners, activations).
  virtual bool is_activation() const { return false; }
  virtual Downward downward() const { return Downward::None; }
  /// Whether forward() asks for the tasks of rows (Pass::tasks), other than by a gate.
  virtual bool reads_task() const { return false; }
  /// True for layers whose units a task may be denied: forward() honours Record::gate.
  virtual bool takes_gate() const { return false; }

  Wiring wiring;  ///< set before the layer is bound
};

using LayerPtr = std::unique_ptr<Layer>;

}  // namespace engram
