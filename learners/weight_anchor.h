// Holds weights near where past tasks left them: a penalty s sum_i F_i (theta_i - a_i)^2 with an
// importance F and an anchor a for every weight. Several such penalties are one, up to a constant:
//   sum_k F_k (theta - a_k)^2 = F (theta - a)^2 + const,  F = sum_k F_k,  a = sum_k F_k a_k / F,
// so a penalty for every past task costs no more than one for all.
#pragma once

#include <span>
#include <vector>

#include "models/param_store.h"

namespace engram {

class WeightAnchor {
 public:
  explicit WeightAnchor(std::size_t weights) : importance_(weights), anchor_(weights) {}

  /// One penalty more: importance F_k [weights], around these values.
  void add(std::span<const real> importance, std::span<const real> values);
  /// One penalty in the place of all: F <- keep F + `importance`, around these values.
  void replace(double keep, std::span<const real> importance, std::span<const real> values);
  /// Adds the gradient of the penalty: 2 s F (theta - a).
  void pull(double s, ParamStore& params) const;

  /// These weights are new: nothing holds them.
  void release(std::span<const std::size_t> places) {
    for (const std::size_t i : places)
      importance_[i] = 0;
  }

  /// These are held at their values [weights], as hard as `importance` [places] says.
  void hold(std::span<const std::size_t> places, std::span<const real> importance,
            std::span<const real> values) {
    for (std::size_t k = 0; k < places.size(); ++k)
      importance_[places[k]] = importance[k], anchor_[places[k]] = values[places[k]];
  }

  std::span<const real> importance() const { return importance_; }
  std::vector<std::span<real>> state() { return {importance_, anchor_}; }

 private:
  std::vector<real> importance_, anchor_;
};

}  // namespace engram
