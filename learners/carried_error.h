// Rules that carry the error at the outputs down through the network and let every layer accumulate
// error times input: back-propagation, and what puts other matrices in the place of the transposed
// weights. They differ in the path, in where its matrices come from and in what happens to them.
#pragma once

#include <vector>

#include "learners/loss.h"
#include "learners/repeated_rows.h"
#include "learners/rule.h"
#include "models/synaptic.h"
#include "models/walk_down.h"

namespace engram {

class CarriedError : public Rule {
 public:
  explicit CarriedError(const LossOptions& loss, FeedbackPlan plan = {})
      : loss_(loss), plan_(plan) {}

  Provides provides() const override {
    return Provides::Gradient | Provides::OutputError | Provides::OtherBatches | Provides::AtOnce;
  }
  /// Its `draw` refers to this rule, which must live until the network is built.
  FeedbackPlan feedback() override;
  const Tape& tape() const override { return tape_; }
  BatchStats learn(Network& net, const Batch& batch, const Pass& pass,
                   const ErrorHook& hook) override;
  std::vector<Alignment> alignment(Network& net, const Batch& batch, const Pass& pass) override;

 protected:
  /// Fills what a matrix keeps.
  virtual void draw(const SynapticMatrix&, Rng) {}
  /// Makes a derived matrix anew, before each step; `rng` is of the step and the matrix.
  virtual void derive(const SynapticMatrix&, const Rng&) {}
  /// After the gradients of all weights are there.
  virtual void finish(Network&, const Pass&) {}
  /// Layers that pass errors on as they are, and do not learn.
  virtual bool skips(const Layer&) const { return false; }
  virtual Path path_of(const Layer&) const { return plan_.path; }

 private:
  void derive_all(const Network& net, const Pass& pass);
  void leave_unreached(Network& net);
  /// Whether rows that repeat others are spared the layers below the heads.
  bool spares_repeats(const Network& net, const Batch& batch, const Pass& pass);
  Macs forward(Network& net, const Batch& batch, const Pass& pass);
  /// `exact`: by back-propagation instead of the rule's own way.
  Macs descend(Network& net, const Batch& batch, const Pass& pass, bool exact);

  LossOptions loss_;
  FeedbackPlan plan_;
  Tape tape_;
  Signal error_;  ///< at the outputs of the network
  WalkDown walk_;
  RepeatedRows repeats_;
  Signal repeated_error_;  ///< at the features that all heads read
  bool spared_ = false;    ///< whether the pass at hand spares repeats
  bool met_a_batch_ = false;
};

}  // namespace engram
