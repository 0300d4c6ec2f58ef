// Which of two experiments is better, and can the data tell? Runs are paired by seed, since the
// same seed gives every method the same stream, order and initial weights.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "exps/analysis/results_set.h"
#include "exps/summary.h"
#include "utils/options.h"
#include "utils/statistics.h"

namespace engram {

/// Fewer pairs than this carry no verdict, whatever the tests say.
constexpr int kFewestSeeds = 3;
/// "One point", which seeds_needed is about.
constexpr double kOnePoint = 0.01;

struct ComparisonOptions {
  std::string metric = "average_accuracy";  ///< a name of compute_metrics
  double level = 0.95;                      ///< of the intervals; tests are read at 1 - level
  int resamples = 10'000;                   ///< of the bootstrap
};

/// What the data say of `b` beside `a`. Better or Worse: at least kFewestSeeds pairs, the paired t
/// test corrected after Holm is below 1 - level, and the BCa interval lies on the same side of 0.
/// The t test guards against few pairs, for which the bootstrap is too sure; the bootstrap against
/// skewed differences, for which t may be. Wilcoxon's test is shown and decides nothing: with fewer
/// than six pairs it cannot fall below 0.05.
enum class Verdict { Better, Worse, CannotTell };
template <>
struct Choices<Verdict> {
  static constexpr std::array<std::string_view, 3> names{"better", "worse", "cannot_tell"};
};

/// Differences are b - a, in the unit of the metric (1 is 100 points). What cannot be known is NaN.
struct PairComparison {
  std::string a, b;                     ///< labels
  bool of_scores = false;               ///< agents, whose scores stand where accuracies do
  std::vector<std::uint64_t> seeds;     ///< that both have, with a known metric; ascending
  std::vector<std::uint64_t> left_out;  ///< the others of both; ascending
  Summary of_a, of_b;                   ///< of the metric, over `seeds`
  std::vector<double> differences;      ///< one per seed, rounded to 1e-12
  double difference = 0;                ///< their mean
  stats::Interval t, bca;               ///< of the difference
  stats::Test t_test, wilcoxon;
  double t_holm = 1, wilcoxon_holm = 1;  ///< p-values corrected for all pairs of the comparison
  double effect = 0;                     ///< Hedges' g_z of the differences
  double spread = 0;                     ///< SD of the differences
  int seeds_needed = 0;  ///< to see one point with a power of 0.8 at that spread; 0: unknown
  Verdict verdict = Verdict::CannotTell;
  std::string sentence;  ///< the verdict in words, with the figures it rests on
};

/// Every pair in the order given: (1, 2), (1, 3), (2, 3), … Error(Data) naming what differs when
/// two experiments do not share stream, data and evaluation; Error(Data) when a pair shares no
/// seed, or none with this metric; Error(Usage) for fewer than two experiments, for a level or a
/// number of resamples out of range and, with a suggestion, for an unknown metric. "Better" takes
/// the direction of the metric into account (less forgetting is better).
std::vector<PairComparison> compare_experiments(const std::vector<ExperimentRuns>& experiments,
                                                const ComparisonOptions& options);

/// "tasks: 5 against 10"-like lines for every setting of stream, scenario, evaluation and data in
/// which two runs differ, so that this metric cannot be compared; empty when it can. Settings that
/// have no effect on the runs (the angles of a stream that is not rotated) and other spellings of
/// the same (auto) are no difference. What is compared (model, rule, strategies, optimiser,
/// batches, epochs) is none either.
std::vector<std::string> protocol_differences(const RunRecord& a, const RunRecord& b,
                                              std::string_view metric = "average_accuracy");

/// The names of compute_metrics, all of them.
std::vector<std::string> metric_names();
/// True for metrics that are known only with continual evaluation (probe_every > 0).
bool needs_probes(std::string_view metric);
/// Why a run may lack a metric, and what to do: "it needs continual evaluation (run with ...)".
std::string reason_to_lack(std::string_view metric);
/// -1 for metrics of which less is better (forgetting, stability_gap), else 1.
int direction_of(std::string_view metric);

/// The formula of a metric, as the first run that has it computes it; "" when none has.
std::string definition_of(const std::vector<ExperimentRuns>& experiments,
                          const std::string& metric);
/// A metric of the runs, in their order, without those in which it is NaN.
std::vector<double> known_values(const ExperimentRuns& experiment, const std::string& metric);

/// The verdict of a pair in words; `pairs`: how many the p-value was corrected for.
std::string sentence_of(const PairComparison& pair, const ComparisonOptions& options,
                        std::size_t pairs);
/// "0.0021", "< 0.0001"; "-" for NaN.
std::string p_text(double p);

/// All fields by name, for the report and the export. NaN is null.
nlohmann::json to_json(const PairComparison& pair);
/// The whole of a comparison: metric, definition, options, experiments, pairs, skipped files.
nlohmann::json comparison_json(const ResultsSet& set, const std::vector<PairComparison>& pairs,
                               const ComparisonOptions& options);

}  // namespace engram
