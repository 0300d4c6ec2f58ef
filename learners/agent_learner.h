// The loop of agents, the counterpart of learner.h for those who learn by acting: a regime of a
// simulation is an experience, a stretch between two evaluations an epoch.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "benchmarks/simulations/simulations.h"
#include "learners/agents/agents.h"
#include "learners/optimizer.h"
#include "learners/progress.h"
#include "learners/rule.h"
#include "learners/schedule.h"
#include "learners/strategy.h"

namespace engram {

/// The worlds of a run, one kind after the other.
struct Regimes {
  std::vector<std::string> names;
  std::function<std::unique_ptr<Simulation>(int regime, Role)> make;
  int count() const { return static_cast<int>(names.size()); }
};

/// What networks read of a world: what its bodies see, and if asked for the regime's one-hot code.
class Senses {
 public:
  /// `codes`: how many regimes there are to tell apart; 0: they are not told.
  explicit Senses(int codes) : codes_(codes) {}
  int inputs(const Simulation& world) const { return world.observation_size() + codes_; }
  /// to [bodies, inputs] <- of this moment.
  void look(const Simulation& world, int regime, Signal& to);

 private:
  int codes_;
  Signal seen_;
};

/// What the loop tells the outside. Everything may be left out.
class AgentObserver {
 public:
  virtual ~AgentObserver() = default;
  /// Before the first regime: row 0.
  virtual void before_training() {}
  /// After a step of the world with all that was learnt from it.
  virtual void after_step(const Cursor&, double /*epsilon*/) {}
  /// `mean_return`: of the training episodes that ended since the last one; NaN if none did.
  virtual void after_epoch(const EpochRow&, std::int64_t /*interactions of the regime*/,
                           double /*mean_return*/) {}
  virtual void after_regime(int /*regime*/) {}
  /// Asked at moments when everything can be saved; saves when it is time to.
  virtual void may_save(const Cursor&) {}
  /// True: the loop saves and returns.
  virtual bool stop_requested() { return false; }
};

/// The parts that learn.
struct AgentParts {
  Agent& agent;
  Network& net;
  Rule& rule;
  Optimizer& optimizer;
  StrategyList& strategies;
};

class AgentLearner {
 public:
  /// `rng` is the run's root; the loop forks "world", "explore", "replay" and "pass" from it.
  /// Error(Config) when the rule teaches labels alone or a strategy needs what it does not provide.
  AgentLearner(const AgentOptions&, const ScheduleOptions&, const OptimizerOptions&,
               const AgentParts&, const Regimes&, Rng rng);

  /// Trains from `cursor` to the end: `step` counts interactions of a regime, `total_steps` steps
  /// of the optimiser in the whole run. False when the observer asked to stop: the cursor then says
  /// where to go on. Error(Numerical) when the loss stops being finite.
  bool run(Cursor& cursor, AgentObserver& observer);

  /// What a resumed run needs besides network, optimiser, agent and cursor: the world and the
  /// episodes that are going on. load() before run(); Error(Data) if it was not saved here.
  std::vector<double> save() const;
  void load(std::span<const double> saved);

 private:
  void begin_regime(Cursor&, Training&);
  bool train_regime(Training&, Cursor&, AgentObserver&);
  /// One step of all bodies.
  void live(Cursor&);
  /// `from`: interactions of the regime before the step of the world that is learnt from.
  void learn(Training&, std::int64_t from, Cursor&);
  void spend_gradient(Training&, std::int64_t from, Cursor&);
  void end_epoch(Cursor&, AgentObserver&);
  RegimePlace place_of(const Cursor& c) const { return {c.step, o_.steps_per_regime}; }
  Pass pass_of(std::int64_t step) const;

  AgentOptions o_;
  ScheduleOptions schedule_;
  OptimizerOptions optimizer_options_;
  AgentParts parts_;
  const Regimes& regimes_;
  Rng rng_;
  Senses senses_;
  std::unique_ptr<Simulation> world_;
  std::vector<double> saved_world_;      ///< to go on from
  std::vector<double> running_;          ///< per body: return of its episode so far
  double ended_return_ = 0, ended_ = 0;  ///< sum and number of the returns of this epoch
  Signal before_, after_;                ///< what is seen now and after the step
  std::vector<real> actions_, reward_;
  std::vector<Ended> how_ended_;
  Batch batch_;
};

}  // namespace engram
