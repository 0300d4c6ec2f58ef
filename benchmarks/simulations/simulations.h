// The table of simulations: worlds whose regimes stand in a stream where tasks stand elsewhere.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "benchmarks/simulations/simulation.h"
#include "utils/options.h"

namespace engram {

struct SimulationOptions {
  std::vector<std::string> regimes;
  int bodies = 0;
  int lidar_beams = 24;

  template <class V>
  void describe(V&& v) {
    v("regimes", regimes, "simulations: names of the regimes to learn, in this order; empty: all");
    v("bodies", bodies, Range::at_least(0),
      "simulations: bodies that learn at the same time; 0: flock 40, drive 1. 80 and 20 are "
      "judged, "
      "always the same");
    v("lidar_beams", lidar_beams, Range::at_least(0).at_most(720),
      "drive: beams of the distance sensor, evenly around the car");
  }
};

/// Bodies to learn from, or to be judged by: those act in a fixed set of worlds that learners never
/// meet.
enum class Role { Train, Test };

struct SimulationEntry {
  std::string_view name, summary, paper;
  std::vector<std::string> (*regimes)();  ///< all that there are, in the order of the stream
  std::unique_ptr<Simulation> (*make)(const SimulationOptions&, std::string_view regime, Role);
};
std::span<const SimulationEntry> simulations();
/// Whether `benchmark` names a simulation instead of a data set.
bool is_simulation(std::string_view benchmark);
/// Error(Config) with the nearest names when simulation or regime is unknown.
std::unique_ptr<Simulation> make_simulation(std::string_view name, const SimulationOptions&,
                                            std::string_view regime, Role);

}  // namespace engram
