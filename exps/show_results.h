// Results in the terminal: the accuracy matrix, the metrics, and how the first task fades.
#pragma once

#include <string>
#include <vector>

#include "exps/metrics.h"
#include "exps/record.h"

namespace engram {

/// Mean over the runs (seeds) of one experiment: accuracy matrix (shaded cells), metrics with
/// mean +- 95 % t interval and their definitions in one word, layers' active fractions,
/// multiply-adds executed against dense, time.
std::string show_experiment(const std::vector<RunRecord>& runs, ForgettingDefinition, bool colour,
                            int width);

/// Forgetting curves of several experiments side by side: average accuracy over the tasks seen
/// after each task, one line per experiment, drawn with characters, axes labelled.
std::string show_curves(const std::vector<std::vector<RunRecord>>& experiments, bool colour,
                        int width);

/// One table, one row per experiment: ACC, forgetting, LA, active units, multiply-adds, seconds.
std::string show_comparison(const std::vector<std::vector<RunRecord>>& experiments,
                            ForgettingDefinition, bool colour);

}  // namespace engram
