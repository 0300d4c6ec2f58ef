// How the generative circuit of predictive forward-forward learns: every level predicts the one
// below from the actual, noisy activity of the representation circuit, never from a prediction.
//   x_hat = clip01(r1 G1), z1_hat = relu(r2 G2), z2_hat = relu(u Gy), u = norm(relu(code))
//   r = norm(relu(z + noise));  loss = sum over the three of |prediction - target|^2 / rows
// Nothing of it reaches the representation circuit.
#pragma once

#include "learners/rules/rules.h"
#include "models/circuits/pff.h"

namespace engram {

class PffGenerator {
 public:
  explicit PffGenerator(const PffRuleOptions& options) : o_(options) {}

  /// A new batch of `rows` states: the code starts anew.
  void start(const Pff& net, int rows, Rng rng);
  /// Adds the gradients of one update to the store's, with states z1, z2 [rows, hidden] of the rows
  /// whose images are `image`, and moves the code. Returns the loss; adds to `macs`.
  double learn(Pff& net, ParamStore& store, CMat x, std::span<const int> image, CMat z1, CMat z2,
               Rng noise, Macs& macs);
  CMat code() const { return code_.value(); }
  /// Mean squared error of the images alone in the last learn().
  double image_error() const { return image_error_; }

 private:
  void predictor(CMat z, double noise, Rng rng, Signal& r);
  void move_code(const Pff& net, CMat e2, CMat z2, bool first);
  double level_loss(Signal& error, CMat target, double scale) const;

  PffRuleOptions o_;
  bool first_ = true;  ///< no code has been taken yet
  double image_error_ = 0;
  std::vector<double> squares_;  ///< of the error of each image
  Signal code_, top_, r1_, r2_, e0_, e1_, e2_, step_;
};

}  // namespace engram
