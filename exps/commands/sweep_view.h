// What `engram sweep` prints: the points of a grid with what they came to, and the choice.
#pragma once

#include <string>
#include <vector>

#include "exps/commands/sweep_plan.h"
#include "exps/sweep/judged.h"

namespace engram {

/// One row per point: its values, runs, mean and SD of the metric and of forgetting over the seeds,
/// time of a run; the best is marked.
std::string points_text(const SweptExperiment& experiment, const std::vector<JudgedPoint>& points,
                        std::size_t best, bool colour);

/// What was chosen for an experiment, at which cost, and what came out of the final runs.
struct FinalRow {
  std::string experiment, choice, cost;
  JudgedPoint runs;
};
std::string finals_text(const std::vector<FinalRow>& rows, const std::string& metric,
                        const std::vector<std::uint64_t>& seeds, bool colour);

}  // namespace engram
