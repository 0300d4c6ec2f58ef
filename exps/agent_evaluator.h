// Lets agents act at their best in worlds that nobody learns from, the same ones every time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "exps/agent_settings.h"
#include "learners/agent_learner.h"

namespace engram {

/// Means over the episodes of an evaluation.
struct Outcome {
  double mean_return = 0;
  std::vector<double> measures;
};

class AgentEvaluator {
 public:
  AgentEvaluator(const Settings& settings, const Regimes& regimes);

  Outcome play(Agent& agent, int regime);
  /// Frames of the first episode of the first body, evenly from its beginning to its end.
  std::vector<Frame> film(Agent& agent, int regime, int frames);

  std::vector<std::string> measure_names() { return world(0).measure_names(); }
  int episodes(int regime);  ///< of an evaluation
  const Simulation& world_of(int regime) { return world(regime); }

 private:
  Simulation& world(int regime);
  void begin(int regime);
  /// Everybody acts once.
  void step(Agent& agent, int regime);

  const Regimes& regimes_;
  int test_episodes_;
  Senses senses_;
  std::vector<std::unique_ptr<Simulation>> worlds_;
  std::uint64_t steps_ = 0;  ///< since begin()
  Signal seen_;
  std::vector<real> actions_, reward_;
  std::vector<Ended> ended_;
};

}  // namespace engram
