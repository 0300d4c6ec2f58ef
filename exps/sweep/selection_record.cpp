#include "exps/sweep/selection_record.h"

#include <map>

#include <fmt/format.h>

#include "exps/analysis/json_parts.h"
#include "exps/show_parts.h"
#include "exps/sweep/selection.h"
#include "utils/terminal.h"

namespace engram {

using namespace json_parts;
using nlohmann::json;

namespace {

json summary_json(const Summary& s) {
  return {{"n", s.n}, {"mean", number(s.mean)}, {"sd", number(s.sd)}};
}

json point_json(const Grid& grid, const JudgedPoint& point) {
  json settings = json::object(), seeds = json::array(), scores = json::array(),
       failures = json::array();
  for (std::size_t i = 0; i < grid.size(); ++i)
    settings[grid[i].key] = point.values[i];
  for (const JudgedRun& run : point.runs)
    seeds.push_back(run.seed), scores.push_back(number(run.score));
  for (const FailedRun& failed : point.failures)
    failures.push_back({{"seed", failed.seed}, {"reason", failed.why}});
  return {{"settings", std::move(settings)},
          {"folder", point.folder},
          {"seeds", std::move(seeds)},
          {"scores", std::move(scores)},
          {"score", summary_json(point.score())},
          {"failures", std::move(failures)}};
}

/// "first_tasks among 4 points (tuned on test)"
std::string way_of(const RunRecord& run) {
  const std::string protocol = find_fact(run.provenance, "selection");
  if (protocol.empty()) return "not chosen by a sweep";
  return fmt::format("chosen by {} among {} points, judged on {}", protocol,
                     find_fact(run.provenance, "selection_points"),
                     find_fact(run.provenance, "selection_judged_on"));
}

}  // namespace

std::string cost_text(const SearchCost& cost) {
  return fmt::format("{}{}, {}, {} multiply-adds", show::plural(cost.runs, "run"),
                     cost.failed > 0 ? fmt::format(" ({} more failed)", cost.failed) : "",
                     duration(cost.seconds), show::count(cost.multiply_adds));
}

Facts selection_facts(const SelectionRecord& r) {
  const JudgedPoint& chosen = r.points[r.chosen];
  const Summary score = chosen.score();
  const std::string choice = point_text(r.grid, chosen.values);
  return {{"selection", std::string(name_of(r.options.selection))},
          {"selection_choice", choice.empty() ? "nothing to choose" : choice},
          {"selection_grid", grid_text(r.grid)},
          {"selection_points", std::to_string(r.points.size())},
          {"selection_metric", r.metric},
          {"selection_judged_on", judged_on(r.options)},
          {"selection_score",
           score.n == 0 ? "not judged"
                        : fmt::format("{:.6g} (n = {}, SD {:.2g})", score.mean, score.n, score.sd)},
          {"selection_cost", cost_text(cost_of(r.points))},
          {"tuned_on_test", tunes_on_test(r.options.selection) ? "yes" : "no"}};
}

json points_json(const Grid& grid, const std::vector<JudgedPoint>& points) {
  json axes = json::array(), list = json::array();
  for (const GridAxis& axis : grid)
    axes.push_back({{"key", axis.key}, {"values", axis.values}});
  for (const JudgedPoint& point : points)
    list.push_back(point_json(grid, point));
  return {{"grid", std::move(axes)}, {"points", std::move(list)}};
}

json selection_json(const SelectionRecord& r) {
  const SearchCost cost = cost_of(r.points);
  json out = points_json(r.grid, r.points);
  out["format"] = "engram selection", out["version"] = 1;
  out["engram_version"] = engram_version();
  out["experiment"] = r.experiment, out["metric"] = r.metric;
  out["selection"] = std::string(name_of(r.options.selection));
  out["judged_on"] = judged_on(r.options);
  out["tuned_on_test"] = tunes_on_test(r.options.selection);
  out["drop"] = r.options.selection_drop;
  out["seeds"] = r.seeds;
  out["chosen"] = r.chosen;
  out["cost"] = {{"runs", cost.runs},
                 {"failed", cost.failed},
                 {"seconds", number(cost.seconds)},
                 {"multiply_adds", number(cost.multiply_adds)}};
  return out;
}

std::string selection_lines(const RunRecord& run) {
  if (find_fact(run.provenance, "selection").empty()) return "";
  return fmt::format("chosen         {}\n               {}, at the cost of {}{}\n",
                     find_fact(run.provenance, "selection_choice"), way_of(run),
                     find_fact(run.provenance, "selection_cost"),
                     find_fact(run.provenance, "tuned_on_test") == "yes" ? "; TUNED ON TEST" : "");
}

std::vector<std::string> selection_notes(const std::vector<ExperimentRuns>& experiments) {
  std::map<std::string, std::vector<std::string>> ways;
  std::vector<std::string> on_test, notes;
  for (const ExperimentRuns& e : experiments) {
    ways[way_of(e.runs.front())].push_back(e.label);
    if (find_fact(e.runs.front().provenance, "tuned_on_test") == "yes") on_test.push_back(e.label);
  }
  if (ways.size() > 1)
    for (const auto& [way, labels] : ways)
      notes.push_back(fmt::format("settings of {}: {}", fmt::join(labels, ", "), way));
  if (!on_test.empty())
    notes.push_back(
        fmt::format("tuned on test: {}; its figures are too good to be compared with "
                    "others'",
                    fmt::join(on_test, ", ")));
  return notes;
}

}  // namespace engram
