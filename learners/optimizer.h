// An optimiser spends the gradient. It walks over the parameters slice by slice: frozen slices are
// skipped, and what no gradient touched gets only the linear part of the update, with the same bits
// as if its gradient had been zero.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "models/param_store.h"
#include "utils/options.h"

namespace engram {

/// What happens to momentum and moments when a new task begins.
enum class StatePolicy { Keep, Reset };
template <>
struct Choices<StatePolicy> {
  static constexpr std::array<std::string_view, 2> names{"keep", "reset"};
};

/// Where Adam's epsilon is added.
enum class EpsilonAt { Corrected, Moment };
template <>
struct Choices<EpsilonAt> {
  static constexpr std::array<std::string_view, 2> names{"corrected", "moment"};
};

struct OptimizerOptions {
  std::string optimizer = "sgd";
  double lr = 0.01, weight_decay = 0;
  double momentum = 0;
  bool nesterov = false, decoupled_decay = false;
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  EpsilonAt epsilon_at = EpsilonAt::Corrected;
  double clip = 0;
  StatePolicy optimizer_state = StatePolicy::Keep;

  template <class V>
  void describe(V&& v) {
    v("optimizer", optimizer, "optimiser of `engram list optimizers`");
    v("lr", lr, Range::above(0), "learning rate");
    v("weight_decay", weight_decay, Range::at_least(0),
      "L2 penalty, added to the gradient; biases too, as in PyTorch");
    v("momentum", momentum, Range::at_least(0).below(1), "sgd: momentum");
    v("nesterov", nesterov, "sgd: Nesterov's momentum");
    v("decoupled_decay", decoupled_decay,
      "weights shrink by lr times weight_decay apart from gradient, momentum and moments; with "
      "adam "
      "that is AdamW");
    v("beta1", beta1, Range::at_least(0).below(1), "adam: decay of the first moment");
    v("beta2", beta2, Range::at_least(0).below(1), "adam: decay of the second moment");
    v("epsilon", epsilon, Range::above(0),
      "adam: added to the root of the second moment; adagrad: to that of the summed squares");
    v("epsilon_at", epsilon_at,
      "adam: epsilon is added to the root of the bias-corrected second moment, as in PyTorch and "
      "the paper, or of the moment itself, as in Keras");
    v("clip", clip, Range::at_least(0),
      "every entry of a gradient is cut to [-clip, clip] before the step; 0: none is");
    v("optimizer_state", optimizer_state, "momentum and moments when a task begins");
  }
};

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  /// Moves the trainable slices of the parameters along their gradients.
  void step(double lr) { ++taken_, move(lr); }
  virtual void reset() = 0;  ///< forgets momentum and moments
  /// Forgets them for some places in the array of all weights: synapses that are new.
  virtual void forget(std::span<const std::size_t> places) = 0;
  /// Everything that a resumed run needs, laid end to end; the same size before and after.
  virtual std::vector<std::span<real>> state() = 0;
  virtual std::int64_t steps() const { return 0; }  ///< taken since the last reset
  virtual void set_steps(std::int64_t) {}
  /// Steps of the whole run, whoever asked for them.
  std::int64_t taken() const { return taken_; }
  void set_taken(std::int64_t steps) { taken_ = steps; }

 private:
  virtual void move(double lr) = 0;

  std::int64_t taken_ = 0;
};

// All keep the address of the parameters, which must outlive them.
std::unique_ptr<Optimizer> make_sgd(const OptimizerOptions&, ParamStore&);        // sgd.cpp
std::unique_ptr<Optimizer> make_adam(const OptimizerOptions&, ParamStore&);       // adam.cpp
std::unique_ptr<Optimizer> make_lazy_adam(const OptimizerOptions&, ParamStore&);  // lazy_adam.cpp
std::unique_ptr<Optimizer> make_adagrad(const OptimizerOptions&, ParamStore&);    // adagrad.cpp
std::unique_ptr<Optimizer> make_unit_sgd(const OptimizerOptions&, ParamStore&);   // unit_sgd.cpp

/// Calls step(begin, count, gradient) for runs of elements of a slice; `gradient` [count] is null
/// where it is known to be zero. In parallel over fixed runs, so the bodies must treat elements
/// independently. Frozen slices are left out by the caller.
template <class Step>
void for_each_run(ParamStore& params, int id, Step step);

}  // namespace engram

#include "learners/optimizer_runs.h"
