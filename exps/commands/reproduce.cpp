// `engram reproduce`: runs the experiments that should come to published figures, and judges ours
// both ways.
#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include <fmt/format.h>

#include "exps/commands/arguments.h"
#include "exps/commands/commands.h"
#include "exps/commands/failure.h"
#include "exps/commands/job_arguments.h"
#include "exps/commands/places.h"
#include "exps/commands/run_plan.h"
#include "exps/commands/stop.h"
#include "exps/commands/table.h"
#include "exps/published/published.h"
#include "exps/published/reproduced_page.h"
#include "exps/results_file.h"
#include "utils/error.h"
#include "utils/files.h"
#include "utils/terminal.h"

namespace engram {
namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;
using Texts = std::vector<std::string>;

constexpr int kOutOfBand = 1;  // exit code
constexpr std::size_t kMostPageBytes = 1 << 24;

constexpr CommandHelp kHelp{
    .command = "reproduce",
    .usage = "[NAME...] [options]",
    .about =
        "Runs the experiments of published figures (or takes their finished runs below OUT) and\n"
        "says whether ours lie in the band, too low or too high. NAME is a figure, a family (a\n"
        "file of exps/published/) or all; --list names them. A figure whose data are missing is\n"
        "left out. The exit code is 1 when one is out of its band.",
    .examples =
        "  engram reproduce --list\n"
        "  engram reproduce split --jobs 2\n"
        "  engram reproduce all --nightly --write results/REPRODUCED.md\n"};

po::options_description reproduce_options() {
  po::options_description options("options");
  auto add = options.add_options();
  add("list,l", "the figures, with their experiments; run nothing");
  add("names", "with --list: names only, one a line");
  add("nightly", "leave out the long ones");
  add("write", po::value<std::string>()->value_name("FILE"),
      "put the rows into this page, between the marks of `engram reproduce`");
  add("force", "repeat finished runs");
  add_job_options(options);
  return options;
}

/// A figure with the runs that it needs.
struct Wanted {
  PublishedFigure figure;
  RunPlan plan;  ///< experiment 0, and 1 where one is subtracted
};

Wanted plan_figure(PublishedFigure figure, const fs::path& experiments, const fs::path& out,
                   const DataSearch& search) {
  PlanRequest request;
  request.names = {figure.options.run};
  if (!figure.options.minus.empty()) request.names.push_back(figure.options.minus);
  request.seeds = figure.seeds, request.overrides = figure.options.set;
  request.experiments = experiments, request.out = out, request.search = search;
  RunPlan plan = during(figure.place, [&] { return make_plan(request); });
  return {std::move(figure), std::move(plan)};
}

/// The plans of all figures whose data are there. Of the others one line each is printed, and
/// `code` becomes their exit code; Error(MissingInput) when nothing is left.
std::vector<Wanted> plan_figures(const std::vector<PublishedFigure>& figures,
                                 const fs::path& experiments, const fs::path& out, bool force,
                                 LoadedData& data, const DataSearch& search, int& code) {
  std::vector<Wanted> wanted;
  for (std::size_t i = 0; i < figures.size(); ++i)
    try {
      Wanted one = plan_figure(figures[i], experiments, out, search);
      if (!force) refuse_foreign_files(one.plan);
      for (const PlannedRun& run : one.plan.runs)
        if (force || run.state != RunState::Complete) data.of(one.plan.settings_of(run));
      wanted.push_back(std::move(one));
    } catch (const Error& e) {
      const bool last = i + 1 == figures.size() && wanted.empty();
      if (e.fault() != Fault::MissingInput || last) throw;
      print_failure({e.exit_code(), figures[i].name + " is left out: " + e.what()});
      code = e.exit_code();
    }
  return wanted;
}

/// Every run once, though several figures may need it.
std::vector<RunJob> jobs_of(const std::vector<Wanted>& all, LoadedData& data, bool force,
                            std::size_t& complete) {
  std::vector<RunJob> jobs;
  std::set<fs::path> seen;
  for (const Wanted& wanted : all)
    for (const PlannedRun& run : wanted.plan.runs) {
      if (!seen.insert(run.files.results()).second) continue;
      if (run.state == RunState::Complete && !force) {
        ++complete;
        continue;
      }
      const Settings& settings = wanted.plan.settings_of(run);
      jobs.push_back({.settings = &settings,
                      .data = &data.of(settings),
                      .files = run.files,
                      .resume = !force});
    }
  return jobs;
}

std::string published_text(const PublishedOptions& o) {
  return fmt::format("{} [{}]", figure_text(*o.published, o.sd), name_of(o.evidence));
}

void print_list(const std::vector<PublishedFigure>& figures, bool names_only) {
  if (names_only) {
    for (const PublishedFigure& f : figures)
      fmt::print("{}\n", f.name);
    return;
  }
  TextTable table({"figure", "family", "experiment", "seeds", "effort", "published", "source"});
  for (const PublishedFigure& f : figures)
    table.add({f.name, f.family, f.options.run, f.options.seeds,
               std::string(name_of(f.options.effort)), published_text(f.options),
               f.options.source});
  fmt::print("{}",
             table.text(use_colour(stdout), is_terminal(stdout) ? terminal_width(stdout) : 0));
}

void write_page(const fs::path& file, const std::vector<PublishedFigure>& all,
                const std::map<std::string, Reproduction>& done) {
  std::string page;
  if (fs::exists(file)) {
    const auto bytes = read_file(file, kMostPageBytes);
    page.assign(bytes.begin(), bytes.end());
  }
  save_text(file, during(file.string(), [&] { return with_reproduced(page, all, done); }));
  fmt::print(stderr, "engram: wrote {}\n", file.string());
}

/// Error(Data) for a difference between two states of one data set.
void check_same_data(const RunPlan& plan, const ExperimentRuns& a, const ExperimentRuns& b) {
  const auto name = [&](std::size_t i) { return data_name(plan.experiments[i].settings); };
  if (a.runs.empty() || b.runs.empty() || name(0) != name(1)) return;
  const auto data_of = [](const ExperimentRuns& e) {
    return find_fact(e.runs.front().provenance, "data_sha256");
  };
  if (data_of(a) == data_of(b)) return;
  throw Error(Fault::Data,
              fmt::format("{} and {} are of different data; run both anew with --force",
                          a.files.front().string(), b.files.front().string()));
}

/// Of the complete runs of a figure.
Reproduction reproduction_of(const Wanted& wanted, const std::set<fs::path>& failed) {
  const ExperimentRuns of = complete_runs(wanted.plan, 0, failed);
  if (wanted.figure.options.minus.empty()) return reproduce(wanted.figure, of.runs, {});
  const ExperimentRuns minus = complete_runs(wanted.plan, 1, failed);
  check_same_data(wanted.plan, of, minus);
  return reproduce(wanted.figure, of.runs, minus.runs);
}

/// Judges and prints; the exit code. A figure that cannot be judged keeps no other from it.
int report(const std::vector<Wanted>& all, const std::set<fs::path>& failed,
           std::map<std::string, Reproduction>& done) {
  TextTable table({"figure", "experiment", "measure", "published", "band", "ours", "n", "verdict"});
  int code = 0;
  for (const Wanted& wanted : all) {
    const PublishedFigure& f = wanted.figure;
    Reproduction r;
    try {
      r = reproduction_of(wanted, failed);
    } catch (const Error& e) {
      print_failure({e.exit_code(), fmt::format("{}: {}", f.name, e.what())});
      code = e.exit_code();
      continue;
    }
    if (code == 0 && r.agreement != Agreement::InBand) code = kOutOfBand;
    table.add({f.name, f.options.run, f.measure(), published_text(f.options), band_text(f),
               figure_text(r.ours.mean, r.ours.n > 1 ? std::optional(r.ours.sd) : std::nullopt),
               std::to_string(r.ours.n), r.verdict()});
    if (r.agreement != Agreement::Unknown) done[f.name] = r;
  }
  fmt::print("{}± is the SD\n", table.text(use_colour(stdout), 0));
  return code;
}

}  // namespace

int reproduce_command(const Arguments& words) {
  const auto arguments = parse_arguments(kHelp, reproduce_options(), words, /*max_names=*/1000);
  if (!arguments) return 0;
  const fs::path experiments = experiments_folder(arguments->get<std::string>("exps"));
  const std::vector<PublishedFigure> all = load_published(experiments / "published");
  Texts names = arguments->names;
  const bool lists = arguments->has("list");
  if (names.empty() && lists) names.push_back("all");
  if (names.empty())
    throw Error(Fault::Usage,
                "reproduce: which figures? A name, a family, or all "
                "('engram reproduce --list')");
  std::vector<PublishedFigure> figures = chosen_figures(all, names);
  if (arguments->has("nightly"))
    std::erase_if(figures, [](const auto& f) { return f.options.effort == Effort::Long; });
  if (lists) return print_list(figures, arguments->has("names")), 0;
  if (figures.empty())
    throw Error(Fault::MissingInput,
                "reproduce: nothing is left to run; 'engram reproduce --list'");

  const bool force = arguments->has("force");
  JobOptions options = job_options(*arguments);
  const DataSearch search = search_of(*arguments);
  const fs::path out = results_folder(arguments->get<std::string>("out"));
  LoadedData data(search);
  int left_out = 0;
  const std::vector<Wanted> wanted =
      plan_figures(figures, experiments, out, force, data, search, left_out);
  std::size_t complete = 0;
  const std::vector<RunJob> jobs = jobs_of(wanted, data, force, complete);
  if (complete > 0 && !options.quiet)
    fmt::print(stderr, "{} of {} runs complete, not repeated\n", complete, complete + jobs.size());
  options.jobs = std::min(options.jobs, static_cast<int>(jobs.size()));
  const JobsResult result = run_jobs(jobs, options);
  std::set<fs::path> failed;
  for (const auto& [job, failure] : result.failures) {
    print_failure(failure);
    failed.insert(jobs[job].files.results());
  }
  if (result.interrupted)
    return end_interrupted(force, std::ranges::any_of(wanted, [](const Wanted& one) {
                             return holds_other_runs(one.plan);
                           }));
  std::map<std::string, Reproduction> done;
  const int code = report(wanted, failed, done);
  if (const auto page = arguments->get<std::string>("write")) write_page(*page, all, done);
  if (!result.failures.empty()) return result.failures.front().failure.code;
  if (left_out != 0) return left_out;
  return code;
}

}  // namespace engram
