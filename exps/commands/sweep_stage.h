// Runs what is missing of some points, remembers what failed, and judges what is there.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "exps/commands/failure.h"
#include "exps/commands/job_arguments.h"
#include "exps/commands/sweep_plan.h"
#include "exps/sweep/judged.h"

namespace engram {

struct StageEnd {
  bool interrupted = false;
  /// The first, those that were remembered included; losses that stopped being finite come last.
  std::optional<Failure> failure;
  std::size_t missing = 0;  ///< runs that failed otherwise, and are tried again by the same command
};

/// Says how much is there already, then runs the rest in processes of their own. A failure stops no
/// other run. Losses that stopped being finite are not tried again but with `force`.
StageEnd run_points(const std::vector<SweepPoint*>& points, LoadedData& data, JobOptions options,
                    bool force);

/// The first failure stands, unless it is but a loss that exploded.
void keep_worse(std::optional<Failure>& kept, const Failure& failure);

/// What the complete runs of a point have shown.
JudgedPoint judge_point(const SweepPoint& point, const std::string& metric);

}  // namespace engram
