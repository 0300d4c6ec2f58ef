// Which of two experiments is better, and can the data tell? Runs are paired by seed, since the
// same seed gives every method the same stream, order and initial weights.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "exps/analysis/results_set.h"
#include "utils/statistics.h"

namespace engram {

struct ComparisonOptions {
  std::string metric = "average_accuracy";  ///< a name of compute_metrics
  double level = 0.95;                      ///< of the intervals; tests are read at 1 - level
  int resamples = 10'000;                   ///< of the bootstrap
};

/// What the data say of `b` beside `a`.
enum class Verdict { Better, Worse, CannotTell };

struct PairComparison {
  std::string a, b;                  ///< labels
  std::vector<std::uint64_t> seeds;  ///< that both have
  Summary of_a, of_b;                ///< of the metric, over those seeds
  double difference = 0;             ///< mean of b - a
  stats::Interval t, bca;            ///< of the difference
  stats::Test t_test, wilcoxon;
  double t_holm = 1, wilcoxon_holm = 1;  ///< p-values corrected for all pairs of the comparison
  double effect = 0;                     ///< Hedges' g_z of the differences
  double spread = 0;                     ///< SD of the differences
  int seeds_needed = 0;                  ///< to see one point (0.01) at that spread; 0: unknown
  Verdict verdict = Verdict::CannotTell;
  std::string sentence;  ///< the verdict in words, with the figures it rests on
};

/// Every pair in the order given: (1, 2), (1, 3), (2, 3), … Error(Data) naming what differs when
/// two experiments do not share stream, data and evaluation; Error(Data) when a pair shares no
/// seed; Error(Usage) with a suggestion for an unknown metric. "Better" takes the direction of the
/// metric into account (less forgetting is better).
std::vector<PairComparison> compare_experiments(const std::vector<ExperimentRuns>& experiments,
                                                const ComparisonOptions& options);

/// "batch: 64 against 128"-like lines for every setting of stream, scenario, evaluation and data
/// in which two runs differ, so that their metrics cannot be compared; empty when they can.
std::vector<std::string> protocol_differences(const RunRecord& a, const RunRecord& b);

/// -1 for metrics of which less is better (forgetting, stability_gap), else 1.
int direction_of(std::string_view metric);

/// All fields by name, for the report and the export.
nlohmann::json to_json(const PairComparison& pair);

}  // namespace engram
