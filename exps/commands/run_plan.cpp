#include "exps/commands/run_plan.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "exps/commands/describe.h"
#include "exps/commands/experiment_library.h"
#include "exps/results_file.h"
#include "utils/error.h"
#include "utils/terminal.h"

namespace engram {
namespace fs = std::filesystem;
namespace {

void check_label(const std::string& label) {
  const bool is_plain = !label.empty() && label.front() != '.' && label.front() != '-' &&
                        label.find_first_of("/\\ \t\n") == std::string::npos && label.size() <= 200;
  if (!is_plain)
    throw Error(Fault::Usage, "--name " + label +
                                  ": a folder is called so; use letters, digits, "
                                  "'_', '-' and '.'");
}

fs::path folder_of(const Settings& settings, const PlanRequest& request) {
  if (request.label) return request.out / *request.label;
  if (request.overrides.empty()) return request.out / settings.experiment;
  return folder_of_settings(request.out, settings);
}

std::string state_text(const PlannedRun& run, bool force) {
  switch (run.state) {
    case RunState::New:
      return "new";
    case RunState::Resumable:
      return force ? "has a checkpoint, starts over" : "resumes";
    case RunState::Complete:
      return force ? "complete, is repeated" : "complete, not repeated";
    case RunState::Other:
      return (force ? "is replaced: " : "in the way: ") + run.why;
  }
  return "";
}

}  // namespace

std::string RunPlan::label(const PlannedRun& run) const {
  return fmt::format("{} seed {}", settings_of(run).experiment, run.files.seed);
}

fs::path folder_of_settings(const fs::path& out, const Settings& settings) {
  return out / (settings.experiment + "~" + settings.digest().substr(0, 8));
}

RunPlan make_plan(const PlanRequest& request) {
  if (request.label) check_label(*request.label);
  ExperimentLibrary library(request.experiments);
  RunPlan plan;
  plan.search = request.search;
  std::set<fs::path> folders;
  for (const auto& [name, book] : library.find(request.names)) {
    PlannedExperiment e{read_settings(name, book->resolve(name, request.overrides)), {}};
    e.folder = folder_of(e.settings, request);
    if (!folders.insert(e.folder).second)
      throw Error(Fault::Usage, "two experiments would write to '" + e.folder.string() +
                                    "'; run them one by one with different --name");
    plan.experiments.push_back(std::move(e));
  }
  const std::vector<std::uint64_t> usual = request.names.empty()
                                               ? std::vector<std::uint64_t>{0, 1, 2, 3, 4}
                                               : std::vector<std::uint64_t>{0};
  const auto seeds = request.seeds.value_or(usual);
  for (std::size_t i = 0; i < plan.experiments.size(); ++i) {
    const PlannedExperiment& e = plan.experiments[i];
    during(e.settings.experiment, [&] { try_parts(e.settings, seeds.front(), request.search); });
    for (const std::uint64_t seed : seeds) {
      PlannedRun run{.experiment = i, .files = {e.folder, seed}, .state = {}, .why = ""};
      run.state = run_state(run.files, e.settings, &run.why);
      plan.runs.push_back(std::move(run));
    }
  }
  return plan;
}

bool holds_other_runs(const RunPlan& plan) {
  return std::ranges::any_of(plan.runs,
                             [](const PlannedRun& r) { return r.state == RunState::Other; });
}

void refuse_foreign_files(const RunPlan& plan) {
  for (const PlannedRun& run : plan.runs)
    if (run.state == RunState::Other)
      throw Error(Fault::Config, plan.label(run) + ": " + run.why +
                                     "; --name LABEL writes elsewhere, --force replaces it");
}

ExperimentRuns complete_runs(const RunPlan& plan, std::size_t experiment,
                             const std::set<fs::path>& failed) {
  const auto& [settings, folder] = plan.experiments[experiment];
  ExperimentRuns out{
      folder.filename().string(), folder, {}, {}, settings.evaluation.forgetting_definition};
  std::string data;
  for (const PlannedRun& run : plan.runs) {
    const fs::path file = run.files.results();
    if (run.experiment != experiment || failed.contains(file)) continue;
    const auto head = peek_results(file);
    if (!head || !head->complete) continue;
    if (!out.files.empty() && head->data_sha256 != data)
      throw Error(Fault::Data, fmt::format("{} and {} are of different data; run all seeds anew "
                                           "with --force",
                                           out.files.front().string(), file.string()));
    data = head->data_sha256;
    out.runs.push_back(load_results(file)), out.files.push_back(file);
  }
  return out;
}

std::string describe_plan(const RunPlan& plan, bool force, bool colour) {
  std::string out;
  for (std::size_t i = 0; i < plan.experiments.size(); ++i) {
    const auto& [settings, folder] = plan.experiments[i];
    std::vector<const PlannedRun*> runs;
    for (const PlannedRun& run : plan.runs)
      if (run.experiment == i) runs.push_back(&run);
    const PartsText parts = try_parts(settings, runs.front()->files.seed, plan.search);
    out += bold("[" + settings.experiment + "]", colour) + "\n";
    out += describe_settings(settings, /*only_set=*/false, colour);
    out += fmt::format("stream: {}\nmodel, {} parameters:\n{}runs:\n", parts.stream,
                       parts.parameters, parts.model);
    for (const PlannedRun* run : runs)
      out += fmt::format("  {}  {}\n", run->files.results().string(), state_text(*run, force));
    out += "\n";
  }
  return out + "Nothing was trained: this was --dry-run.\n";
}

}  // namespace engram
