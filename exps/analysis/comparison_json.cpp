#include <cmath>

#include "exps/analysis/comparison.h"
#include "exps/sweep/selection_record.h"
#include "utils/provenance.h"

namespace engram {
namespace {

using nlohmann::json;

json number(double value) {
  return std::isfinite(value) ? json(value) : json(nullptr);
}
json interval_json(const stats::Interval& i) {
  return {{"low", number(i.low)}, {"high", number(i.high)}};
}
json test_json(const stats::Test& test, double holm) {
  return {{"statistic", number(test.statistic)},
          {"p", number(test.p)},
          {"p_holm", number(holm)},
          {"n", test.n},
          {"exact", test.exact}};
}
json summary_json(const Summary& s) {
  return {{"n", s.n}, {"mean", number(s.mean)}, {"sd", number(s.sd)}};
}

json experiment_json(const ExperimentRuns& e, const ComparisonOptions& options) {
  json seeds = json::array();
  for (const RunRecord& run : e.runs)
    seeds.push_back(run.seed);
  const std::vector<double> values = known_values(e, options.metric);
  return {{"label", e.label},
          {"folder", e.folder.string()},
          {"seeds", std::move(seeds)},
          {"n", values.size()},
          {"mean", number(stats::mean(values))},
          {"t_interval", interval_json(stats::t_interval(values, options.level))}};
}

}  // namespace

json to_json(const PairComparison& pair) {
  json differences = json::array();
  for (const double d : pair.differences)
    differences.push_back(number(d));
  return {{"a", pair.a},
          {"b", pair.b},
          {"seeds", pair.seeds},
          {"seeds_left_out", pair.left_out},
          {"of_a", summary_json(pair.of_a)},
          {"of_b", summary_json(pair.of_b)},
          {"differences", std::move(differences)},
          {"difference", number(pair.difference)},
          {"spread", number(pair.spread)},
          {"t_interval", interval_json(pair.t)},
          {"bca_interval", interval_json(pair.bca)},
          {"paired_t", test_json(pair.t_test, pair.t_holm)},
          {"wilcoxon", test_json(pair.wilcoxon, pair.wilcoxon_holm)},
          {"effect_gz", number(pair.effect)},
          {"seeds_needed", pair.seeds_needed > 0 ? json(pair.seeds_needed) : json(nullptr)},
          {"verdict", std::string(name_of(pair.verdict))},
          {"sentence", pair.sentence}};
}

json comparison_json(const ResultsSet& set, const std::vector<PairComparison>& pairs,
                     const ComparisonOptions& options) {
  json experiments = json::array(), compared = json::array(), skipped = json::array();
  for (const ExperimentRuns& experiment : set.experiments)
    experiments.push_back(experiment_json(experiment, options));
  for (const PairComparison& pair : pairs)
    compared.push_back(to_json(pair));
  for (const SkippedFile& file : set.skipped)
    skipped.push_back({{"file", file.file.string()}, {"reason", file.reason}});
  return {{"format", "engram comparison"},
          {"version", 1},
          {"engram_version", engram_version()},
          {"metric", options.metric},
          {"definition", definition_of(set.experiments, options.metric)},
          {"less_is_better", direction_of(options.metric) < 0},
          {"level", options.level},
          {"resamples", options.resamples},
          {"experiments", std::move(experiments)},
          {"pairs", std::move(compared)},
          {"notes", selection_notes(set.experiments)},
          {"skipped", std::move(skipped)}};
}

}  // namespace engram
