// The table of agents.
#include "learners/agents/agents.h"

namespace engram {
namespace {

template <auto Make, class Options>
std::unique_ptr<Agent> build(Config& config, const AgentContext& context) {
  return Make(config.read<Options>(), context);
}
template <class Options>
void check(Config& config) {
  config.read<Options>();
}
template <auto Make, class Options>
constexpr AgentEntry entry(std::string_view name, std::string_view summary, std::string_view paper,
                           int (*outputs)(const Simulation&), Loss loss) {
  return {name,          summary, paper, outputs, loss, build<Make, Options>, list_options<Options>,
          check<Options>};
}

constexpr auto kOnePerChoice = [](const Simulation& world) { return world.choices().rows; };
constexpr auto kAnAction = [](const Simulation& world) { return world.action_size(); };
constexpr auto kNone = [](const Simulation&) { return 0; };

constexpr AgentEntry kAgents[] = {
    entry<make_dqn, DqnOptions>("dqn", "learns the value of every choice from rewards (double DQN)",
                                "Mnih et al. 2015; van Hasselt et al. 2016", kOnePerChoice,
                                Loss::Huber),
    entry<make_imitation, ImitationOptions>(
        "imitation", "does as the expert would, asked at every moment (DAgger)", "Ross et al. 2011",
        kAnAction, Loss::Mse),
    entry<make_random, LevelOptions>("random", "any choice: the score 0, nothing is learnt", "-",
                                     kNone, Loss::Mse),
    entry<make_expert, LevelOptions>("expert",
                                     "knows the state of the world: the score 1, nothing is learnt",
                                     "-", kNone, Loss::Mse),
};

}  // namespace

std::span<const AgentEntry> agents() {
  return kAgents;
}

}  // namespace engram
