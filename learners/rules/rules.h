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
  LossOptions loss;
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

std::unique_ptr<Rule> make_class_means(const NoOptions&, const RuleContext&);  // class_means.cpp

enum class HebbDeepForm { Corrected, Repo };
template <>
struct Choices<HebbDeepForm> {
  static constexpr std::array<std::string_view, 2> names{"corrected", "repo"};
};
struct HebbDeepOptions {
  HebbDeepForm form = HebbDeepForm::Corrected;
  double rate = 0.001, step = 1;
  template <class V>
  void describe(V&& v) {
    v("hebb_deep.form", form,
      "hidden weights by Sanger's rule and a classifier that learns from what it reads, or as in "
      "the reference, which ends at chance");
    v("hebb_deep.lr", rate, Range::above(0), "corrected: rate of Sanger's rule");
    v("hebb_deep.step", step, Range::above(0),
      "length of the classifier's steps, and with form = repo of the hidden layer's");
  }
};
std::unique_ptr<Rule> make_hebb_deep(const HebbDeepOptions&, const RuleContext&);  // hebb_deep.cpp

struct FlyOptions {
  double share = 0.1, rate = 0.01;
  template <class V>
  void describe(V&& v) {
    v("fly.share", share, Range::above(0).at_most(1), "of the features that learn: the largest");
    v("fly.lr", rate, Range::above(0), "what the largest feature adds to its synapse");
  }
};
std::unique_ptr<Rule> make_fly(const FlyOptions&, const RuleContext&);  // fly.cpp

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

/// Wrong labels are drawn from ...
enum class Negatives { All, Seen, Task };
template <>
struct Choices<Negatives> {
  static constexpr std::array<std::string_view, 3> names{"all", "seen", "task"};
};
enum class ReluGradient { StraightThrough, True };
template <>
struct Choices<ReluGradient> {
  static constexpr std::array<std::string_view, 2> names{"straight_through", "true"};
};
enum class ReadoutSource { Clamped, Unclamped };
template <>
struct Choices<ReadoutSource> {
  static constexpr std::array<std::string_view, 2> names{"clamped", "unclamped"};
};
/// How the code on top of the generator comes about.
enum class CodeMode { ClosedForm, Repo, Stable };
template <>
struct Choices<CodeMode> {
  static constexpr std::array<std::string_view, 3> names{"closed_form", "repo", "stable"};
};
enum class GeneratedRows { All, Positive };
template <>
struct Choices<GeneratedRows> {
  static constexpr std::array<std::string_view, 2> names{"all", "positive"};
};
struct PffRuleOptions {
  double threshold = 10, noise = 0.01, norm_decay = 0;
  Negatives negatives = Negatives::Seen;
  ReluGradient relu_gradient = ReluGradient::StraightThrough;
  ReadoutSource readout_source = ReadoutSource::Clamped;
  int train_probe = 16;
  bool generative = true;
  double generative_rate = 1, generative_noise = 0.025, generative_norm_decay = 0;
  double code_step = 0.025;
  CodeMode code_mode = CodeMode::ClosedForm;
  GeneratedRows generative_rows = GeneratedRows::All;

  template <class V>
  void describe(V&& v) {
    v("pff.threshold", threshold, Range::at_least(0), "goodness between positive and negative");
    v("pff.noise", noise, Range::at_least(0), "deviation of what is added before every relu");
    v("pff.norm_decay", norm_decay, Range::at_least(0),
      "weight of the sum of the matrices' Frobenius norms (not squared) in the loss");
    v("pff.negatives", negatives,
      "wrong labels are drawn from all outputs; from those that the scenario lets compete so far; "
      "or from those of the example's own task");
    v("pff.relu_gradient", relu_gradient,
      "derivative of relu: 1 everywhere, as in the authors' code, or 0 below 0");
    v("pff.readout_source", readout_source,
      "what the fast classifier learns from: the state under the clamped label, as in the authors' "
      "code, which leaves it useless at test, or the sweep without a label");
    v("pff.train_probe", train_probe, Range::at_least(0),
      "examples of each batch that are classified before it is learnt, to estimate the training "
      "accuracy, which is unknown with 0");
    v("pff.generative", generative, "the generative circuit learns beside the other");
    v("pff.generative_rate", generative_rate, Range::above(0), "its learning rate over lr");
    v("pff.generative_noise", generative_noise, Range::at_least(0),
      "deviation of what is added to states before they predict");
    v("pff.generative_norm_decay", generative_norm_decay, Range::at_least(0),
      "as pff.norm_decay, of the generative matrices");
    v("pff.code_step", code_step, Range::above(0), "step of the top code along its gradient");
    v("pff.code_mode", code_mode,
      "top code: what the authors' first gradient step gives, after which theirs stands still; "
      "theirs step by step; or a well-scaled descent");
    v("pff.generative_rows", generative_rows,
      "examples that the generative circuit learns from: all, as in the authors' code, or those "
      "with their true label");
  }
};
std::unique_ptr<Rule> make_pff(const PffRuleOptions&, const RuleContext&);  // pff.cpp

enum class NegativeDraw { Hard, Uniform };
template <>
struct Choices<NegativeDraw> {
  static constexpr std::array<std::string_view, 2> names{"hard", "uniform"};
};
struct FfRuleOptions {
  Negatives negatives = Negatives::Seen;
  NegativeDraw negative_draw = NegativeDraw::Hard;
  double peer = 0.03, peer_memory = 0.9, head_rate = 10, head_decay = 1.5;
  int iterations = 1;
  bool in_turn = false;

  template <class V>
  void describe(V&& v) {
    v("ff.negatives", negatives,
      "wrong labels are drawn from all outputs; from those that the scenario lets compete so far; "
      "or from those of the example's own task");
    v("ff.negative_draw", negative_draw,
      "hard: as likely as the softmax head takes them to be; uniform: all alike");
    v("ff.peer", peer, Range::at_least(0),
      "peer normalisation: pull of every unit's mean activity to that of its level; 0: none");
    v("ff.peer_memory", peer_memory, Range::fraction(), "what running means keep with every batch");
    v("ff.head_rate", head_rate, Range::above(0), "learning rate of the softmax head over lr");
    v("ff.head_decay", head_decay, Range::at_least(0), "its weight decay over weight_decay");
    v("ff.iterations", iterations, Range::at_least(1), "updates with every batch");
    v("ff.in_turn", in_turn,
      "levels learn one after the other, each by ff.iterations updates with a batch");
  }
};
std::unique_ptr<Rule> make_ff(const FfRuleOptions&, const RuleContext&);  // ff.cpp

}  // namespace engram
