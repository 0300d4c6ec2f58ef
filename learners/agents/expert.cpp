// What the simulation's own expert does: the level that counts as 1.
#include "learners/agents/agents.h"

namespace engram {
namespace {

class Expert final : public Agent {
 public:
  void act(const Sight& now, Rng, Mat actions) override { now.world.expert(actions); }
};

}  // namespace

std::unique_ptr<Agent> make_expert(const LevelOptions&, const AgentContext&) {
  return std::make_unique<Expert>();
}

}  // namespace engram
