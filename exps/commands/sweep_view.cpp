#include "exps/commands/sweep_view.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "exps/commands/table.h"
#include "exps/show_parts.h"
#include "utils/terminal.h"

namespace engram {
namespace {

using Texts = std::vector<std::string>;

std::string worded(std::string metric) {
  std::replace(metric.begin(), metric.end(), '_', ' ');
  return metric;
}

/// "91.2 ± 0.4", with the SD; without ± for a single run.
std::string percent_sd(const Summary& s) {
  if (s.n < 2) return show::percent(s.mean);
  return fmt::format("{} {} {:.1f}", show::percent(s.mean), show::glyphs().plus_minus, 100 * s.sd);
}

std::string seconds_of(const JudgedPoint& point) {
  if (point.runs.empty()) return show::glyphs().missing;
  double sum = 0;
  for (const JudgedRun& run : point.runs)
    sum += run.seconds;
  return duration(sum / static_cast<double>(point.runs.size()));
}

std::string failures_of(const JudgedPoint& point) {
  if (point.failures.empty()) return "";
  return fmt::format("; {} failed", show::plural(point.failures.size(), "run"));
}

}  // namespace

std::string points_text(const SweptExperiment& e, const std::vector<JudgedPoint>& points,
                        std::size_t best, bool colour) {
  Texts titles{""};
  for (const GridAxis& axis : e.grid)
    titles.push_back(axis.key);
  const bool forgets = e.metric != "forgetting";
  titles.insert(titles.end(), {"n", worded(e.metric) + ", %"});
  if (forgets) titles.push_back("forgetting, %");
  titles.insert(titles.end(), {"a run", "results"});
  TextTable table(std::move(titles));
  const std::string mark = e.selection() == Selection::None ? "best" : "chosen";
  for (std::size_t i = 0; i < points.size(); ++i) {
    const JudgedPoint& point = points[i];
    Texts row{i == best ? mark : ""};
    row.insert(row.end(), point.values.begin(), point.values.end());
    row.insert(row.end(), {std::to_string(point.runs.size()), percent_sd(point.score())});
    if (forgets) row.push_back(percent_sd(point.forgetting()));
    row.insert(row.end(), {seconds_of(point), point.folder + failures_of(point)});
    table.add(std::move(row));
  }
  return fmt::format(
      "{}  {}\n\n{}{}\n", bold(e.plain.experiment, colour),
      dim(fmt::format("{}, seeds {}", show::plural(points.size(), "point"),
                      fmt::join(e.seeds, " ")),
          colour),
      table.text(colour, 0),
      dim(fmt::format("mean {} SD over the seeds", show::glyphs().plus_minus), colour));
}

std::string finals_text(const std::vector<FinalRow>& rows, const std::string& metric,
                        const std::vector<std::uint64_t>& seeds, bool colour) {
  Texts titles{"experiment", "chosen", "cost of the choice", "n", worded(metric) + ", %"};
  const bool forgets = metric != "forgetting";
  if (forgets) titles.push_back("forgetting, %");
  titles.push_back("results");
  TextTable table(std::move(titles));
  for (const FinalRow& row : rows) {
    Texts cells{row.experiment, row.choice, row.cost, std::to_string(row.runs.runs.size()),
                percent_sd(row.runs.score())};
    if (forgets) cells.push_back(percent_sd(row.runs.forgetting()));
    cells.push_back(row.runs.folder + failures_of(row.runs));
    table.add(std::move(cells));
  }
  return fmt::format(
      "{}  {}\n\n{}{}\n", bold("final runs", colour),
      dim(fmt::format("judged by the tests, seeds {}", fmt::join(seeds, " ")), colour),
      table.text(colour, 0),
      dim(fmt::format("mean {} SD over the seeds", show::glyphs().plus_minus), colour));
}

}  // namespace engram
