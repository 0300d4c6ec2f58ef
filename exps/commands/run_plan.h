// What `engram run` is going to do, decided before anything trains.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "exps/analysis/results_set.h"
#include "exps/experiment.h"
#include "exps/run.h"

namespace engram {

struct PlanRequest {
  std::vector<std::string> names;  ///< none: the experiments of quickstart.cfg
  std::optional<std::vector<std::uint64_t>> seeds;
  std::vector<std::string> overrides;  ///< of --set
  std::optional<std::string> label;    ///< of --name
  std::filesystem::path experiments, out;
  bool force = false;
  DataSearch search{};  ///< of --data
};

struct PlannedRun {
  std::size_t experiment = 0;  ///< index into RunPlan::experiments
  RunFiles files;
  RunState state = RunState::New;
  std::string why;  ///< of RunState::Other
};

struct PlannedExperiment {
  Settings settings;
  std::filesystem::path folder;  ///< of its results
};

struct RunPlan {
  DataSearch search;
  std::vector<PlannedExperiment> experiments;
  std::vector<PlannedRun> runs;  ///< every seed of the first experiment, then of the second, ...

  const Settings& settings_of(const PlannedRun& run) const {
    return experiments[run.experiment].settings;
  }
  /// "perm_mlp1_sparse seed 3"
  std::string label(const PlannedRun& run) const;
};

/// OUT/NAME~<8 digits of the settings' hash>: where results of settings lie that no file names.
std::filesystem::path folder_of_settings(const std::filesystem::path& out, const Settings&);

/// Resolves and checks the settings of all experiments and looks at the files that exist. Throws
/// Error(Config) or Error(Usage) for what can be known to be wrong before training.
RunPlan make_plan(const PlanRequest&);

/// Whether files of other settings are in the way of a run.
bool holds_other_runs(const RunPlan&);
/// Error(Config) with a hint when files of other settings are in the way of a run.
void refuse_foreign_files(const RunPlan&);

/// The complete runs of an experiment with their files, but for those that failed just now: what
/// such a run has left is from before. Error(Data) when two are over different data.
ExperimentRuns complete_runs(const RunPlan&, std::size_t experiment,
                             const std::set<std::filesystem::path>& failed);

/// The plan in words for --dry-run: settings, model, runs.
std::string describe_plan(const RunPlan&, bool force, bool colour);

}  // namespace engram
