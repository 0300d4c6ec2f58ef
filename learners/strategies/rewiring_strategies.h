// Strategies that move synapses about (learners/rewiring.h).
#pragma once

#include <array>
#include <memory>

#include "learners/strategy.h"

namespace engram {

struct SetOptions {
  double share = 0.3;
  int every = 0;
  template <class V>
  void describe(V&& v) {
    v("set.share", share, Range::fraction(),
      "share of the synapses of a layer, the smallest ones, that are moved each time");
    v("set.every", every, Range::at_least(0), "steps in between; 0: an epoch");
  }
};
std::unique_ptr<Strategy> make_set(const SetOptions&, const StrategyContext&);  // set.cpp

struct RiglOptions {
  double share = 0.3, until = 0.75;
  int every = 100;
  template <class V>
  void describe(V&& v) {
    v("rigl.share", share, Range::fraction(),
      "share of the synapses of a layer that are moved when a task begins; less by half a cosine "
      "later");
    v("rigl.until", until, Range::above(0).at_most(1), "nothing moves after this share of a task");
    v("rigl.every", every, Range::at_least(1), "steps in between");
  }
};
std::unique_ptr<Strategy> make_rigl(const RiglOptions&, const StrategyContext&);  // rigl.cpp

enum class GrowWhere { Coactive, Gradient, Random };
template <>
struct Choices<GrowWhere> {
  static constexpr std::array<std::string_view, 3> names{"coactive", "gradient", "random"};
};
enum class DropWhat { Magnitude, Saliency };
template <>
struct Choices<DropWhat> {
  static constexpr std::array<std::string_view, 2> names{"magnitude", "saliency"};
};
struct DynamicSynapsesOptions {
  double share = 0.3, until = 0.75, slow = 1, keep = 0;
  int every = 100, candidates = 8, maturity = 1, tasks = 0;
  GrowWhere grow = GrowWhere::Gradient;
  DropWhat drop = DropWhat::Saliency;
  bool claims = true, fair = true;
  template <class V>
  void describe(V&& v) {
    v("dynamic_synapses.share", share, Range::fraction(),
      "share of the synapses of a layer that are moved when a task begins; less by half a cosine "
      "later");
    v("dynamic_synapses.fair", fair,
      "the n-th task moves an n-th of that, which leaves every task an equal part of the budget");
    v("dynamic_synapses.until", until, Range::above(0).at_most(1),
      "nothing moves after this share of a task");
    v("dynamic_synapses.tasks", tasks, Range::at_least(0),
      "synapses move in so many tasks, the first ones; 0: in all. 1 asks what a good network of "
      "the "
      "first task is worth");
    v("dynamic_synapses.every", every, Range::at_least(1), "steps in between");
    v("dynamic_synapses.grow", grow,
      "where synapses begin: between units active together, drawn from the batch; where the "
      "gradient is largest among such candidates; or anywhere");
    v("dynamic_synapses.candidates", candidates, Range::at_least(1),
      "gradient: candidates for every new synapse");
    v("dynamic_synapses.drop", drop,
      "which go: the smallest; or those whose loss would cost least, by the importance that "
      "another "
      "strategy (si, ewc, mas) gives them times w^2, those of this task by |w| below the old");
    v("dynamic_synapses.claims", claims,
      "the strategy that holds old synapses (si, ewc, mas) holds a new one near 0, as hard as past "
      "tasks would mind it (learners/past_claims.h)");
    v("dynamic_synapses.keep", keep, Range::fraction(),
      "share of the synapses of past tasks, the most important ones, that never go");
    v("dynamic_synapses.maturity", maturity, Range::at_least(0),
      "a new synapse stays for so many times `every` steps");
    v("dynamic_synapses.slow", slow, Range::fraction(),
      "steps of a synapse are multiplied by this for every task that it has lived through: 1 none, "
      "0 fixed");
  }
};
std::unique_ptr<Strategy> make_dynamic_synapses(const DynamicSynapsesOptions&,
                                                const StrategyContext&);  // dynamic_synapses.cpp

}  // namespace engram
