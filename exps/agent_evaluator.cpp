#include "exps/agent_evaluator.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "utils/error.h"

namespace engram {
namespace {

constexpr std::uint64_t kMostSteps = 10'000'000;  // nobody waits for more
/// Worlds and dice of evaluations, which no seed of a run changes: runs are compared by them.
const Rng kTestRng = Rng(0).fork("test");

}  // namespace

AgentEvaluator::AgentEvaluator(const Settings& settings, const Regimes& regimes)
    : regimes_(regimes),
      test_episodes_(settings.agent.test_episodes),
      senses_(senses_of(settings, regimes)),
      worlds_(static_cast<std::size_t>(regimes.count())) {}

Simulation& AgentEvaluator::world(int regime) {
  auto& world = worlds_[static_cast<std::size_t>(regime)];
  if (!world) world = regimes_.make(regime, Role::Test);
  return *world;
}

int AgentEvaluator::episodes(int regime) {
  const int bodies = world(regime).bodies();
  return (test_episodes_ + bodies - 1) / bodies * bodies;
}

void AgentEvaluator::begin(int regime) {
  Simulation& w = world(regime);
  w.reset(kTestRng.fork("world", static_cast<std::uint64_t>(regime)));
  const auto bodies = static_cast<std::size_t>(w.bodies());
  actions_.assign(bodies * static_cast<std::size_t>(w.action_size()), 0);
  reward_.assign(bodies, 0), ended_.assign(bodies, Ended::No);
  steps_ = 0;
}

void AgentEvaluator::step(Agent& agent, int regime) {
  Simulation& w = world(regime);
  senses_.look(w, regime, seen_);
  const Mat actions{actions_.data(), w.bodies(), w.action_size()};
  agent.act({w, seen_}, kTestRng.fork("act", steps_), actions);
  w.step(actions, reward_, ended_);
  if (++steps_ > kMostSteps)
    throw Error(Fault::Numerical, "an episode of a test world does not end");
}

Outcome AgentEvaluator::play(Agent& agent, int regime) {
  begin(regime);
  Simulation& w = world(regime);
  const auto bodies = static_cast<std::size_t>(w.bodies());
  const int each = episodes(regime) / w.bodies();
  Outcome sum{0, std::vector<double>(w.measure_names().size(), 0)};
  std::vector<double> running(bodies, 0), measures(sum.measures.size());
  std::vector<int> done(bodies, 0);
  for (std::size_t left = bodies; left > 0;) {
    step(agent, regime);
    bool some = false;
    for (std::size_t b = 0; b < bodies; ++b) {
      running[b] += static_cast<double>(reward_[b]);
      if (ended_[b] == Ended::No) continue;
      some = true;
      if (done[b] < each) {
        w.measures(static_cast<int>(b), measures);
        sum.mean_return += running[b];
        for (std::size_t m = 0; m < measures.size(); ++m)
          sum.measures[m] += measures[m];
        if (++done[b] == each) --left;
      }
      running[b] = 0;
    }
    if (some) w.restart(ended_);
  }
  const double n = static_cast<double>(bodies) * each;
  sum.mean_return /= n;
  for (double& m : sum.measures)
    m /= n;
  return sum;
}

std::vector<Frame> AgentEvaluator::film(Agent& agent, int regime, int frames) {
  begin(regime);
  do
    step(agent, regime);
  while (ended_[0] == Ended::No);
  const std::uint64_t length = steps_, gaps = static_cast<std::uint64_t>(std::max(1, frames - 1));
  std::vector<Frame> film;
  begin(regime);
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(frames); ++i) {
    while (steps_ < length * i / gaps)
      step(agent, regime);
    film.push_back(world(regime).draw(0));
  }
  return film;
}

}  // namespace engram
