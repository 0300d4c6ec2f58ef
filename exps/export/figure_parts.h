// The figures one by one, as commands for gnuplot.
#pragma once

#include <algorithm>
#include <string>

#include "exps/export/figure_style.h"
#include "exps/export/figures.h"

namespace engram::figure {

struct Drawing {
  Sheet sheet;
  std::string commands;
};

/// Whether all experiments are of agents, whose matrices hold scores.
inline bool acts(const ResultsSet& set) {
  return std::ranges::all_of(set.experiments, [](const ExperimentRuns& e) {
    return std::ranges::all_of(e.runs, &RunRecord::is_score);
  });
}

/// Average accuracy over the tasks seen, after each task: the mean over seeds with the 95 % t
/// interval as a band, or as a bar where a point has no neighbours. The names stand below.
Drawing curves(const ResultsSet& set, const FigureOptions& options);

/// Final average accuracy and forgetting: mean, 95 % t interval, and the seeds as dots.
Drawing metrics(const ResultsSet& set, const FigureOptions& options);

/// Mean accuracy over seeds on task j after task i, i from 1; what no seed evaluated is blank.
Drawing matrix(const ExperimentRuns& experiment, const FigureOptions& options);

}  // namespace engram::figure
