// Strategies that hold weights where past tasks left them, each as hard as it mattered.
#pragma once

#include <array>
#include <memory>

#include "learners/strategy.h"

namespace engram {

struct L2Options {
  double lambda = 1;
  template <class V>
  void describe(V&& v) {
    v("l2.lambda", lambda, Range::at_least(0),
      "strength of the pull towards the last task's weights");
  }
};
std::unique_ptr<Strategy> make_l2(const L2Options&, const StrategyContext&);  // l2.cpp

struct SiOptions {
  double c = 0.1, xi = 0.1, cut = 0;
  bool clip_negative = true;
  std::vector<std::string> skip;
  template <class V>
  void describe(V&& v) {
    v("si.c", c, Range::at_least(0), "strength: the loss grows by c sum Omega (w - w*)^2");
    v("si.xi", xi, Range::above(0), "damping of the denominator of Omega");
    v("si.clip_negative", clip_negative,
      "a task's share of Omega is no less than 0, as in the authors' code; no: as it comes");
    v("si.cut", cut, Range::at_least(0),
      "no weight's Omega exceeds it (Avalanche's code: 0.001); 0: no such bound");
    v("si.skip", skip,
      "layers whose weights are left free, by the beginning of their names: dendrites, or linear3; "
      "empty: none");
  }
};
std::unique_ptr<Strategy> make_si(const SiOptions&, const StrategyContext&);  // si.cpp

/// Whose squared gradients estimate the Fisher information (van de Ven 2025), for an example x:
/// sum_y p(y|x) g_y^2 over all training examples (exact) or 500 of them (exact_500), one y drawn
/// from p (sample), the label (empirical), the most probable y (predicted), or the square of the
/// mean gradient of the labels of a mini-batch (batched), which is something else.
enum class Fisher { Exact, Exact500, Sample, Empirical, Predicted, Batched };
template <>
struct Choices<Fisher> {
  static constexpr std::array<std::string_view, 6> names{"exact",     "exact_500", "sample",
                                                         "empirical", "predicted", "batched"};
};
enum class Anchors { Separate, Online };
template <>
struct Choices<Anchors> {
  static constexpr std::array<std::string_view, 2> names{"separate", "online"};
};
struct EwcOptions {
  double lambda = 100, gamma = 1;
  bool half = true;
  Anchors anchors = Anchors::Separate;
  Fisher fisher = Fisher::Exact;
  int fisher_examples = 0, fisher_batch = 128;
  template <class V>
  void describe(V&& v) {
    v("ewc.lambda", lambda, Range::at_least(0),
      "strength; its scale is that of the Fisher estimate, so it cannot be carried over from one "
      "to another");
    v("ewc.half", half, "the loss grows by lambda / 2 sum F (w - w*)^2; no: by twice as much");
    v("ewc.anchors", anchors,
      "separate: one penalty for every past task (Kirkpatrick et al. 2017); online: one for all, "
      "around the last weights, F <- gamma F + F_task (Schwarz et al. 2018)");
    v("ewc.gamma", gamma, Range::fraction(), "online: what is kept of F when a task is added");
    v("ewc.fisher", fisher,
      "whose squared gradients are averaged: all labels by their probability (exact; exact_500: "
      "over 500 examples), one drawn (sample), the right one (empirical), the most probable one "
      "(predicted), or of a mini-batch together (batched)");
    v("ewc.fisher_examples", fisher_examples, Range::at_least(0),
      "training examples that the estimate is made of; 0: all");
    v("ewc.fisher_batch", fisher_batch, Range::at_least(1), "batched: examples per mini-batch");
  }
};
std::unique_ptr<Strategy> make_ewc(const EwcOptions&, const StrategyContext&);  // ewc.cpp

struct MasOptions {
  double lambda = 1, keep = 1, add = 1;
  int examples = 0, batch = 1;
  bool mean_outputs = false;
  template <class V>
  void describe(V&& v) {
    v("mas.lambda", lambda, Range::at_least(0),
      "strength: the loss grows by lambda sum Omega (w - w*)^2");
    v("mas.keep", keep, Range::fraction(), "Omega <- keep Omega + add Omega_task after every task");
    v("mas.add", add, Range::fraction(), "the paper sums (1, 1); FACIL blends (0.5, 0.5)");
    v("mas.examples", examples, Range::at_least(0),
      "training examples that Omega is made of; 0: all");
    v("mas.mean_outputs", mean_outputs,
      "Omega of the mean square of the outputs that compete, as Hsu et al., instead of their sum");
    v("mas.batch", batch, Range::at_least(1),
      "1: the mean of |gradient| over examples, as in the paper; above: |mean gradient| of "
      "mini-batches of so many, as in several codes");
  }
};
std::unique_ptr<Strategy> make_mas(const MasOptions&, const StrategyContext&);  // mas.cpp

/// What the softmax of the network runs over in class-incremental streams.
enum class LwfOutputs { Old, All };
template <>
struct Choices<LwfOutputs> {
  static constexpr std::array<std::string_view, 2> names{"old", "all"};
};
struct LwfOptions {
  std::vector<double> lambda{1};
  double temperature = 2;
  bool weigh_by_tasks = false;
  LwfOutputs outputs = LwfOutputs::Old;
  template <class V>
  void describe(V&& v) {
    v("lwf.lambda", lambda, Range::at_least(0),
      "weight of the distillation loss; several: one for each task, the last for those after too");
    v("lwf.temperature", temperature, Range::above(0), "of the softmax of teacher and network");
    v("lwf.weigh_by_tasks", weigh_by_tasks,
      "with k tasks met, the new task's loss weighs 1/k and distillation 1 - 1/k, as van de Ven");
    v("lwf.outputs", outputs,
      "scenario = class: new classes are left out of the distillation (old, as in the paper), or "
      "are to be improbable (all, as van de Ven)");
  }
};
std::unique_ptr<Strategy> make_lwf(const LwfOptions&, const StrategyContext&);  // lwf.cpp

}  // namespace engram
