#include "exps/summary.h"

#include <algorithm>
#include <cmath>

#include "utils/statistics.h"

namespace engram {

Summary summarise(const std::vector<double>& values) {
  std::vector<double> known;
  for (const double value : values)
    if (!std::isnan(value)) known.push_back(value);
  Summary summary{static_cast<int>(known.size()), stats::mean(known), stats::sd(known)};
  summary.ci95 = summary.sd == 0 ? 0 : stats::t_interval(known).high - summary.mean;
  return summary;
}

double sum_of_known(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values)
    if (!std::isnan(value)) sum += value;
  return sum;
}

const char* measured(const std::vector<RunRecord>& runs) {
  return !runs.empty() && std::ranges::all_of(runs, &RunRecord::is_score) ? "score" : "accuracy";
}

bool come_back(const std::vector<RunRecord>& runs) {
  return std::ranges::any_of(runs, [](const RunRecord& run) { return !run.order.empty(); });
}

Table mean_accuracy(const std::vector<RunRecord>& runs) {
  Table mean = runs.front().accuracy;
  std::vector<double> values;
  for (std::size_t i = 0; i < mean.shape(0); ++i) {
    for (std::size_t j = 0; j < mean.shape(1); ++j) {
      values.clear();
      for (const RunRecord& run : runs)
        if (run.accuracy.shape() == mean.shape()) values.push_back(run.accuracy(i, j));
      mean(i, j) = summarise(values).mean;
    }
  }
  return mean;
}

std::vector<Summary> average_accuracy_summaries(const std::vector<RunRecord>& runs) {
  std::vector<std::vector<double>> values;
  for (const RunRecord& run : runs) {
    const std::vector<double> curve = average_accuracy_curve(run.accuracy, run.order);
    values.resize(std::max(values.size(), curve.size()));
    for (std::size_t t = 0; t < curve.size(); ++t)
      values[t].push_back(curve[t]);
  }
  std::vector<Summary> summaries;
  for (const std::vector<double>& some : values)
    summaries.push_back(summarise(some));
  return summaries;
}

std::vector<Metric> most_metrics(const std::vector<RunRecord>& runs,
                                 ForgettingDefinition definition) {
  std::vector<Metric> most;
  for (const RunRecord& run : runs)
    if (auto found = compute_metrics(run, definition); found.size() > most.size())
      most = std::move(found);
  return most;
}

}  // namespace engram
