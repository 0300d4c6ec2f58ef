// One factory per learning rule; learners/registry.cpp is their table.
#pragma once

#include <memory>

#include "learners/loss.h"
#include "learners/rule.h"
#include "models/synaptic.h"
#include "utils/options.h"

namespace engram {

/// What all rules are told.
struct RuleContext {
  Loss loss = Loss::CrossEntropy;
  double weight_decay = 0;  ///< of the optimiser
};

/// How feedback matrices start.
enum class FeedbackInit {
  Law,      ///< by the law of the weights, independently of them
  Copy,     ///< equal to the weights
  Counter,  ///< U(-a, a), a = sqrt(6 / fan_in of the feedback), wider than PyTorch's weights
};
template <>
struct Choices<FeedbackInit> {
  static constexpr std::array<std::string_view, 3> names{"law", "copy", "counter"};
};
/// Fills the slice of a matrix; `noise`: every value is then multiplied by 1 + noise N(0, 1).
void init_feedback(FeedbackInit, double noise, const SynapticMatrix&, const Rng&);

struct NoOptions {
  template <class V>
  void describe(V&&) {}
};
std::unique_ptr<Rule> make_backprop(const NoOptions&, const RuleContext&);  // backprop.cpp

struct FeedbackAlignmentOptions {
  FeedbackInit init = FeedbackInit::Law;
  template <class V>
  void describe(V&& v) {
    v("feedback_alignment.init", init,
      "fixed feedback: by the law of the weights; equal to the first weights; or "
      "U(+-sqrt(6/fan_in))");
  }
};
std::unique_ptr<Rule> make_feedback_alignment(const FeedbackAlignmentOptions&, const RuleContext&);

struct DirectFeedbackOptions {
  DirectMap convolutions = DirectMap::Dense;
  template <class V>
  void describe(V&& v) {
    v("direct_feedback.convolutions", convolutions,
      "error to the input of a convolution: a value for every place, or one kernel for all places");
  }
};
std::unique_ptr<Rule> make_direct_feedback(const DirectFeedbackOptions&, const RuleContext&);

std::unique_ptr<Rule> make_usf(const NoOptions&, const RuleContext&);   // usf.cpp
std::unique_ptr<Rule> make_brsf(const NoOptions&, const RuleContext&);  // brsf.cpp
std::unique_ptr<Rule> make_frsf(const NoOptions&, const RuleContext&);  // frsf.cpp

struct KolenPollackOptions {
  FeedbackInit init = FeedbackInit::Law;
  template <class V>
  void describe(V&& v) {
    v("kolen_pollack.init", init,
      "feedback before learning: by the law of the weights; equal to them; or U(+-sqrt(6/fan_in))");
  }
};
std::unique_ptr<Rule> make_kolen_pollack(const KolenPollackOptions&, const RuleContext&);

enum class TopDown { Shared, Separate };
template <>
struct Choices<TopDown> {
  static constexpr std::array<std::string_view, 2> names{"shared", "separate"};
};
enum class NoisePer { Tensor, Synapse };
template <>
struct Choices<NoisePer> {
  static constexpr std::array<std::string_view, 2> names{"tensor", "synapse"};
};
enum class TopDownNorm { None, Jacobian };
template <>
struct Choices<TopDownNorm> {
  static constexpr std::array<std::string_view, 2> names{"none", "jacobian"};
};
struct CounterHebbOptions {
  TopDown weights = TopDown::Separate;
  FeedbackInit init = FeedbackInit::Counter;
  double init_noise = 0, update_noise = 0;
  NoisePer noise_per = NoisePer::Synapse;
  bool learn_feedback = true, shared_shortcuts = false;
  TopDownNorm norm = TopDownNorm::None;
  template <class V>
  void describe(V&& v) {
    v("counter_hebb.weights", weights,
      "top-down weights: those of the bottom-up network (symmetric, equal to back-propagation), or "
      "their own (asymmetric)");
    v("counter_hebb.init", init,
      "separate weights before learning: by the law of the bottom-up weights; equal to them "
      "(weakly "
      "symmetric); or U(+-sqrt(6/fan_in)) as in the authors' code");
    v("counter_hebb.init_noise", init_noise, Range::at_least(0),
      "separate weights are multiplied by 1 + this N(0, 1) at the start");
    v("counter_hebb.update_noise", update_noise, Range::at_least(0),
      "updates of either direction are multiplied by their own 1 + this N(0, 1)");
    v("counter_hebb.noise_per", noise_per,
      "update_noise: one factor per tensor and step, as in the authors' code, or one per synapse");
    v("counter_hebb.learn_feedback", learn_feedback,
      "false: separate weights stay as they are (feedback alignment)");
    v("counter_hebb.shared_shortcuts", shared_shortcuts,
      "1x1 shortcuts of residual blocks stay symmetric, as in the authors' code");
    v("counter_hebb.norm", norm,
      "batch norm in the top-down pass: absent, and its parameters are not learnt; or its exact "
      "derivative");
  }
};
std::unique_ptr<Rule> make_counter_hebb(const CounterHebbOptions&, const RuleContext&);

}  // namespace engram
