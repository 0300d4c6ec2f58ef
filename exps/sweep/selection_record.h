// How the setting of some runs was chosen, for whoever reads them: as facts in their provenance, as
// a file beside them, as lines in the terminal, and as a note where two were chosen differently.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "exps/analysis/results_set.h"
#include "exps/sweep/judged.h"
#include "exps/sweep/sweep_settings.h"
#include "utils/provenance.h"

namespace engram {

struct SelectionRecord {
  std::string experiment, metric;
  SweepOptions options;
  std::vector<std::uint64_t> seeds;
  Grid grid;
  std::vector<JudgedPoint> points;
  std::size_t chosen = 0;  ///< index into the points
};

/// selection, selection_choice, selection_grid, selection_points, selection_metric,
/// selection_judged_on, selection_score, selection_cost and tuned_on_test: "yes" or "no".
Facts selection_facts(const SelectionRecord& record);
/// All of it: `engram selection`, version 1 (exps/README.md).
nlohmann::json selection_json(const SelectionRecord& record);
/// Grid, points and scores, for any sweep.
nlohmann::json points_json(const Grid& grid, const std::vector<JudgedPoint>& points);

/// "12 runs (1 failed), 3:07, 1.2 T multiply-adds"
std::string cost_text(const SearchCost& cost);

/// The lines that show a run's choice in the terminal; "" for a run that nobody chose.
std::string selection_lines(const RunRecord& run);
/// One line per way of choosing where the experiments were not all chosen in one way with as many
/// points, and a warning where tests had a part in it; none otherwise.
std::vector<std::string> selection_notes(const std::vector<ExperimentRuns>& experiments);

}  // namespace engram
