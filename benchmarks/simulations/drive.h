// A car on winding roads as a benchmark.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "benchmarks/simulations/simulations.h"

namespace engram {

std::vector<std::string> drive_regimes();
/// 1 car to learn from, 20 to be judged by, unless `bodies` says another number.
std::unique_ptr<Simulation> make_drive(const SimulationOptions&, std::string_view regime, Role);

}  // namespace engram
