// What the layers of an experiment did, in the terminal: which units were active, which a task
// might use, how errors came down, and what levels found good.
#include <algorithm>
#include <cmath>
#include <string_view>

#include <fmt/format.h>

#include "exps/show_parts.h"
#include "utils/terminal.h"

namespace engram {
namespace {

using Runs = std::vector<RunRecord>;

struct Column {
  const char* title;
  int width;
};

/// A line for every layer under one of titles.
class LayerTable {
 public:
  LayerTable(const char* what, const std::vector<std::string>& names,
             const std::vector<Column>& columns, bool colour)
      : columns_(columns) {
    for (const std::string& name : names)
      name_width_ = std::max(name_width_, engram::columns(name));
    name_width_ = std::min(name_width_, 30);
    std::string head = fit(what, name_width_);
    for (const Column& column : columns_)
      head += fit_right(column.title, column.width);
    text_ = dim(head, colour) + "\n";
  }
  void add(const std::string& name, const std::vector<std::string>& cells) {
    text_ += fit(name, name_width_);
    for (std::size_t c = 0; c < cells.size(); ++c)
      text_ += fit_right(cells[c], columns_[c].width);
    text_ += "\n";
  }
  std::string text() const { return text_ + "\n"; }

 private:
  std::vector<Column> columns_;
  int name_width_ = 6;
  std::string text_;
};

/// Mean over all pairs of different tasks.
double between_tasks(const Table& table) {
  std::vector<double> apart;
  for (std::size_t a = 0; a < table.shape(0); ++a)
    for (std::size_t b = a + 1; b < table.shape(1); ++b)
      apart.push_back(table(a, b));
  return summarise(apart).mean;
}

double mean_of_last_row(const Table& table) {
  const std::size_t last = table.shape(0) - 1;
  std::vector<double> values;
  for (std::size_t j = 0; j < table.shape(1); ++j)
    values.push_back(table(last, j));
  return summarise(values).mean;
}

/// Mean overlap of use between different tasks after the whole run.
double overlap(const RunRecord& run, std::size_t layer) {
  const LayerRecord& record = run.layers[layer];
  if (record.usage_final.shape(0) != run.test_sizes.size()) return kNotEvaluated;
  return between_tasks(usage_overlap(record.usage_final, run.test_sizes));
}

/// Share of units that no test input activates after the whole run.
double unused(const RunRecord& run, std::size_t layer) {
  const auto& usage = run.layers[layer].usage_final;
  double idle = 0, total = 0;
  for (std::size_t u = 0; u < usage.shape(1); ++u) {
    double sum = 0;
    for (std::size_t t = 0; t < usage.shape(0); ++t)
      sum += usage(t, u);
    idle += sum > 0 ? 0 : 1, total += sum;
  }
  return total > 0 ? idle / static_cast<double>(usage.shape(1)) : kNotEvaluated;
}

std::string activity(const Runs& runs, bool colour) {
  std::vector<std::string> names;
  for (const LayerRecord& layer : runs.front().layers)
    names.push_back(layer.name);
  if (names.empty()) return "";
  LayerTable table("layer", names,
                   {{"units", 9}, {"active, %", 11}, {"unused, %", 11}, {"shared by tasks", 17}},
                   colour);
  for (std::size_t l = 0; l < names.size(); ++l) {
    const auto mean = [&](auto value) {
      return show::percent(show::over(runs, [&](const RunRecord& run) {
                             return l < run.layers.size() ? value(run) : kNotEvaluated;
                           }).mean);
    };
    table.add(names[l], {std::to_string(runs.front().layers[l].units),
                         mean([&](const RunRecord& r) { return show::active_fraction(r, l); }),
                         mean([&](const RunRecord& r) { return unused(r, l); }),
                         mean([&](const RunRecord& r) { return overlap(r, l); })});
  }
  return table.text();
}

/// The units that tasks may use: how many, how many in common, and whether they are still those
/// with which a task was learnt.
std::string gates(const Runs& runs, bool colour) {
  std::vector<std::string> names;
  for (const GateRecord& gate : runs.front().gates)
    names.push_back(gate.layer);
  if (names.empty()) return "";
  LayerTable table(
      "gate", names,
      {{"units", 9}, {"open, %", 11}, {"shared by tasks", 17}, {"kept since learnt", 20}}, colour);
  for (std::size_t l = 0; l < names.size(); ++l) {
    const auto mean = [&](auto value) {
      return show::percent(show::over(runs, [&](const RunRecord& run) {
                             return l < run.gates.size() ? value(run.gates[l]) : kNotEvaluated;
                           }).mean);
    };
    table.add(names[l], {std::to_string(runs.front().gates[l].learned.shape(1)),
                         mean([](const GateRecord& g) { return mean_of_last_row(g.density); }),
                         mean([](const GateRecord& g) { return between_tasks(g.overlap); }),
                         mean([](const GateRecord& g) { return mean_of_last_row(g.kept); })});
  }
  return table.text();
}

/// How far the rule's way down was from the weights at the end, for every layer.
std::string alignment(const Runs& runs, bool colour) {
  const RunRecord& first = runs.front();
  if (first.epochs.empty() || first.epochs.back().alignment.empty()) return "";
  LayerTable table(
      "layer", first.weight_layers,
      {{"feedback to weights", 20}, {"update to backprop's", 25}, {"|feedback|/|w|", 16}}, colour);
  for (std::size_t l = 0; l < first.weight_layers.size(); ++l) {
    const auto mean = [&](double Alignment::*field, const char* unit, int decimals) {
      const double value = show::over(runs, [&](const RunRecord& run) {
                             const bool has =
                                 !run.epochs.empty() && l < run.epochs.back().alignment.size();
                             return has ? run.epochs.back().alignment[l].*field : kNotEvaluated;
                           }).mean;
      return std::isnan(value) ? std::string("-") : fmt::format("{:.{}f}{}", value, decimals, unit);
    };
    table.add(first.weight_layers[l],
              {mean(&Alignment::feedback_angle, " deg", 1),
               mean(&Alignment::update_angle, " deg", 1), mean(&Alignment::norm_ratio, "", 2)});
  }
  return table.text();
}

/// A measure of the last epoch by its name; NaN where the run has none.
double last_measure(const RunRecord& run, const std::string& name) {
  const auto& names = run.measure_names;
  const auto at =
      static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
  const bool has = !run.epochs.empty() && at < run.epochs.back().measures.size();
  return has ? run.epochs.back().measures[at] : kNotEvaluated;
}

/// How well the levels of a forward-forward network told positives from negatives at the end.
std::string goodness(const Runs& runs, bool colour) {
  constexpr std::string_view kPositive = "positive_goodness/";
  std::vector<std::string> levels;
  for (const std::string& name : runs.front().measure_names)
    if (name.starts_with(kPositive)) levels.push_back(name.substr(kPositive.size()));
  if (levels.empty()) return "";
  LayerTable table("level", levels, {{"goodness of positives", 23}, {"of negatives", 14}}, colour);
  for (const std::string& level : levels) {
    const auto mean = [&](const std::string& kind) {
      const double value = show::over(runs, [&](const RunRecord& run) {
                             return last_measure(run, kind + level);
                           }).mean;
      return std::isnan(value) ? std::string("-") : fmt::format("{:.3g}", value);
    };
    table.add(level, {mean(std::string(kPositive)), mean("negative_goodness/")});
  }
  return table.text();
}

/// "0.0 -> 12.5": a measure of a layer after the first task and after the last.
std::string first_and_last(const Runs& runs, std::vector<PlasticityRecord> RunRecord::*field,
                           std::size_t layer, std::size_t measure, double scale, int decimals) {
  const auto at = [&](bool last) {
    const double value = show::over(runs, [&](const RunRecord& run) {
                           if (layer >= (run.*field).size()) return kNotEvaluated;
                           const Table& table = (run.*field)[layer].measures[measure];
                           double found = kNotEvaluated;
                           for (std::size_t t = 0; t < table.shape(0); ++t)
                             if (!std::isnan(table(t, 1)) && (last || std::isnan(found)))
                               found = table(t, 1);
                           return found;
                         }).mean;
    return std::isnan(value) ? std::string(show::glyphs().missing)
                             : fmt::format("{:.{}f}", scale * value, decimals);
  };
  return fmt::format("{} {} {}", at(false), show::glyphs().arrow, at(true));
}

/// Whether the layers can still learn: after the first task and after the last.
std::string plasticity(const Runs& runs, bool colour) {
  const auto names = [&](const std::vector<PlasticityRecord>& records) {
    std::vector<std::string> list;
    for (const PlasticityRecord& record : records)
      list.push_back(record.layer);
    return list;
  };
  const auto place = [](std::span<const PlasticityMeasure> measures, std::string_view name) {
    return static_cast<std::size_t>(std::ranges::find(measures, name, &PlasticityMeasure::name) -
                                    measures.begin());
  };
  const RunRecord& first = runs.front();
  if (first.unit_plasticity.empty()) return "";
  LayerTable units("units", names(first.unit_plasticity),
                   {{"dead, %", 16}, {"dormant (0.025), %", 20}, {"effective rank", 18}}, colour);
  for (std::size_t l = 0; l < first.unit_plasticity.size(); ++l) {
    const auto cell = [&](const char* name, double scale) {
      return first_and_last(runs, &RunRecord::unit_plasticity, l, place(kUnitMeasures, name), scale,
                            1);
    };
    units.add(first.unit_plasticity[l].layer,
              {cell("dead", 100), cell("dormant_0.025", 100), cell("effective_rank", 1)});
  }
  LayerTable weights("weights", names(first.weight_plasticity), {{"norm", 20}, {"mean |w|", 20}},
                     colour);
  for (std::size_t l = 0; l < first.weight_plasticity.size(); ++l) {
    const auto cell = [&](const char* name, int decimals) {
      return first_and_last(runs, &RunRecord::weight_plasticity, l, place(kWeightMeasures, name), 1,
                            decimals);
    };
    weights.add(first.weight_plasticity[l].layer, {cell("weight_norm", 2), cell("mean_weight", 4)});
  }
  return units.text() + weights.text();
}

}  // namespace

std::string show::layers(const Runs& runs, bool colour) {
  return activity(runs, colour) + gates(runs, colour) + alignment(runs, colour) +
         goodness(runs, colour) + plasticity(runs, colour);
}

}  // namespace engram
