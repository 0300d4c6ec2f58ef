// One experiment in the terminal: the matrix as a heat map, the metrics under it, then what the
// layers and the machine did.
#include "exps/show_results.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "exps/show_parts.h"
#include "exps/sweep/selection_record.h"
#include "utils/error.h"
#include "utils/terminal.h"

namespace engram {
namespace {

using show::glyphs;
using Runs = std::vector<RunRecord>;

/// Columns of a cell: " 100.0", or "-147.6" with a blank before it.
int cell_width(const Runs& runs) {
  return runs.front().is_score() ? 7 : 6;
}

/// Which of so many tasks or rows (from 1) to show when only `most` columns fit: the first, the
/// last, every n-th.
std::vector<int> shown_of(int tasks, int most, int* step) {
  *step = 1;
  const auto fits = [&](int n) { return tasks / n + 2 <= most; };
  if (tasks > most)
    while (!fits(++*step) && *step < tasks)
      continue;
  std::vector<int> shown;
  for (int t = 1; t <= tasks; ++t)
    if (t == 1 || t == tasks || t % *step == 0) shown.push_back(t);
  return shown;
}

std::string title(const Runs& runs, bool colour) {
  std::vector<std::uint64_t> seeds;
  std::size_t incomplete = 0;
  for (const RunRecord& run : runs)
    seeds.push_back(run.seed), incomplete += run.complete ? 0 : 1;
  std::string rest = fmt::format("{}, {} {}", show::plural(runs.size(), "run"),
                                 runs.size() == 1 ? "seed" : "seeds", fmt::join(seeds, " "));
  if (incomplete > 0) rest += fmt::format(", {} incomplete", incomplete);
  return bold(runs.front().experiment, colour) + "  " + dim(rest, colour) + "\n\n";
}

std::string matrix(const Runs& runs, bool colour, int width) {
  const Table accuracy = mean_accuracy(runs);
  const RunRecord& first = runs.front();
  const int tasks = static_cast<int>(accuracy.shape(1)), cell = cell_width(runs);
  int name_width = 0;
  for (const std::string& name : first.task_names)
    name_width = std::max(name_width, columns(name));
  constexpr int kSeen = 8;
  // Names give way to columns, but not to columns that cannot be shown anyway.
  const int wanted = std::clamp(10 + name_width, 12, 30), narrow = 12;
  const int room = width - kSeen - cell * tasks;
  const int label = room >= narrow ? std::min(room, wanted) : std::min(wanted, 20);
  int step = 1;
  const auto shown = shown_of(tasks, std::max((width - kSeen - label) / cell, 3), &step);

  std::string out = fit(fmt::format("{}, %", measured(runs)), label);
  for (const int t : shown)
    out += fit_right(std::to_string(t), cell);
  out += fmt::format(" {} seen\n", glyphs().bar);
  const std::vector<double> curve = average_accuracy_curve(accuracy, first.order);
  const auto row = [&](const std::string& name, int i, double seen) {
    out += fit(name, label - 1) + " ";
    for (const int t : shown) {
      const double value = accuracy(static_cast<std::size_t>(i), static_cast<std::size_t>(t - 1));
      out += shade(fit_right(show::percent(value), cell), value, colour);
    }
    out += fmt::format(" {}{}\n", glyphs().bar, i == 0 ? "" : fit_right(show::percent(seen), 5));
  };
  row("untrained", 0, 0);
  const bool come_back = !first.order.empty();
  constexpr int kMostRows = 60;
  int every = step;
  const auto phases =
      come_back ? shown_of(static_cast<int>(curve.size()), kMostRows, &every) : shown;
  for (const int t : phases) {
    const auto at = static_cast<std::size_t>(t - 1);
    const int task = come_back ? first.order[at] + 1 : t;
    row(fmt::format("after {} {}", t, first.task_names[static_cast<std::size_t>(task - 1)]), t,
        curve[at]);
  }
  if (every > step)
    out += dim(fmt::format("one in {} of the {} phases", every, curve.size()), colour) + "\n";
  if (step > 1)
    out += dim(fmt::format("one in {} of the {} tasks, and the first and the last", step, tasks),
               colour) +
           "\n";
  return out + "\n";
}

/// What a metric means, in a few words; the file holds the formula and the source.
const char* gist(const std::string& name) {
  static const std::map<std::string, const char*> kGists{
      {"average_accuracy", "ACC, mean of the last row"},
      {"sample_accuracy", "same, weighted by test size"},
      {"average_incremental_accuracy", "AIA, mean of the column 'seen'"},
      {"learning_accuracy", "LA, mean of the diagonal"},
      {"bwt", "last row less diagonal"},
      {"online_accuracy", "first epochs, before learning"},
      {"fwt", "before learning less untrained"},
      {"min_accuracy", "min-ACC, lowest after learning"},
      {"worst_case_accuracy", "WC-ACC, last task and min-ACC"},
      {"stability_gap", "deepest drop in the next task"},
      {"prequential_accuracy", "each batch before learning it"},
      {"average_anytime_accuracy", "AAA, mean over the probes"},
  };
  const auto found = kGists.find(name);
  return found == kGists.end() ? "" : found->second;
}

std::string forgetting_gist(ForgettingDefinition definition) {
  static const std::map<ForgettingDefinition, const char*> kGists{
      {ForgettingDefinition::Chaudhry, "best less last row"},
      {ForgettingDefinition::Avalanche, "diagonal less last"},
      {ForgettingDefinition::Mammoth, "best less last, >= 0"},
  };
  return fmt::format("{}: {}", name_of(definition), kGists.at(definition));
}

std::string metrics(const Runs& runs, ForgettingDefinition definition, bool colour, int width) {
  const std::vector<Metric> known = most_metrics(runs, definition);
  std::string out;
  for (const Metric& metric : known) {
    const Summary summary = show::over(
        runs, [&](const RunRecord& run) { return metric_value(run, definition, metric.name); });
    std::string label = metric.name;
    std::replace(label.begin(), label.end(), '_', ' ');
    std::string value = fit_right(show::percent(summary), 12);
    if (metric.name == "average_accuracy") value = bold(value, colour);
    std::string line = fit(label, 28) + value;
    if (runs.size() > 1) line += fit(fmt::format(" (n={})", summary.n), 8);
    const std::string meaning =
        metric.name == "forgetting" ? forgetting_gist(definition) : gist(metric.name);
    const int room = width - columns(line) - 2;
    out +=
        line + "  " + dim(columns(meaning) <= room ? meaning : fit(meaning, room), colour) + "\n";
  }
  if (runs.size() > 1)
    out += dim(fmt::format("in %, mean {} 95 % t interval over the runs", glyphs().plus_minus),
               colour) +
           "\n";
  return out + "\n";
}

std::string cost(const Runs& runs) {
  const auto mean = [&](std::vector<double> RunRecord::*field) {
    return duration(
        show::over(runs, [&](const RunRecord& run) { return sum_of_known(run.*field); }).mean);
  };
  return fmt::format("multiply-adds  training {}, testing {}\n",
                     show::executed(runs, &RunRecord::train_macs),
                     show::executed(runs, &RunRecord::test_macs)) +
         fmt::format("time           training {}, evaluating {}{}\n",
                     mean(&RunRecord::task_seconds), mean(&RunRecord::evaluate_seconds),
                     runs.size() > 1 ? ", a run" : "");
}

/// What the runs took from files before they began (exps/starting_weights.h).
std::string beginning(const RunRecord& run) {
  const auto fact = [&run](std::string_view name) {
    for (const auto& [known, text] : run.provenance)
      if (known == name) return text;
    return std::string();
  };
  const std::string taken = fact("weights_taken");
  return taken.empty() ? "" : fmt::format("weights from {}: {}\n", fact("weights"), taken);
}

}  // namespace

std::string show_experiment(const Runs& runs, ForgettingDefinition definition, bool colour,
                            int width) {
  if (runs.empty()) return "no runs\n";
  std::string out = title(runs, colour);
  if (runs.front().accuracy.size() == 0) return out + "nothing was evaluated\n";
  ENGRAM_INVARIANT(runs.front().task_names.size() == runs.front().accuracy.shape(1));
  return out + matrix(runs, colour, width) +
         show::sparklines(mean_accuracy(runs), runs.front(), colour, width) +
         metrics(runs, definition, colour, width) + show::returns(runs, colour, width) +
         show::layers(runs, colour) + beginning(runs.front()) + selection_lines(runs.front()) +
         cost(runs);
}

}  // namespace engram
