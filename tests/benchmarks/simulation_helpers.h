// What tests of simulations share: bodies driven for a while by somebody.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "benchmarks/simulations/simulations.h"

namespace engram {

/// A simulation with room for what goes in and out of it.
struct Play {
  std::unique_ptr<Simulation> world;
  std::vector<real> actions, rewards, seen;
  std::vector<Ended> ended;
  std::vector<double> figures;

  Play(std::string_view name, std::string_view regime, Role role, const SimulationOptions& options)
      : world(make_simulation(name, options, regime, role)) {
    const auto bodies = static_cast<std::size_t>(world->bodies());
    actions.resize(bodies * static_cast<std::size_t>(world->action_size()));
    seen.resize(bodies * static_cast<std::size_t>(world->observation_size()));
    rewards.resize(bodies), ended.resize(bodies, Ended::No);
    figures.resize(world->measure_names().size());
  }

  Mat action_rows() { return {actions.data(), world->bodies(), world->action_size()}; }
  Mat observed() {
    const Mat rows{seen.data(), world->bodies(), world->observation_size()};
    world->observe(rows);
    return rows;
  }
  void ask_expert() { world->expert(action_rows()); }
  void choose_at_random(Rng& rng) {
    const CMat choices = world->choices();
    for (int i = 0; i < world->bodies(); ++i) {
      const int choice = static_cast<int>(rng.below(static_cast<std::uint32_t>(choices.rows)));
      for (int k = 0; k < choices.cols; ++k)
        action_rows().row(i)[k] = choices.row(choice)[k];
    }
  }
  void step() { world->step(action_rows(), rewards, ended); }
  double measure(int body, std::size_t which) {
    world->measures(body, figures);
    return figures[which];
  }
};

inline Play play(std::string_view name, std::string_view regime, Role role, int bodies = 0,
                 int lidar_beams = 24) {
  SimulationOptions options;
  options.bodies = bodies, options.lidar_beams = lidar_beams;
  return {name, regime, role, options};
}

}  // namespace engram
