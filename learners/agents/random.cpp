// Any of the choices, each as likely: the level that counts as 0.
#include <algorithm>

#include "learners/agents/agents.h"

namespace engram {
namespace {

class Random final : public Agent {
 public:
  void act(const Sight& now, Rng rng, Mat actions) override {
    const CMat choices = now.world.choices();
    for (int b = 0; b < actions.rows; ++b)
      std::copy_n(
          choices.row(static_cast<int>(rng.below(static_cast<std::uint32_t>(choices.rows)))),
          choices.cols, actions.row(b));
  }
};

}  // namespace

std::unique_ptr<Agent> make_random(const LevelOptions&, const AgentContext&) {
  return std::make_unique<Random>();
}

}  // namespace engram
