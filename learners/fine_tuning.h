// Fine-tuning: a network that begins with the weights of another run or of a file of PyTorch, whose
// lower layers then stand still, and whose upper ones may start anew. What lies below the border
// neither learns nor moves its statistics and works as in evaluation; no error is computed for it.
// Layers that start anew lose what they have learnt, statistics too, but neither the gates of tasks
// nor what they know of images from before training (whitening, prototypes of contexts).
#pragma once

#include <array>
#include <memory>
#include <string>

#include "learners/rule.h"
#include "utils/options.h"

namespace engram {

enum class FrozenFrom { Start, FirstTask };
template <>
struct Choices<FrozenFrom> {
  static constexpr std::array<std::string_view, 2> names{"start", "first_task"};
};
enum class ResetHead { Never, AfterFirst, EachTask };
template <>
struct Choices<ResetHead> {
  static constexpr std::array<std::string_view, 3> names{"never", "after_first", "each_task"};
};

struct FineTuningOptions {
  std::string weights, weights_until;
  std::string frozen_until;
  FrozenFrom frozen_from = FrozenFrom::Start;
  ResetHead reset_head = ResetHead::Never;

  bool freezes() const { return !frozen_until.empty(); }

  template <class V>
  void describe(V&& v) {
    v("weights", weights,
      "file that the network starts from, as far up as names and shapes fit: the weights.h5 of a "
      "run with keep_weights, or a state dict of PyTorch as .safetensors or .npz; {seed} stands "
      "for the run's seed, {results} for the folder of all experiments");
    v("weights_until", weights_until,
      "last layer that takes its weights from there, all below it must; empty: as far up as it "
      "goes");
    v("frozen_until", frozen_until,
      "layers up to this one (linear2, relu2: as `engram show` names them) neither learn nor move "
      "their statistics; empty: none");
    v("frozen_from", frozen_from,
      "frozen_until holds from the start, or after the first task, which trains the whole network");
    v("reset_head", reset_head,
      "layers above frozen_until start anew: never, once after the first task, or with every task");
  }
};

/// `rule` with the lower layers frozen. Error(Config) in prepare() when there is no such layer, or
/// none above it that learns, or when a rule or a layer cannot start anew.
std::unique_ptr<Rule> make_fine_tuned(const FineTuningOptions&, std::unique_ptr<Rule> rule);

/// The place of a layer in the network. Error(Config), with the nearest name, when there is none;
/// `key` is the option that asked for it.
int layer_named(const Network& net, const std::string& name, const std::string& key);

}  // namespace engram
