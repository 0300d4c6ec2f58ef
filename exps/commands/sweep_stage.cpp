#include "exps/commands/sweep_stage.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "exps/results_file.h"
#include "utils/error.h"

namespace engram {
namespace {

constexpr int kDiverged = static_cast<int>(Fault::Numerical);

struct Stage {
  std::vector<RunJob> jobs;
  std::vector<SweepRun*> runs;            ///< of the jobs
  std::vector<const SweepPoint*> points;  ///< likewise
  std::size_t complete = 0, diverged = 0, resumed = 0;
};

Stage list_jobs(const std::vector<SweepPoint*>& points, LoadedData& data, bool force,
                StageEnd& end) {
  Stage stage;
  for (SweepPoint* point : points)
    for (SweepRun& run : point->runs) {
      const bool is_complete = run.state == RunState::Complete && !force;
      if (is_complete && ++stage.complete) continue;
      if (run.state == RunState::Other && !force)
        throw Error(Fault::Config,
                    fmt::format("{} seed {}: {}; --out DIR writes elsewhere, --force "
                                "replaces it",
                                point->label, run.files.seed, run.why));
      run.failed = force ? "" : noted_divergence(run.files, point->settings);
      if (!run.failed.empty()) {
        ++stage.diverged;
        if (!end.failure) end.failure = Failure{kDiverged, run.failed};
        continue;
      }
      stage.resumed += run.state == RunState::Resumable && !force;
      stage.jobs.push_back({.settings = &point->settings,
                            .data = &data.of(point->settings),
                            .files = run.files,
                            .resume = !force,
                            .label = point->label,
                            .facts = point->facts});
      stage.runs.push_back(&run), stage.points.push_back(point);
    }
  return stage;
}

}  // namespace

StageEnd run_points(const std::vector<SweepPoint*>& points, LoadedData& data, JobOptions options,
                    bool force) {
  StageEnd end;
  Stage stage = list_jobs(points, data, force, end);
  if (!options.quiet && stage.complete + stage.diverged + stage.resumed > 0)
    fmt::print(stderr, "{} of {} runs complete{}, not repeated{}\n", stage.complete,
               stage.complete + stage.diverged + stage.jobs.size(),
               stage.diverged > 0 ? fmt::format(" and {} diverged", stage.diverged) : "",
               stage.resumed > 0 ? fmt::format("; {} resumed", stage.resumed) : "");
  if (stage.jobs.empty()) return end;
  options.jobs = std::min(options.jobs, static_cast<int>(stage.jobs.size()));
  options.own_processes = true;  // a later stage forks, and threads of this one would be in the way
  const JobsResult result = run_jobs(stage.jobs, options);
  end.interrupted = result.interrupted;
  for (const auto& [job, failure] : result.failures) {
    stage.runs[job]->failed = failure.message;
    if (failure.code == kDiverged)
      note_divergence(stage.runs[job]->files, stage.points[job]->settings, failure.message);
    else
      ++end.missing;
    keep_worse(end.failure, failure);
    print_failure({failure.code, fmt::format("{}: {}", stage.points[job]->label, failure.message)});
  }
  for (SweepRun* run : stage.runs)
    if (const auto head = peek_results(run->files.results()); head && head->complete)
      run->state = RunState::Complete;
  return end;
}

void keep_worse(std::optional<Failure>& kept, const Failure& failure) {
  if (!kept || (kept->code == kDiverged && failure.code != kDiverged)) kept = failure;
}

JudgedPoint judge_point(const SweepPoint& point, const std::string& metric) {
  JudgedPoint out{.values = point.values,
                  .folder = point.runs.front().files.folder.filename().string(),
                  .wanted = point.runs.size()};
  for (const SweepRun& run : point.runs) {
    if (!run.failed.empty()) {
      out.failures.push_back({run.files.seed, run.failed});
      continue;
    }
    if (run.state != RunState::Complete) continue;
    out.runs.push_back(judge(load_results(run.files.results()),
                             point.settings.evaluation.forgetting_definition, metric));
  }
  return out;
}

}  // namespace engram
