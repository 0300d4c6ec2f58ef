// A learning rule fills the gradient of a network from one batch. It never steps, loops over data
// or seeds a generator: the learner does.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "learners/batch.h"
#include "learners/progress.h"
#include "models/network.h"

namespace engram {

/// What a rule offers to strategies.
enum class Provides : unsigned {
  Nothing = 0,
  Gradient = 1,     ///< learn() leaves one, which the optimiser spends
  OutputError = 2,  ///< the error at the outputs may be edited
  /// From the second task on learn() changes no weights, so it may be shown other batches than the
  /// one at hand.
  OtherBatchesLater = 4,
  OtherBatches = 12,  ///< likewise, and in the first task, too
  AtOnce = 16         ///< its first update has the gradient of everything that learns
};
constexpr Provides operator|(Provides a, Provides b) {
  return static_cast<Provides>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
constexpr Provides operator&(Provides a, Provides b) {
  return static_cast<Provides>(static_cast<unsigned>(a) & static_cast<unsigned>(b));
}
constexpr Provides without(Provides offered, Provides taken) {
  return static_cast<Provides>(static_cast<unsigned>(offered) & ~static_cast<unsigned>(taken));
}
constexpr bool covers(Provides offered, Provides needed) {
  return (static_cast<unsigned>(offered) & static_cast<unsigned>(needed)) ==
         static_cast<unsigned>(needed);
}

/// Lets strategies change the error at the outputs [rows, outputs], the gradient of the loss with
/// respect to the logits [rows, outputs], before it is sent down.
using ErrorHook = std::function<void(CMat logits, Mat error)>;

/// Where in a run an epoch is; all 0-based. `step`: of the epoch, where it begins or goes on.
struct EpochPlace {
  int experience = 0, experiences = 1, epoch = 0, epochs = 1;
  std::int64_t step = 0;
};
/// What a rule makes of an epoch.
struct EpochKind {
  bool labelled = true;  ///< false: nothing is learnt from labels, and no optimiser steps
  int batch_size = 0;    ///< examples per mini-batch; 0: as the learner has it
  int unlabelled = 0;    ///< epochs of the task, all before the others, that are not labelled
  int still = 0;         ///< layers below this one stand still
};

/// The pass of a rule whose own layers below `layer` never learn: all below it work as in
/// evaluation, unless somebody teaches the lowest ones (Pass::floor); then it stays as it is.
inline Pass resting_below(Pass pass, int layer) {
  if (pass.still >= pass.floor) pass.still = std::max(pass.still, layer);
  return pass;
}

class Rule {
 public:
  virtual ~Rule() = default;
  virtual Provides provides() const = 0;
  /// What layers must keep for this rule, and how it starts; asked before the network is built.
  virtual FeedbackPlan feedback() { return {}; }
  /// Draws what the rule itself needs besides. Before training and once only.
  virtual void prepare(Network&, Rng) {}
  /// Layers below this one learn nothing in task `from` (0-based) and after it; known once
  /// prepare() has been called.
  virtual int resting(int /*from*/) const { return 0; }
  /// The lowest layer that learns in some epoch with labels, when optimisers step.
  virtual int lowest_stepped() const { return resting(0); }
  /// Before training, for every task: Error(Config) if the rule cannot do with so many epochs.
  virtual void check_epochs(int /*experience*/, int /*epochs*/) const {}
  /// Before every epoch, and again when a run goes on within one. Overrides say what is `still`.
  virtual EpochKind begin_epoch(Network&, const EpochPlace& at) {
    return {.still = resting(at.experience)};
  }
  /// Everything besides the network that a resumed run needs; sized by prepare().
  virtual std::vector<std::span<real>> state() { return {}; }
  /// Adds the update's direction to the gradients of net.params(); the caller has zeroed them.
  virtual BatchStats learn(Network& net, const Batch& batch, const Pass& pass,
                           const ErrorHook& hook) = 0;
  /// How many times a batch is learnt in a row, each with an optimiser step of its own:
  /// pass.update counts them. What the last learn() reports speaks for all of them: what they cost
  /// together, their loss in the mean, and how many were right before the batch was learnt.
  virtual int updates() const { return 1; }
  /// Names of what measures() gives: "positive_goodness/1".
  virtual std::vector<std::string> measure_names() const { return {}; }
  /// Means over the last batch, to be recorded for every epoch. NaN: there was nothing to measure,
  /// and the batch does not count.
  virtual std::span<const double> measures() const { return {}; }
  /// The activations of the last learn(), for statistics.
  virtual const Tape& tape() const = 0;
  /// How well the rule's way down agrees with the weights, for every layer that has some, on a
  /// batch. Overwrites gradients and tape, and nothing else. Empty: the rule has no other way.
  virtual std::vector<Alignment> alignment(Network&, const Batch&, const Pass&) { return {}; }
};

}  // namespace engram
