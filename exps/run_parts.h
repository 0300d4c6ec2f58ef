// What runs on data and runs of agents have in common: their clock, their seeds, how they keep the
// record.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>

#include "exps/metrics.h"
#include "exps/record.h"
#include "utils/rng.h"

namespace engram {

using Clock = std::chrono::steady_clock;
double since(Clock::time_point t);  ///< seconds

/// Of a seed of its own, if there is one, or of the run's.
Rng root_of(const std::optional<int>& own, std::uint64_t seed);

/// Notes in the record that a run goes on; returns the seconds that it took until then.
double note_resumed(RunRecord&);
/// Writes the record, which says that the run has taken so many seconds and how much memory.
void keep_record(RunRecord&, const std::filesystem::path& file, double seconds,
                 ForgettingDefinition);

}  // namespace engram
