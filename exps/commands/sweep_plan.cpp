#include "exps/commands/sweep_plan.h"

#include <algorithm>
#include <map>
#include <system_error>

#include <fmt/format.h>

#include "exps/analysis/comparison.h"
#include "exps/commands/describe.h"
#include "exps/commands/experiment_library.h"
#include "exps/commands/run_plan.h"
#include "exps/results_file.h"
#include "exps/seed_list.h"
#include "exps/sweep/selection.h"
#include "utils/error.h"
#include "utils/files.h"

namespace engram {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMostNoteBytes = 1 << 16;
using Changes = std::vector<std::pair<std::string, std::string>>;

/// Settings of a point, with what else is changed.
Settings settings_of(const SweptExperiment& e, const GridPoint& values, const Changes& changes) {
  Config config = e.written;
  for (std::size_t i = 0; i < e.grid.size(); ++i)
    config.overrule(e.grid[i].key, values[i], e.grid[i].source);
  for (const auto& [key, value] : changes)
    config.overrule(key, value, "selection");
  return read_settings(e.plain.experiment, std::move(config));
}

SweepRun look(const fs::path& folder, std::uint64_t seed, const Settings& settings) {
  SweepRun run{.files = {folder, seed}, .state = RunState::New, .why = "", .failed = ""};
  run.state = run_state(run.files, settings, &run.why);
  return run;
}

std::string label_of(const SweptExperiment& e, const GridPoint& values) {
  const std::string text = point_text(e.grid, values);
  return text.empty() ? e.plain.experiment : fmt::format("{} ({})", e.plain.experiment, text);
}

/// Where a run of these settings is or would be, but for final runs.
SweepRun find_run(const fs::path& usual, const fs::path& plain, std::uint64_t seed,
                  const Settings& settings) {
  SweepRun run = look(usual, seed, settings);
  if (run.state == RunState::Complete || plain == usual) return run;
  const SweepRun other = look(plain, seed, settings);
  const bool begun_there = other.state == RunState::Resumable && run.state == RunState::New;
  return other.state == RunState::Complete || begun_there ? other : run;
}

void check_grid(const SweptExperiment& e) {
  for (const GridAxis& axis : e.grid) {
    check_axis(axis);
    const auto set = e.written.values().find(axis.key);
    if (set != e.written.values().end() && set->second.source == "--set")
      throw Error(Fault::Usage, fmt::format("--set gives '{}', which the grid of {} varies ({})",
                                            axis.key, e.plain.experiment, axis.source));
  }
}

void check_seeds(const SweptExperiment& e, const SweepRequest& request) {
  for (const std::uint64_t seed : e.seeds)
    if (std::ranges::find(request.seeds, seed) != request.seeds.end())
      throw Error(Fault::Usage,
                  fmt::format("{}: seed {} is to choose (selection_seeds = {}) and to be reported; "
                              "give --seeds others",
                              e.plain.experiment, seed, e.plain.sweep.options.selection_seeds));
}

/// Before a whole grid is trained for a measure that nobody takes.
void check_metric(const std::string& metric, const Settings& settings) {
  const auto refuse = [&](const std::string& why) {
    throw Error(Fault::Config, fmt::format("its runs cannot be judged by {}: {}", metric, why));
  };
  const EvaluationOptions& e = settings.evaluation;
  const bool of_plasticity = metric == "online_accuracy";
  if (settings.acts() && (needs_probes(metric) || of_plasticity))
    refuse("agents are scored between regimes alone");
  if ((needs_probes(metric) && e.probe_every == 0) || (of_plasticity && e.plasticity_examples == 0))
    refuse(reason_to_lack(metric));
}

void add_points(SweptExperiment& e, const SweepRequest& request) {
  Changes changes;
  if (e.selection() != Selection::None)
    changes =
        selection_settings(e.plain, try_parts(e.plain, e.seeds.front(), request.search).tasks);
  const bool is_plain = e.grid.empty() && request.overrides.empty() && changes.empty();
  const fs::path plain = request.out / e.plain.experiment;
  std::map<std::string, std::string> seen;  // label by digest
  for (const GridPoint& values : grid_points(e.grid)) {
    SweepPoint point{.values = values, .label = label_of(e, values)};
    point.settings = during(point.label, [&] { return settings_of(e, values, changes); });
    during(point.label, [&] { check_metric(e.metric, point.settings); });
    const auto [twin, is_new] = seen.emplace(point.settings.digest(), point.label);
    if (!is_new)
      throw Error(Fault::Usage,
                  fmt::format("{} and {} are the same settings", twin->second, point.label));
    const fs::path usual = is_plain ? plain : folder_of_settings(request.out, point.settings);
    bool all_there = true;
    for (const std::uint64_t seed : e.seeds) {
      point.runs.push_back(find_run(usual, plain, seed, point.settings));
      all_there = all_there && point.runs.back().state == RunState::Complete;
    }
    if (!all_there)
      during(point.label,
             [&] { return try_parts(point.settings, e.seeds.front(), request.search); });
    e.points.push_back(std::move(point));
  }
}

void copy_file_atomically(const fs::path& from, const fs::path& to) {
  save_atomically(to, [&](const fs::path& aside) {
    fs::copy_file(from, aside, fs::copy_options::overwrite_existing);
  });
}

/// Writes results to a file with the facts of a point. A file that has them already is left alone.
void copy_with_facts(const fs::path& from, const fs::path& to, const SweepPoint& point) {
  RunRecord run = load_results(from);
  bool differs = from != to;
  for (const auto& fact : point.facts) {
    const auto same = [&](const auto& other) { return other.first == fact.first; };
    const auto known = std::ranges::find_if(run.provenance, same);
    if (known != run.provenance.end() && known->second == fact.second) continue;
    differs = true;
    if (known == run.provenance.end())
      run.provenance.push_back(fact);
    else
      *known = fact;
  }
  if (differs) save_results(to, run, point.settings.evaluation.forgetting_definition);
}

}  // namespace

std::vector<SweptExperiment> plan_sweep(const SweepRequest& request) {
  ExperimentLibrary library(request.experiments);
  std::vector<SweptExperiment> out;
  for (const auto& [name, book] : library.find(request.names)) {
    SweptExperiment e;
    e.written = book->resolve(name, request.overrides);
    if (request.selection) e.written.overrule("selection", *request.selection, "--selection");
    e.plain = read_settings(name, e.written);
    e.grid = request.grid.empty() ? e.plain.sweep.grid : request.grid;
    check_grid(e);
    const Selection protocol = e.selection();
    e.metric = selection_metric(protocol, request.metric);
    e.seeds = request.seeds;
    if (protocol != Selection::None) {
      e.seeds = parse_seeds(e.plain.sweep.options.selection_seeds, name + ": selection_seeds",
                            Fault::Config);
      check_seeds(e, request);
    }
    add_points(e, request);
    for (const SweptExperiment& other : out)
      if (other.plain.experiment == name)
        throw Error(Fault::Usage, "two experiments are called '" + name +
                                      "'; sweep them one by "
                                      "one with different --out");
    out.push_back(std::move(e));
  }
  return out;
}

SweepPoint plan_final_runs(const SweptExperiment& e, const GridPoint& chosen,
                           const std::string& data, Facts facts, const SweepRequest& request) {
  SweepPoint point{.values = chosen,
                   .settings = settings_of(e, chosen, {}),
                   .label = label_of(e, chosen),
                   .facts = std::move(facts)};
  const auto folder_of = [&](std::string_view protocol) {
    return request.out / fmt::format("{}@{}~{}", e.plain.experiment, protocol,
                                     point.settings.digest().substr(0, 8));
  };
  std::vector<fs::path> elsewhere{folder_of_settings(request.out, point.settings),
                                  request.out / e.plain.experiment};
  for (const std::string_view other : Choices<Selection>::names)
    elsewhere.push_back(folder_of(other));
  for (const std::uint64_t seed : request.seeds) {
    SweepRun run = look(folder_of(name_of(e.selection())), seed, point.settings);
    for (const fs::path& place : elsewhere) {
      if (run.state != RunState::New || request.force) break;
      const SweepRun other = look(place, seed, point.settings);
      const bool keeps = point.settings.evaluation.keep_weights;
      if (other.state != RunState::Complete || (keeps && !fs::exists(other.files.weights())) ||
          peek_results(other.files.results())->data_sha256 != data)
        continue;
      if (keeps) copy_file_atomically(other.files.weights(), run.files.weights());
      copy_with_facts(other.files.results(), run.files.results(), point);
      run.state = RunState::Complete;
    }
    point.runs.push_back(std::move(run));
  }
  during(point.label,
         [&] { return try_parts(point.settings, request.seeds.front(), request.search); });
  return point;
}

void record_facts(const SweepPoint& point) {
  for (const SweepRun& run : point.runs)
    if (run.state == RunState::Complete)
      copy_with_facts(run.files.results(), run.files.results(), point);
}

void note_divergence(const RunFiles& files, const Settings& settings, const std::string& message) {
  save_text(files.divergence(), settings.digest() + "\n" + message + "\n");
}

std::string noted_divergence(const RunFiles& files, const Settings& settings) {
  if (!fs::exists(files.divergence())) return "";
  const auto bytes = read_file(files.divergence(), kMostNoteBytes);
  const std::string text(bytes.begin(), bytes.end());
  const auto end = text.find('\n');
  if (end == std::string::npos || text.substr(0, end) != settings.digest()) return "";
  return text.substr(end + 1, text.find('\n', end + 1) - end - 1);
}

std::string describe_sweep(const std::vector<SweptExperiment>& experiments) {
  std::string out;
  for (const SweptExperiment& e : experiments) {
    out += fmt::format("{}: {} point{}, seeds {}\n", e.plain.experiment, e.points.size(),
                       e.points.size() == 1 ? "" : "s", fmt::join(e.seeds, " "));
    if (e.selection() != Selection::None)
      out += fmt::format("  chosen by {} of {} ({})\n", e.metric, judged_on(e.plain.sweep.options),
                         name_of(e.selection()));
    for (const SweepPoint& point : e.points) {
      const auto there = std::ranges::count(point.runs, RunState::Complete, &SweepRun::state);
      out += fmt::format("  {}  {} of {} runs complete  {}\n", point.label, there,
                         point.runs.size(), point.runs.front().files.folder.string());
    }
  }
  return out + "Nothing was trained: this was --dry-run.\n";
}

}  // namespace engram
