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
/// Runs `check`; what it throws says where the key was written, if it was.
void checked_at(const Config& config, const std::string& key, const std::function<void()>& check);
/// Error(Config) for unknown keys and for keys without effect; for those that belong to data sets
/// where agents act, or the other way round, with what to use instead.
void require_all_used(const Config& config);

/// Fills what read_settings() promises, when the benchmark is a simulation.
void read_agent_settings(Settings& s, Config& config);

const AgentEntry& agent_entry(const Settings& s);
/// The regimes that the settings name, or all there are.
Regimes regimes_of(const Settings& s);
/// The rule that teaches the agent, by the loss that is the agent's own.
std::unique_ptr<Rule> make_agent_rule(const Settings& s);
/// The network of an agent that learns, or null. `rule` may be null with it.
std::unique_ptr<Network> make_agent_network(const Settings& s, const Simulation& world, Rule* rule,
                                            Rng rng);
/// The agent. Keeps what the context names.
std::unique_ptr<Agent> make_agent(const Settings& s, const AgentContext& context);
/// How networks see the worlds of the settings.
Senses senses_of(const Settings& s, const Regimes& regimes);

}  // namespace engram
