// What rules share that teach the classifier alone, synapse by synapse, without an error.
#pragma once

#include <string_view>
#include <vector>

#include "learners/rule.h"

namespace engram {

/// Fills weights of the top layer from the features below it. Layers below stay as they are, and
/// synapses that do not exist stay absent.
class TopLayerRule : public Rule {
 public:
  Provides provides() const override { return Provides::Nothing; }
  const Tape& tape() const override { return tape_; }
  int resting(int) const override { return top_; }
  /// Error(Config) when the top layer is not one fully connected layer that stores all weights.
  void prepare(Network& net, Rng) override;
  /// Loss: 1 minus the cosine of the features with the weights of their class, before the batch.
  BatchStats learn(Network& net, const Batch& batch, const Pass& pass, const ErrorHook&) override;
  std::vector<std::span<real>> state() override { return {memory_}; }

 protected:
  virtual std::string_view name() const = 0;
  /// Takes features h [features] of an example of a class into the memory [classes, features].
  virtual void take(const real* h, int label, Mat memory) = 0;
  /// The weights of a class [features] from its memory, 0 where that is 0.
  virtual void weights_of(const real* memory, std::vector<real>& weights) const = 0;

 private:
  void check(const Network& net) const;
  /// The weights of a class from what its synapses, those that exist, remember.
  void fill(const Param& param, int label, Mat memory, Mat weights);

  Tape tape_;
  int top_ = 0;
  int weight_ = -1;  ///< slice of the top layer
  std::vector<real> memory_, column_;
};

}  // namespace engram
