// What a configuration means where the benchmark is a simulation: agents, regimes, and those of the
// other options that make sense for them.
#pragma once

#include <functional>
#include <string>

#include "exps/experiment.h"
#include "learners/agent_learner.h"

namespace engram {

/// What `benchmark` says, or would by default.
std::string benchmark_of(const Config& config);
/// Runs `check`; what it throws says where the key was written, if it was, unless it says where
/// another one was.
void checked_at(const Config& config, const std::string& key, const std::function<void()>& check);
/// Error(Config) for unknown keys and for keys without effect; for those that belong to data sets
/// where agents act, or the other way round, with what to use instead.
void require_all_used(const Config& config);

/// Fills what read_settings() promises, when the benchmark is a simulation.
void read_agent_settings(Settings& s, Config& config);

const AgentEntry& agent_entry(const Settings& s);
/// The regimes that the settings name, or all there are.
Regimes regimes_of(const Settings& s);
/// An agent with what teaches it, if it learns: otherwise the rest is null.
struct Minds {
  std::unique_ptr<Rule> rule;  ///< by the loss that is the agent's own
  std::unique_ptr<Network> net;
  std::unique_ptr<Optimizer> optimizer;
  StrategyList strategies;
  std::unique_ptr<Agent> agent;
};
Minds make_minds(const Settings& s, const Regimes& regimes, std::uint64_t seed);
/// How networks see the worlds of the settings.
Senses senses_of(const Settings& s, const Regimes& regimes);

}  // namespace engram
