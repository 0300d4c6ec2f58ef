// The table of strategies. Apart from those of rules and optimisers because strategies see data.
#include "learners/strategies/strategies.h"

namespace engram {
namespace {

template <class Options>
void check(Config& config) {
  config.read<Options>();
}
template <auto Make, class Options>
std::unique_ptr<Strategy> build(Config& config, const Network& net) {
  return Make(config.read<Options>(), net);
}
constexpr StrategyEntry kStrategies[] = {
    {"l2", "pulls every weight back to its value after the last task", "Hsu et al. 2018",
     build<make_l2, L2Options>, list_options<L2Options>, check<L2Options>},
    {"generative_replay", "the network paints and labels images of past tasks", "Shin et al. 2017",
     build<make_generative_replay, GenerativeReplayOptions>, list_options<GenerativeReplayOptions>,
     check<GenerativeReplayOptions>},
};

}  // namespace

std::span<const StrategyEntry> strategies() {
  return kStrategies;
}

}  // namespace engram
