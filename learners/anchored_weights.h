// What strategies share that look at the examples of a task when it has been learnt, and from then
// on hold every weight as hard as it mattered to them.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "learners/sample_gradients.h"
#include "learners/strategy.h"
#include "learners/weight_anchor.h"

namespace engram {

class AnchoredWeights : public Strategy {
 public:
  /// Error(Config), which names the strategy, when a layer hands no errors down.
  AnchoredWeights(const StrategyContext&, std::string_view strategy);

  Provides needs() const override { return Provides::Gradient; }
  bool needs_borders() const override { return true; }
  bool needs_examples() const override { return true; }

  void shape_gradient(Training& t) override {
    if (learnt_[0] != 0) anchor_.pull(strength(), t.net.params());
  }
  void end_experience(Training& t) override {
    take_in(estimate(t), t.net.params().values(), anchor_);
    learnt_[0] = 1;
  }
  void renew(Training&, std::span<const std::size_t> places) override { anchor_.release(places); }
  void hold(Training& t, std::span<const std::size_t> places,
            std::span<const real> importance) override {
    anchor_.hold(places, importance, t.net.params().values());
    learnt_[0] = 1;
  }
  std::span<const real> importance(const Training&) override { return anchor_.importance(); }
  std::vector<std::span<real>> state() override;

 protected:
  /// s of the penalty s sum F (theta - a)^2.
  virtual double strength() const = 0;
  /// The importance [weights] of the task that has just been learnt.
  virtual std::vector<real> estimate(Training&) const = 0;
  /// Takes it into the anchor.
  virtual void take_in(std::vector<real> importance, std::span<const real> values,
                       WeightAnchor& anchor) const = 0;

  /// Sums [weights] over `count` training examples of the task (0: all), drawn by `rng`, over what
  /// add(batch, its logits, gradients, sums) adds for mini-batches of `step`, divided by the number
  /// of examples, or of mini-batches.
  enum class Mean { OverExamples, OverBatches };
  using Add =
      std::function<void(const Batch&, CMat logits, SampleGradients&, std::span<real> sums)>;
  std::vector<real> mean_over(Training&, int count, int step, Mean, SampleGradients::Of,
                              const Rng& rng, const Add& add) const;

  /// Outputs that compete in a row; empty: all.
  static std::span<const std::uint8_t> mask_of(const Batch& batch, int row) {
    if (batch.mask.empty()) return {};
    return batch.mask[static_cast<std::size_t>(row)];
  }

 private:
  std::size_t weights_;
  WeightAnchor anchor_;
  std::vector<real> learnt_ = {0};
};

}  // namespace engram
