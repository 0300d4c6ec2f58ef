// `engram run`: plan, load the data once, train, show.
#include <algorithm>
#include <cstdio>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "exps/analysis/results_set.h"
#include "exps/commands/arguments.h"
#include "exps/commands/commands.h"
#include "exps/commands/failure.h"
#include "exps/commands/job_arguments.h"
#include "exps/commands/places.h"
#include "exps/commands/run_jobs.h"
#include "exps/commands/run_plan.h"
#include "exps/commands/stop.h"
#include "exps/report/report.h"
#include "exps/results_file.h"
#include "exps/seed_list.h"
#include "exps/show_results.h"
#include "utils/error.h"
#include "utils/terminal.h"

namespace engram {
namespace {

namespace po = boost::program_options;
using Texts = std::vector<std::string>;

constexpr CommandHelp kHelp{
    .command = "run",
    .usage = "[NAME...] [options]",
    .about =
        "Trains each experiment with each seed, evaluates it after every task and writes one file\n"
        "per run: OUT/NAME/seed-N.h5. With --set the folder is NAME~<hash of the settings>, with\n"
        "--name it is LABEL, so that a file never mixes settings. A finished run is not repeated,\n"
        "an interrupted one goes on where it stopped, to the same bits. Without NAME the\n"
        "experiments of quickstart.cfg run with seeds 0..4. A NAME may also be FILE.cfg:NAME, or\n"
        "FILE.cfg for all experiments in it. At the end, report.html shows what came out.",
    .examples =
        "  engram run\n"
        "  engram run perm_mlp1_dense perm_mlp1_sparse --seeds 0..4 --jobs 2\n"
        "  engram run perm_mlp1_sparse --set percent_on_fc=0.02 --set epochs=2\n"
        "  engram run perm_mlp1_sparse --dry-run\n"
        "  engram run my.cfg:mine --out /tmp/results\n"};

po::options_description run_options() {
  po::options_description options("options");
  auto add = options.add_options();
  add("seeds,s", po::value<std::string>()->value_name("LIST"), "3, 0..4 or 0,2,5; default 0");
  add("set", po::value<Texts>()->composing()->value_name("KEY=VALUE"),
      "overrides a setting of every experiment named; may be repeated");
  add("name", po::value<std::string>()->value_name("LABEL"), "folder of the results below OUT");
  add("resume", "go on from checkpoints (what happens anyway)");
  add("force", "start over: repeat finished runs, replace files of other settings");
  add("dry-run,n", "show settings, model and plan; train nothing");
  add("no-report", "do not write the page report.html at the end");
  add_job_options(options);
  return options;
}

/// What to do with which run; says so for those that are not new.
std::vector<RunJob> jobs_of(const RunPlan& plan, LoadedData& data, bool force, bool quiet) {
  std::vector<RunJob> jobs;
  const auto say = [&](const PlannedRun& run, const char* text) {
    if (!quiet) fmt::print(stderr, "{}: {}\n", plan.label(run), text);
  };
  for (const PlannedRun& run : plan.runs) {
    if (run.state == RunState::Complete && !force) {
      say(run, "complete, not repeated; --force repeats it");
      continue;
    }
    if (run.state == RunState::Resumable)
      say(run, force ? "starts over" : "resumed from its checkpoint; --force starts over");
    const Settings& settings = plan.settings_of(run);
    jobs.push_back({&settings, &data.of(settings), run.files, !force});
  }
  return jobs;
}

/// "results/x/seed-{0,1,2}.h5"
std::string files_text(const std::filesystem::path& folder, const std::vector<RunRecord>& runs) {
  Texts seeds;
  for (const RunRecord& run : runs)
    seeds.push_back(std::to_string(run.seed));
  const std::string list = fmt::format("{}", fmt::join(seeds, ","));
  return (folder / ("seed-" + (seeds.size() > 1 ? "{" + list + "}" : list) + ".h5")).string();
}

/// Shows what is complete, except what a run that failed has left from before, and returns it.
/// `not_shown`: the first experiment that could not be, which keeps no other from it.
ResultsSet show_results(const RunPlan& plan, const std::set<std::filesystem::path>& failed,
                        std::optional<Failure>& not_shown) {
  const bool colour = use_colour(stdout);
  const int width = terminal_width(stdout);
  std::vector<std::vector<RunRecord>> all;
  std::string files;
  ResultsSet shown;
  ForgettingDefinition definition = ForgettingDefinition::Chaudhry;
  for (std::size_t i = plan.experiments.size(); i-- > 0;)
    definition = plan.experiments[i].settings.evaluation.forgetting_definition;
  for (std::size_t i = 0; i < plan.experiments.size(); ++i) {
    ExperimentRuns e;
    try {
      e = complete_runs(plan, i, failed);
    } catch (...) {
      if (!not_shown) not_shown = current_failure();
    }
    if (e.runs.empty()) continue;
    fmt::print("{}\n", show_experiment(e.runs, e.forgetting, colour, width));
    files += "  " + files_text(e.folder, e.runs) + "\n";
    all.push_back(std::move(e.runs));
    shown.experiments.push_back(std::move(e));
  }
  if (all.empty()) return shown;
  fmt::print("{}\n", show_curves(all, colour, width));
  if (all.size() > 1) fmt::print("{}\n", show_comparison(all, definition, colour));
  fmt::print("results:\n{}", files);
  for (std::size_t i = 0; i < all.size(); ++i) {
    shown.experiments[i].runs = std::move(all[i]);
    sort_by_seed(shown.experiments[i]);
  }
  return shown;
}

/// The page about what was shown: in the folder of the experiment, or above those of several.
void write_page(const RunPlan& plan, const std::filesystem::path& out, const ResultsSet& set) {
  if (set.experiments.empty()) return;
  const bool one = set.experiments.size() == 1;
  const std::filesystem::path file = (one ? set.experiments.front().folder : out) / "report.html";
  std::vector<std::string> names;
  for (const ExperimentRuns& experiment : set.experiments)
    names.push_back(experiment.label);
  const std::string title = plan.experiments.size() > 6
                                ? fmt::format("{} experiments", names.size())
                                : fmt::format("{}", fmt::join(names, ", "));
  write_report(file, set, {.title = title});
  fmt::print("report:\n  {}\n", file.string());
}

PlanRequest plan_request(const ParsedArguments& arguments) {
  PlanRequest request;
  request.names = arguments.names;
  if (const auto seeds = arguments.get<std::string>("seeds")) request.seeds = parse_seeds(*seeds);
  request.overrides = arguments.all("set");
  request.label = arguments.get<std::string>("name");
  request.experiments = experiments_folder(arguments.get<std::string>("exps"));
  request.out = results_folder(arguments.get<std::string>("out"));
  request.force = arguments.has("force");
  request.search = search_of(arguments);
  return request;
}

int report_end(const RunPlan& plan, const std::vector<RunJob>& runs, const JobsResult& result,
               const std::filesystem::path& out, bool with_page) {
  const auto print_failures = [&] {
    for (const auto& [run, failure] : result.failures)
      print_failure(failure);
  };
  if (result.interrupted) {
    print_failures();
    return end_interrupted(/*forced=*/!runs.front().resume, holds_other_runs(plan));
  }
  std::set<std::filesystem::path> failed;
  for (const auto& [run, failure] : result.failures)
    failed.insert(runs[run].files.results());
  std::optional<Failure> not_shown;
  try {
    const ResultsSet shown = show_results(plan, failed, not_shown);
    if (with_page) write_page(plan, out, shown);
  } catch (...) {  // what went wrong with the runs must still be said
    if (!not_shown) not_shown = current_failure();
  }
  std::fflush(stdout);
  print_failures();
  if (not_shown) print_failure(*not_shown);
  if (!result.failures.empty()) return result.failures.front().failure.code;
  return not_shown ? not_shown->code : 0;
}

}  // namespace

int run_command(const Arguments& words) {
  const auto arguments = parse_arguments(kHelp, run_options(), words, /*max_names=*/1000);
  if (!arguments) return 0;
  const bool force = arguments->has("force"), quiet = arguments->has("quiet");
  if (force && arguments->has("resume"))
    throw Error(Fault::Usage, "run: --resume and --force contradict each other");
  JobOptions options = job_options(*arguments);

  const RunPlan plan = make_plan(plan_request(*arguments));
  if (arguments->has("dry-run")) {
    fmt::print("{}", describe_plan(plan, force, use_colour(stdout)));
    return 0;
  }
  if (!force) refuse_foreign_files(plan);
  LoadedData data(plan.search);
  const std::vector<RunJob> jobs = jobs_of(plan, data, force, quiet);
  options.jobs = std::min(options.jobs, static_cast<int>(jobs.size()));
  return report_end(plan, jobs, run_jobs(jobs, options),
                    results_folder(arguments->get<std::string>("out")),
                    !arguments->has("no-report"));
}

}  // namespace engram
