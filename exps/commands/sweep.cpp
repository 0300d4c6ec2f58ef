// `engram sweep`: the points of a grid as ordinary runs, and, if asked for, a choice among them by
// a stated protocol and the final runs of what was chosen.
#include <algorithm>
#include <cstdio>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "exps/analysis/comparison.h"
#include "exps/analysis/results_json.h"
#include "exps/commands/arguments.h"
#include "exps/commands/commands.h"
#include "exps/commands/job_arguments.h"
#include "exps/commands/places.h"
#include "exps/commands/stop.h"
#include "exps/commands/sweep_plan.h"
#include "exps/commands/sweep_stage.h"
#include "exps/commands/sweep_view.h"
#include "exps/results_file.h"
#include "exps/seed_list.h"
#include "exps/sweep/selection.h"
#include "exps/sweep/selection_record.h"
#include "utils/error.h"
#include "utils/files.h"
#include "utils/terminal.h"

namespace engram {
namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;
using Texts = std::vector<std::string>;

constexpr CommandHelp kHelp{
    .command = "sweep",
    .usage = "NAME... [options]",
    .about =
        "Runs each experiment with every combination of the values of --grid, or of the lines\n"
        "'grid.KEY = value, value' of its section, and every seed. A point is an ordinary run in\n"
        "OUT/NAME~<hash of the settings>, where `run --set` puts it too: what is complete is not\n"
        "repeated, what was interrupted goes on. Values that are lists are parted by '|'.\n"
        "With --selection (or 'selection = ...') the runs with selection_seeds choose a point and\n"
        "--seeds are of the final runs, in OUT/NAME@PROTOCOL~<hash> with selection.json:\n"
        "  first_tasks  by the validation parts of the first selection_tasks tasks alone\n"
        "  per_task     by the validation part of each task just after it was learnt\n"
        "  oracle       by the validation parts of all tasks at the end\n"
        "  oracle_test  by the tests; recorded and printed as tuned on test\n"
        "Losses that stop being finite are reported, remembered and stop no other point.",
    .examples =
        "  engram sweep perm_mlp1_sparse --grid lr=0.1,0.01 --grid percent_on_fc=0.001,0.01\n"
        "  engram sweep my_ewc my_si --selection first_tasks --set selection_tasks=3 --seeds 0..4\n"
        "  engram sweep my_mlp --grid 'hidden=400,400|1000' --dry-run\n"};

po::options_description sweep_options() {
  po::options_description options("options");
  auto add = options.add_options();
  add("grid,g", po::value<Texts>()->composing()->value_name("KEY=V,V"),
      "a setting and its values; may be repeated, the last changes fastest; instead of the grids "
      "of the files");
  add("seeds,s", po::value<std::string>()->value_name("LIST"), "3, 0..4 or 0,2,5; default 0");
  add("set", po::value<Texts>()->composing()->value_name("KEY=VALUE"),
      "overrides a setting of every point; may be repeated");
  add("selection", po::value<std::string>()->value_name("PROTOCOL"),
      "first_tasks, per_task, oracle, oracle_test, or none; default: what the files say");
  add("metric,m", po::value<std::string>()->value_name("NAME"),
      "by which points are judged: average_accuracy (default), forgetting, ...; per_task has its "
      "own");
  add("json", po::value<std::string>()->value_name("FILE"), "write points and scores as JSON too");
  add("force", "start over: repeat finished runs and those that diverged");
  add("dry-run,n", "show the points and what is there of them; train nothing");
  add_job_options(options);
  return options;
}

SweepRequest request_of(const ParsedArguments& arguments) {
  SweepRequest request;
  request.names = arguments.names;
  if (request.names.empty())
    throw Error(Fault::Usage, "sweep: which experiments? ('engram list experiments')");
  request.overrides = arguments.all("set");
  for (const std::string& text : arguments.all("grid")) {
    GridAxis axis = parse_grid_axis(text);
    for (const GridAxis& other : request.grid)
      if (other.key == axis.key) throw Error(Fault::Usage, "--grid gives '" + axis.key + "' twice");
    request.grid.push_back(std::move(axis));
  }
  request.selection = arguments.get<std::string>("selection");
  if (const auto seeds = arguments.get<std::string>("seeds")) request.seeds = parse_seeds(*seeds);
  request.metric = arguments.get<std::string>("metric").value_or("average_accuracy");
  const auto known = metric_names();
  if (std::ranges::find(known, request.metric) == known.end())
    throw Error(Fault::Usage, "sweep: there is no metric '" + request.metric + "'" +
                                  suggestion(request.metric, known));
  request.experiments = experiments_folder(arguments.get<std::string>("exps"));
  request.out = results_folder(arguments.get<std::string>("out"));
  request.force = arguments.has("force");
  request.search = search_of(arguments);
  return request;
}

/// A loss that stops being finite is a property of its point; whatever else went wrong is not.
int not_chosen(const StageEnd& end) {
  fmt::print(stderr,
             "engram: no setting was chosen, for {} run{} of the grid {} missing; the same command "
             "goes on\n",
             end.missing, end.missing == 1 ? "" : "s", end.missing == 1 ? "is" : "are");
  return end.failure->code;
}

/// More points are more chances: who compares the winners should know.
void warn_of_budgets(const std::vector<SweptExperiment>& experiments) {
  std::set<std::size_t> budgets;
  Texts each;
  for (const SweptExperiment& e : experiments) {
    budgets.insert(e.points.size() * e.seeds.size());
    each.push_back(
        fmt::format("{} has {} of {}", e.plain.experiment,
                    e.points.size() == 1 ? "1 point" : fmt::format("{} points", e.points.size()),
                    e.seeds.size() == 1 ? "1 run" : fmt::format("{} runs", e.seeds.size())));
  }
  if (budgets.size() > 1) fmt::print("not the same budget for all: {}\n\n", fmt::join(each, ", "));
}

/// An experiment whose points were judged.
struct Judged {
  const SweptExperiment* experiment;
  std::vector<JudgedPoint> points;
  std::size_t best;
  std::optional<Failure> mixed{};  ///< if they cannot be compared
};

bool is_chosen(const Judged& j) {
  return j.best < j.points.size();
}

/// Points over two states of one data set cannot be held against one another.
std::optional<Failure> mixed_data(const SweptExperiment& e,
                                  const std::vector<JudgedPoint>& points) {
  std::map<std::string, std::pair<std::string, std::string>>
      known;  // digest and folder by data set
  for (std::size_t i = 0; i < points.size(); ++i)
    for (const JudgedRun& run : points[i].runs) {
      if (run.data.empty()) continue;
      const auto [first, is_new] =
          known.try_emplace(data_name(e.points[i].settings), run.data, points[i].folder);
      if (run.data == first->second.first) continue;
      return Failure{static_cast<int>(Fault::Data),
                     fmt::format("{}: {} and {} are of different data; repeat all points with "
                                 "--force",
                                 e.plain.experiment, first->second.second, points[i].folder)};
    }
  return std::nullopt;
}

std::vector<Judged> judge_all(const std::vector<SweptExperiment>& experiments) {
  std::vector<Judged> out;
  for (const SweptExperiment& e : experiments) {
    Judged judged{&e, {}, 0, {}};
    for (const SweepPoint& point : e.points)
      judged.points.push_back(judge_point(point, e.metric));
    const double drop =
        e.selection() == Selection::PerTask ? e.plain.sweep.options.selection_drop : 0;
    judged.mixed = mixed_data(e, judged.points);
    judged.best = judged.mixed ? judged.points.size()
                               : best_point(judged.points, direction_of(e.metric), drop);
    out.push_back(std::move(judged));
  }
  return out;
}

void print_points(const std::vector<Judged>& all) {
  for (const Judged& j : all) {
    const SweptExperiment& e = *j.experiment;
    fmt::print("{}", points_text(e, j.points, j.best, use_colour(stdout)));
    if (e.selection() != Selection::None)
      fmt::print("judged on {}\n", judged_on(e.plain.sweep.options));
    else if (!e.plain.evaluation.evaluate_validation && j.points.size() > 1)
      fmt::print(
          "judged on the tests: who reports the best of these has tuned on test; --selection "
          "chooses without\n");
    fmt::print("\n");
  }
}

void write_json(const fs::path& file, const std::vector<Judged>& all) {
  nlohmann::json list = nlohmann::json::array();
  for (const Judged& j : all) {
    nlohmann::json one = points_json(j.experiment->grid, j.points);
    one["experiment"] = j.experiment->plain.experiment, one["metric"] = j.experiment->metric;
    one["best"] = is_chosen(j) ? nlohmann::json(j.best) : nlohmann::json(nullptr);
    list.push_back(std::move(one));
  }
  const nlohmann::json out{{"format", "engram sweep"}, {"version", 1}, {"experiments", list}};
  save_text(file, json_text(out, 2) + "\n");
}

/// The runs of a choice, with what is recorded of it.
struct Final {
  SelectionRecord record;
  SweepPoint point;
};

/// Says why no point of an experiment could be chosen; the others go on.
Failure nothing_to_choose(const Judged& j) {
  const SweptExperiment& e = *j.experiment;
  const auto is_there = [](const JudgedPoint& p) { return p.runs.size() == p.wanted; };
  Failure failure{static_cast<int>(Fault::Numerical),
                  fmt::format("{}: nothing can be chosen: the loss of every point stopped being "
                              "finite; change the grid",
                              e.plain.experiment)};
  if (std::ranges::any_of(j.points, is_there))
    failure = {static_cast<int>(Fault::Config),
               fmt::format("{}: nothing can be chosen by {}, which is not known for its runs: {}",
                           e.plain.experiment, e.metric, reason_to_lack(e.metric))};
  std::fflush(stdout);
  print_failure(failure);
  return failure;
}

/// Error(Data) when final runs are, or would be, over other data than those that chose.
void check_data(const SweepPoint& point, const std::string& chosen_over, bool force,
                LoadedData& data) {
  for (const SweepRun& run : point.runs) {
    const bool is_there = run.state == RunState::Complete && !force;
    const std::string over =
        is_there ? peek_results(run.files.results())->data_sha256 : data.of(point.settings).sha256;
    if (over == chosen_over || over.empty() || chosen_over.empty()) continue;
    throw Error(
        Fault::Data,
        fmt::format("{}: {} {} of other data than the runs that chose its settings; put "
                    "the data back, or repeat all with --force",
                    point.label, run.files.results().string(), is_there ? "is" : "would be"));
  }
}

Final prepare_final(const Judged& j, const SweepRequest& request, LoadedData& data) {
  const SweptExperiment& e = *j.experiment;
  SelectionRecord record{.experiment = e.plain.experiment,
                         .metric = e.metric,
                         .options = e.plain.sweep.options,
                         .seeds = e.seeds,
                         .grid = e.grid,
                         .points = j.points,
                         .chosen = j.best};
  const JudgedPoint& best = j.points[j.best];
  const std::string& chosen_over = best.runs.front().data;
  SweepPoint point = plan_final_runs(e, best.values, chosen_over, selection_facts(record), request);
  check_data(point, chosen_over, request.force, data);
  save_text(point.runs.front().files.folder / "selection.json",
            json_text(selection_json(record), 2) + "\n");
  return {std::move(record), std::move(point)};
}

void print_finals(const std::vector<Final>& finals, const SweepRequest& request) {
  std::vector<FinalRow> rows;
  Texts folders;
  bool on_test = false;
  for (const auto& [record, point] : finals) {
    rows.push_back({record.experiment, point_text(record.grid, point.values),
                    cost_text(cost_of(record.points)), judge_point(point, request.metric)});
    folders.push_back((point.runs.front().files.folder).string());
    on_test = on_test || tunes_on_test(record.options.selection);
  }
  fmt::print("{}", finals_text(rows, request.metric, request.seeds, use_colour(stdout)));
  if (on_test) fmt::print("TUNED ON TEST: the tests that judge these runs also chose them\n");
  fmt::print("\nresults:\n  {}\n", fmt::join(folders, "\n  "));
}

}  // namespace

int sweep_command(const Arguments& words) {
  const auto arguments = parse_arguments(kHelp, sweep_options(), words, /*max_names=*/1000);
  if (!arguments) return 0;
  const SweepRequest request = request_of(*arguments);
  const JobOptions options = job_options(*arguments);
  std::vector<SweptExperiment> experiments = plan_sweep(request);
  if (arguments->has("dry-run")) {
    fmt::print("{}", describe_sweep(experiments));
    return 0;
  }
  LoadedData data(request.search);
  std::vector<SweepPoint*> points;
  for (SweptExperiment& e : experiments)
    for (SweepPoint& point : e.points)
      points.push_back(&point);
  StageEnd end = run_points(points, data, options, request.force);
  if (end.interrupted) return end_interrupted(request.force);

  const std::vector<Judged> judged = judge_all(experiments);
  print_points(judged);
  warn_of_budgets(experiments);
  if (const auto json = arguments->get<std::string>("json")) write_json(*json, judged);
  const bool selects = std::ranges::any_of(
      judged, [](const Judged& j) { return j.experiment->selection() != Selection::None; });
  if (selects && end.missing > 0) return not_chosen(end);
  std::vector<Final> finals;
  for (const Judged& j : judged) {
    if (j.mixed) {
      print_failure(*j.mixed);
      keep_worse(end.failure, *j.mixed);
    }
    if (j.mixed || j.experiment->selection() == Selection::None) continue;
    if (!is_chosen(j)) {
      keep_worse(end.failure, nothing_to_choose(j));
      continue;
    }
    try {
      finals.push_back(prepare_final(j, request, data));
    } catch (const Error& e) {  // the others go on
      if (e.fault() != Fault::Data) throw;
      print_failure({e.exit_code(), e.what()});
      keep_worse(end.failure, {e.exit_code(), e.what()});
    }
  }
  if (!finals.empty()) {
    std::fflush(stdout);
    std::vector<SweepPoint*> chosen;
    for (Final& one : finals)
      chosen.push_back(&one.point);
    const StageEnd last = run_points(chosen, data, options, request.force);
    for (const SweepPoint* point : chosen)
      record_facts(*point);
    if (last.interrupted) return end_interrupted(request.force);
    print_finals(finals, request);
    if (last.failure) keep_worse(end.failure, *last.failure);
  }
  return end.failure ? end.failure->code : 0;
}

}  // namespace engram
