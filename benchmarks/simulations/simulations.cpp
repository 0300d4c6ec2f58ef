#include "benchmarks/simulations/simulations.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "benchmarks/simulations/drive.h"
#include "benchmarks/simulations/flock.h"
#include "utils/error.h"
#include "utils/find_entry.h"

namespace engram {
namespace {

constexpr std::array<SimulationEntry, 2> kSimulations{{
    {"flock", "boids that keep together, shown how by a teacher or told by a reward",
     "Reynolds 1987", flock_regimes, make_flock},
    {"drive", "a car on winding roads, with traffic or without grip", "Li et al. 2020 (PGDrive)",
     drive_regimes, make_drive},
}};

}  // namespace

std::span<const SimulationEntry> simulations() {
  return kSimulations;
}

bool is_simulation(std::string_view benchmark) {
  return std::any_of(kSimulations.begin(), kSimulations.end(),
                     [&](const SimulationEntry& entry) { return entry.name == benchmark; });
}

std::unique_ptr<Simulation> make_simulation(std::string_view name, const SimulationOptions& options,
                                            std::string_view regime, Role role) {
  const SimulationEntry& entry = find_entry(simulations(), name, "benchmark");
  const std::vector<std::string> known = entry.regimes();
  if (std::find(known.begin(), known.end(), regime) == known.end())
    throw Error(Fault::Config, fmt::format("regimes = {}: no such regime of {}{}", regime, name,
                                           suggestion(regime, known)));
  return entry.make(options, regime, role);
}

}  // namespace engram
