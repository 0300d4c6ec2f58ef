// An agent chooses what bodies in a world do, and may learn from what comes of it. It remembers and
// says what a batch should come near; the gradient is a rule's, the step an optimiser's, the loop
// agent_learner's.
#pragma once

#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "benchmarks/simulations/simulation.h"
#include "learners/batch.h"
#include "learners/loss.h"
#include "models/network.h"
#include "utils/config.h"
#include "utils/rng.h"

namespace engram {

/// A world at one moment, and what its bodies see, as networks read it: [bodies, inputs].
struct Sight {
  const Simulation& world;
  const Signal& seen;
};

/// One step of all bodies.
struct Transition {
  const Simulation& world;  ///< after the step; episodes that ended have not restarted yet
  const Signal &before, &after;
  std::span<const real> reward;  ///< [bodies]
  std::span<const Ended> ended;  ///< [bodies]
};

/// How far a regime has come. Every step of every body is one interaction.
struct RegimePlace {
  std::int64_t interactions = 0, budget = 1;
};

class Agent {
 public:
  virtual ~Agent() = default;
  /// actions [bodies, action size] <- the best that it knows. Learns nothing.
  virtual void act(const Sight& now, Rng rng, Mat actions) = 0;

  // What follows is for those who learn.

  /// A new regime: its world has been reset.
  virtual void begin_regime() {}
  /// actions <- what is worth trying while it learns. remember() comes next.
  virtual void explore(const Sight& now, const RegimePlace&, Rng rng, Mat actions) {
    act(now, rng, actions);
  }
  virtual void remember(const Transition&) {}
  /// How many batches are due in the first so many interactions of a regime, if there is enough to
  /// learn from.
  virtual std::int64_t due(std::int64_t /*interactions*/) const { return 0; }
  /// Whether there is. What was due before is not made up for.
  virtual bool can_learn() const { return false; }
  /// How many are due when the interactions of a regime go from `before` to `now`.
  int updates(std::int64_t before, std::int64_t now) const {
    return can_learn() ? static_cast<int>(due(now) - due(before)) : 0;
  }
  /// Fills inputs, goal and mask with memories drawn by `rng`. Some batch must have been due.
  virtual void recall(Batch&, Rng) {}
  /// After an optimiser step, of which the run has now taken so many.
  virtual void after_update(std::int64_t /*updates*/) {}
  /// The longest gradient that may be spent: longer ones are shortened; 0: as they are.
  virtual double longest_gradient() const { return 0; }
  /// Share of the actions that are drawn at random, where the agent has one; else NaN.
  virtual double epsilon(const RegimePlace&) const {
    return std::numeric_limits<double>::quiet_NaN();
  }
  /// Everything besides the network that a resumed run needs; never changes size.
  virtual std::vector<std::span<real>> state() { return {}; }
  /// After state() has been read from a file. Error(Data) when the agent cannot work with it.
  virtual void restored() {}

  /// Multiply-adds of acting and recalling since this was last asked.
  Macs take_macs() { return std::exchange(macs_, {}); }

 protected:
  Macs macs_;
};

/// What agents are made of. The network must outlive them.
struct AgentContext {
  const Simulation& world;  ///< one like those to come, for bodies, choices and sizes
  int inputs = 0;           ///< numbers that networks read
  bool clear_memory = true;
  Network* net = nullptr;                            ///< null for agents without outputs
  std::function<std::unique_ptr<Network>()> twin{};  ///< another network of the same build
};

/// The table of agents.
struct AgentEntry {
  std::string_view name, summary, paper;
  /// Of the network; 0: it has none and does not learn.
  int (*outputs)(const Simulation&);
  Loss loss;
  std::unique_ptr<Agent> (*make)(Config&, const AgentContext&);
  std::vector<OptionInfo> (*options)();
  void (*read)(Config&);  ///< checks the options and marks them as used
};
std::span<const AgentEntry> agents();

}  // namespace engram
