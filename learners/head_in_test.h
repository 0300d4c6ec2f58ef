// For strategies that classify in their own way, which comes down to other weights of the
// classifier while a task is tested.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "models/network.h"

namespace engram {

class HeadInTest {
 public:
  /// Error(Config), which names the strategy, when the top layer is not one fully connected layer
  /// with a bias.
  HeadInTest(const Network& net, std::string_view strategy);

  int features() const { return features_; }
  int outputs() const { return outputs_; }
  /// What the classifier reads, for examples x [rows, inputs]: [rows, features].
  CMat features_of(const Network& net, const Signal& x, std::span<const int> tasks,
                   Tape& tape) const;

  /// The classifier <- weights [features, outputs] and biases [outputs], until take_back().
  void put(Network& net, std::span<const real> weights, std::span<const real> biases);
  /// What was there before the last put(), to the last bit.
  void take_back(Network& net);

 private:
  static Mat bias_of(Network& net);
  int weight_;  ///< slice
  int features_, outputs_;
  std::vector<real> weights_, biases_;  ///< that were there
  bool in_ = false;
};

/// A bias with which an output wins against none that has another one.
constexpr real kNeverChosen = -(1 << 30);

}  // namespace engram
