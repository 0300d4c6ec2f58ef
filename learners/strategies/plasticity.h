// Strategies that keep a network able to learn.
#pragma once

#include <array>
#include <memory>
#include <optional>

#include "learners/strategy.h"

namespace engram {

enum class Utility { Contribution, AdaptableContribution };
template <>
struct Choices<Utility> {
  static constexpr std::array<std::string_view, 2> names{"contribution", "adaptable_contribution"};
};
struct ContinualBackpropOptions {
  double replacement_rate = 1e-4, decay = 0.99;
  int maturity = 100;
  Utility utility = Utility::Contribution;
  bool corrected = false, shift_bias = false;
  template <class V>
  void describe(V&& v) {
    v("continual_backprop.replacement_rate", replacement_rate, Range::fraction(),
      "share of the mature units of a hidden layer that begin anew in a step; shares add up to "
      "whole units");
    v("continual_backprop.maturity", maturity, Range::at_least(0),
      "steps for which a new unit is left alone");
    v("continual_backprop.decay", decay, Range::at_least(0).below(1),
      "of the running mean of the utility; the contribution of a batch is its mean, so larger "
      "batches ask for a smaller one");
    v("continual_backprop.utility", utility,
      "contribution: |h| times the sum of the magnitudes of a unit's outgoing weights; "
      "adaptable_contribution: |h - running mean of h| times their mean over that of its incoming "
      "ones");
    v("continual_backprop.corrected", corrected,
      "ranks units by the utility over 1 - decay^age, as the authors' code");
    v("continual_backprop.shift_bias", shift_bias,
      "a unit's mean contribution goes to the biases above when it is replaced, as the authors' "
      "code means to and does not");
  }
};
std::unique_ptr<Strategy> make_continual_backprop(const ContinualBackpropOptions&,
                                                  const StrategyContext&);

enum class PerturbAt { Task, Step };
template <>
struct Choices<PerturbAt> {
  static constexpr std::array<std::string_view, 2> names{"task", "step"};
};
struct ShrinkPerturbOptions {
  PerturbAt at = PerturbAt::Task;
  std::optional<double> shrink, perturb;
  template <class V>
  void describe(V&& v) {
    v("shrink_perturb.at", at,
      "task: before every task but the first (Ash & Adams 2020); step: after every step (Dohare et "
      "al. 2024)");
    v("shrink_perturb.shrink", shrink, Range::fraction(),
      "weights are multiplied by this (auto: 0.4 for task; 1 for step, where weight_decay "
      "shrinks)");
    v("shrink_perturb.perturb", perturb, Range::at_least(0),
      "task: times a fresh draw of the initial weights (auto: 0.1); step: deviation of the normal "
      "noise (auto: 1e-5)");
  }
};
std::unique_ptr<Strategy> make_shrink_perturb(const ShrinkPerturbOptions&, const StrategyContext&);

struct L2InitOptions {
  double lambda = 0.01;
  template <class V>
  void describe(V&& v) {
    v("l2_init.lambda", lambda, Range::at_least(0),
      "strength: the loss grows by lambda sum (w - w0)^2");
  }
};
std::unique_ptr<Strategy> make_l2_init(const L2InitOptions&, const StrategyContext&);

struct RedoOptions {
  double tau = 0.025;
  int every = 1000, batches = 1;
  template <class V>
  void describe(V&& v) {
    v("redo.tau", tau, Range::at_least(0),
      "units whose mean |h| is at most this times the mean of their layer are dormant; 0: dead");
    v("redo.every", every, Range::at_least(1), "steps between two times that they begin anew");
    v("redo.batches", batches, Range::at_least(1),
      "batches, the last ones before, over which |h| is averaged; more than 1 where batches are "
      "small");
  }
};
std::unique_ptr<Strategy> make_redo(const RedoOptions&, const StrategyContext&);

}  // namespace engram
