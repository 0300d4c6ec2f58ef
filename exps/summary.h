// Several runs of one experiment as one: mean and spread over the seeds.
#pragma once

#include <vector>

#include "exps/metrics.h"

namespace engram {

struct Summary {
  int n = 0;
  double mean = kNotEvaluated, sd = kNotEvaluated;
  double ci95 = kNotEvaluated;  ///< half width, Student's t; 0 without any spread
};
Summary summarise(const std::vector<double>& values);  ///< NaNs are left out
/// Of seconds, where rows that were not evaluated have none: NaNs add nothing.
double sum_of_known(const std::vector<double>& values);

/// What the matrices of runs hold: "accuracy", or "score" where all are of agents.
const char* measured(const std::vector<RunRecord>& runs);

/// Whether tasks come back in any of them, so that rows of the matrix are phases and not tasks.
bool come_back(const std::vector<RunRecord>& runs);

/// As the matrix of the first run: means over the runs with a matrix of that shape; NaN where no
/// run was evaluated. There must be a run.
Table mean_accuracy(const std::vector<RunRecord>& runs);
/// Of average_accuracy_curve(), after every experience of a run.
std::vector<Summary> average_accuracy_summaries(const std::vector<RunRecord>& runs);

/// The metrics of the run that has most of them: names and definitions for all. Values are that
/// run's own.
std::vector<Metric> most_metrics(const std::vector<RunRecord>& runs, ForgettingDefinition);

}  // namespace engram
