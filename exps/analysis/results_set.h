// The results files below some folders, read and put together: one entry per experiment and
// configuration, its runs by seed. What cannot be used is named, with the reason, and left out.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "exps/metrics.h"
#include "exps/record.h"

namespace engram {

/// Runs of one configuration over the same data, ascending by seed; at least one.
struct ExperimentRuns {
  std::string label;  ///< unique in its set: the name of the folder, which is what `run` chose
  std::filesystem::path folder;
  std::vector<RunRecord> runs;
  std::vector<std::filesystem::path> files;                          ///< of the runs
  ForgettingDefinition forgetting = ForgettingDefinition::Chaudhry;  ///< as its configuration says
};

/// For who puts runs together without load_results_set().
void sort_by_seed(ExperimentRuns& experiment);

struct SkippedFile {
  std::filesystem::path file;
  std::string reason;
  bool unfinished = false;  ///< a run that is going on or was interrupted
};

struct ResultsSet {
  std::vector<ExperimentRuns> experiments;  ///< in the order of the paths, then by label
  std::vector<SkippedFile> skipped;
};

/// Called after each file: how many are done, of how many.
using ReadProgress = std::function<void(std::size_t done, std::size_t all)>;

/// What is among and below `paths`, all of it skipped if need be. Error(MissingInput) only for a
/// path that does not exist.
ResultsSet read_results_set(std::span<const std::filesystem::path> paths,
                            const ReadProgress& progress = {});

/// All *.h5 files among and below `paths` (checkpoints and weights left out). Files that are
/// foreign, damaged, of another schema or incomplete are skipped. Error(MissingInput) for a path
/// that does not exist and when no run is left, with the reasons.
ResultsSet load_results_set(std::span<const std::filesystem::path> paths,
                            const ReadProgress& progress = {});

/// "key = value" lines of the configuration that a run recorded.
std::map<std::string, std::string> settings_of(const RunRecord& run);

}  // namespace engram
