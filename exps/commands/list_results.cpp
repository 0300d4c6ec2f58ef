// What is in a folder of results: which runs are complete, which are not, and what came out.
#include "exps/commands/list_results.h"

#include <cstdio>
#include <map>
#include <set>

#include <fmt/format.h>

#include "exps/analysis/results_set.h"
#include "exps/commands/table.h"
#include "exps/show_parts.h"
#include "utils/error.h"
#include "utils/terminal.h"

namespace engram {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kCheckpoint = ".checkpoint.h5";

/// Seeds that began and did not end, by folder. A run that was killed early has only a checkpoint.
std::map<fs::path, std::set<std::string>> unfinished_runs(const fs::path& folder,
                                                          const ResultsSet& set) {
  std::map<fs::path, std::set<std::string>> unfinished;
  for (const SkippedFile& skipped : set.skipped)
    if (skipped.unfinished)
      unfinished[skipped.file.parent_path()].insert(skipped.file.stem().string());
  std::error_code failed;
  for (const auto& entry : fs::recursive_directory_iterator(
           folder, fs::directory_options::skip_permission_denied, failed)) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(kCheckpoint)) continue;
    const std::string run = name.substr(0, name.size() - kCheckpoint.size());
    if (!fs::exists(entry.path().parent_path() / (run + ".h5"), failed))
      unfinished[entry.path().parent_path()].insert(run);
  }
  return unfinished;
}

std::string metric(const ExperimentRuns& experiment, const char* name) {
  return show::percent(show::over(experiment.runs, [&](const RunRecord& run) {
    return metric_value(run, experiment.forgetting, name);
  }));
}

/// "2026-01-02 03:04", when the latest run began.
std::string started(const ExperimentRuns& experiment) {
  std::string latest;
  for (const RunRecord& run : experiment.runs)
    for (const auto& [key, value] : run.provenance)
      if (key == "started") latest = std::max(latest, value);
  latest = latest.substr(0, 16);
  if (latest.size() == 16) latest[10] = ' ';
  return latest.empty() ? "-" : latest;
}

}  // namespace

int list_results(const fs::path& folder) {
  if (!fs::exists(folder))
    throw Error(Fault::MissingInput,
                fmt::format("list results: there is no folder '{}'; 'engram run' makes one",
                            folder.string()));
  LiveLines live;
  const fs::path paths[]{folder};
  const ResultsSet set = read_results_set(paths, [&](std::size_t done, std::size_t all) {
    live.show(fmt::format("reading {} of {} files", done, all));
  });
  live.clear();
  auto unfinished = unfinished_runs(folder, set);
  TextTable table(
      {"results", "complete", "unfinished", "tasks", "ACC, %", "forgetting, %", "began"});
  for (const ExperimentRuns& e : set.experiments) {
    const auto open = unfinished.extract(e.folder);
    table.add({e.label, std::to_string(e.runs.size()),
               open.empty() ? "-" : std::to_string(open.mapped().size()),
               std::to_string(e.runs.front().tasks()), metric(e, "average_accuracy"),
               metric(e, "forgetting"), started(e)});
  }
  for (const auto& [place, runs] : unfinished)
    table.add({place.filename().string(), "-", std::to_string(runs.size()), "-", "-", "-", "-"});
  if (set.experiments.empty() && unfinished.empty())
    fmt::print("no results in '{}' yet\n", folder.string());
  else
    fmt::print("{}",
               table.text(use_colour(stdout), is_terminal(stdout) ? terminal_width(stdout) : 0));
  for (const SkippedFile& skipped : set.skipped)
    if (!skipped.unfinished)
      fmt::print(stderr, "engram: left out {}: {}\n", skipped.file.string(), skipped.reason);
  return 0;
}

}  // namespace engram
