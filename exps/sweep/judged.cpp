#include "exps/sweep/judged.h"

#include <algorithm>
#include <cmath>

#include "utils/provenance.h"

namespace engram {
namespace {

Summary over(const std::vector<JudgedRun>& runs, double JudgedRun::*field) {
  std::vector<double> values;
  for (const JudgedRun& run : runs)
    values.push_back(run.*field);
  return summarise(values);
}

}  // namespace

JudgedRun judge(const RunRecord& run, ForgettingDefinition definition, std::string_view metric) {
  return {.seed = run.seed,
          .score = metric_value(run, definition, metric),
          .forgetting = metric_value(run, definition, "forgetting"),
          .seconds = sum_of_known(run.task_seconds) + sum_of_known(run.evaluate_seconds),
          .train_macs = run.train_macs,
          .test_macs = run.test_macs,
          .data = find_fact(run.provenance, "data_sha256")};
}

bool JudgedPoint::whole() const {
  return runs.size() == wanted && wanted > 0 &&
         std::ranges::none_of(runs, [](const JudgedRun& run) { return std::isnan(run.score); });
}

Summary JudgedPoint::score() const {
  return over(runs, &JudgedRun::score);
}

Summary JudgedPoint::forgetting() const {
  return over(runs, &JudgedRun::forgetting);
}

SearchCost cost_of(const std::vector<JudgedPoint>& points) {
  SearchCost cost;
  for (const JudgedPoint& point : points) {
    cost.runs += point.runs.size(), cost.failed += point.failures.size();
    for (const JudgedRun& run : point.runs) {
      cost.seconds += run.seconds;
      cost.multiply_adds += run.train_macs.executed + run.test_macs.executed;
    }
  }
  return cost;
}

std::size_t best_point(const std::vector<JudgedPoint>& points, int direction, double drop) {
  std::size_t best = points.size();
  double top = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (!points[i].whole()) continue;
    const double mean = direction * points[i].score().mean;
    if (best == points.size() || mean > top) best = i, top = mean;
  }
  const double enough = top - drop * std::abs(top);
  for (std::size_t i = 0; drop > 0 && i < best; ++i)
    if (points[i].whole() && direction * points[i].score().mean >= enough) return i;
  return best;
}

}  // namespace engram
