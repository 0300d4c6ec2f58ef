#include "exps/analysis/comparison.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "utils/error.h"

namespace engram {
namespace {

/// Accuracies are quotients of whole numbers: what is equal but for rounding is tied.
double rounded(double difference) {
  return std::round(difference * 1e12) / 1e12;
}

/// Every metric that a run can have, computed of nothing; those of continual evaluation on demand.
std::vector<Metric> names_of_metrics(bool with_probes) {
  RunRecord any;
  any.accuracy = Table({2, 1}, 0.0);
  any.unit_plasticity.resize(1);
  if (with_probes) any.steps.resize(1);
  return compute_metrics(any, ForgettingDefinition::Chaudhry);
}

void check(const std::vector<ExperimentRuns>& experiments, const ComparisonOptions& options) {
  const std::vector<std::string> known = metric_names();
  if (std::find(known.begin(), known.end(), options.metric) == known.end())
    throw Error(Fault::Usage, fmt::format("there is no metric '{}'{}", options.metric,
                                          suggestion(options.metric, known)));
  if (!(options.level >= 0.5 && options.level <= 0.9999))
    throw Error(Fault::Usage,
                fmt::format("level {}: expected 0.5 to 0.9999, such as 0.95", options.level));
  if (options.resamples < 100 || options.resamples > 10'000'000)
    throw Error(Fault::Usage,
                fmt::format("resamples {}: expected 100 to 10000000", options.resamples));
  if (experiments.size() < 2)
    throw Error(Fault::Usage,
                experiments.empty()
                    ? "there is nothing to compare"
                    : fmt::format("there is nothing to compare '{}' with: name a second experiment",
                                  experiments.front().label));
}

/// The differences between runs of the same seed, each once. Others may differ: in their angles,
/// say.
std::vector<std::string> all_differences(const ExperimentRuns& a, const ExperimentRuns& b,
                                         std::string_view metric) {
  std::vector<std::string> lines;
  for (const RunRecord& run : a.runs)
    for (const RunRecord& other : b.runs) {
      if (run.seed != other.seed) continue;
      for (std::string& line : protocol_differences(run, other, metric))
        if (std::find(lines.begin(), lines.end(), line) == lines.end())
          lines.push_back(std::move(line));
    }
  return lines;
}

void refuse_other_protocols(const std::vector<ExperimentRuns>& experiments,
                            std::string_view metric) {
  std::string first;
  std::size_t others = 0;
  for (std::size_t i = 0; i < experiments.size(); ++i)
    for (std::size_t j = i + 1; j < experiments.size(); ++j) {
      const auto lines = all_differences(experiments[i], experiments[j], metric);
      if (lines.empty()) continue;
      if (first.empty())
        first = fmt::format("{} and {} cannot be compared, for they differ in {}",
                            experiments[i].label, experiments[j].label, fmt::join(lines, "; "));
      else
        ++others;
    }
  if (first.empty()) return;
  if (others > 0)
    first += others == 1 ? " (and so does 1 other pair)"
                         : fmt::format(" (and so do {} other pairs)", others);
  throw Error(Fault::Data, first);
}

PairComparison pair_up(const ExperimentRuns& a, const ExperimentRuns& b,
                       const std::string& metric) {
  PairComparison pair;
  pair.a = a.label, pair.b = b.label;
  std::vector<double> of_a, of_b;
  bool meets = false;
  auto at_a = a.runs.begin();
  auto at_b = b.runs.begin();
  while (at_a != a.runs.end() || at_b != b.runs.end()) {  // both ascend by seed
    if (at_b == b.runs.end() || (at_a != a.runs.end() && at_a->seed < at_b->seed)) {
      pair.left_out.push_back((at_a++)->seed);
      continue;
    }
    if (at_a == a.runs.end() || at_b->seed < at_a->seed) {
      pair.left_out.push_back((at_b++)->seed);
      continue;
    }
    meets = true;
    const double x = metric_value(*at_a, a.forgetting, metric);
    const double y = metric_value(*at_b, b.forgetting, metric);
    if (std::isfinite(x) && std::isfinite(y)) {
      pair.seeds.push_back(at_a->seed);
      of_a.push_back(x), of_b.push_back(y);
      pair.differences.push_back(rounded(y - x));
    } else {
      pair.left_out.push_back(at_a->seed);
    }
    ++at_a, ++at_b;
  }
  if (!meets)
    throw Error(Fault::Data, fmt::format("{} and {} have no seed in common: run both with the same "
                                         "--seeds, for runs are paired by seed",
                                         a.label, b.label));
  if (pair.seeds.empty()) {
    std::string whom = a.label;
    if (known_values(b, metric).empty())
      whom = known_values(a, metric).empty() ? a.label + " and " + b.label : b.label;
    throw Error(Fault::Data,
                fmt::format("{} is not known for {}: {}", metric, whom, reason_to_lack(metric)));
  }
  pair.of_a = summarise(of_a), pair.of_b = summarise(of_b);
  return pair;
}

void test_pair(PairComparison& pair, const ComparisonOptions& options) {
  const std::vector<double>& d = pair.differences;
  pair.difference = stats::mean(d);
  pair.spread = stats::sd(d);
  pair.t = stats::t_interval(d, options.level);
  // The same draws for every pair: what else is compared changes no interval.
  pair.bca = stats::bca_interval(d, options.level, options.resamples, Rng(0).fork("bca"));
  pair.t_test = stats::paired_t(d);
  pair.wilcoxon = stats::wilcoxon_signed_rank(d);
  pair.effect = stats::hedges_gz(d);
  pair.seeds_needed = stats::pairs_needed(pair.spread, kOnePoint, 1 - options.level);
}

void correct(std::vector<PairComparison>& pairs) {
  std::vector<double> t, wilcoxon;
  for (const PairComparison& pair : pairs)
    t.push_back(pair.t_test.p), wilcoxon.push_back(pair.wilcoxon.p);
  t = stats::holm(t), wilcoxon = stats::holm(wilcoxon);
  for (std::size_t i = 0; i < pairs.size(); ++i)
    pairs[i].t_holm = t[i], pairs[i].wilcoxon_holm = wilcoxon[i];
}

Verdict verdict_of(const PairComparison& pair, const ComparisonOptions& options) {
  const bool enough = pair.seeds.size() >= static_cast<std::size_t>(kFewestSeeds);
  // Comparisons with NaN are false: what is not known decides nothing.
  if (!enough || !(pair.t_holm < 1 - options.level)) return Verdict::CannotTell;
  const bool above = pair.difference > 0 && pair.bca.low > 0;
  const bool below = pair.difference < 0 && pair.bca.high < 0;
  if (!above && !below) return Verdict::CannotTell;
  return above == (direction_of(options.metric) > 0) ? Verdict::Better : Verdict::Worse;
}

}  // namespace

std::vector<std::string> metric_names() {
  std::vector<std::string> names;
  for (const Metric& metric : names_of_metrics(/*with_probes=*/true))
    names.push_back(metric.name);
  return names;
}

bool needs_probes(std::string_view metric) {
  const auto is_it = [&](const Metric& m) { return m.name == metric; };
  const auto of_matrix = names_of_metrics(/*with_probes=*/false);
  return std::none_of(of_matrix.begin(), of_matrix.end(), is_it);
}

std::vector<double> known_values(const ExperimentRuns& experiment, const std::string& metric) {
  std::vector<double> values;
  for (const RunRecord& run : experiment.runs) {
    const double value = metric_value(run, experiment.forgetting, metric);
    if (std::isfinite(value)) values.push_back(value);
  }
  return values;
}

std::string definition_of(const std::vector<ExperimentRuns>& experiments,
                          const std::string& metric) {
  for (const ExperimentRuns& experiment : experiments)
    for (const Metric& found : most_metrics(experiment.runs, experiment.forgetting))
      if (found.name == metric) return found.definition;
  return "";
}

std::string reason_to_lack(std::string_view metric) {
  if (needs_probes(metric)) return "it needs continual evaluation (run with --set probe_every=N)";
  if (metric == "online_accuracy")
    return "it needs measures of plasticity (run with --set plasticity_examples=N)";
  return "the accuracies that it needs were not evaluated";
}

int direction_of(std::string_view metric) {
  return metric == "forgetting" || metric == "stability_gap" ? -1 : 1;
}

std::vector<PairComparison> compare_experiments(const std::vector<ExperimentRuns>& experiments,
                                                const ComparisonOptions& options) {
  check(experiments, options);
  refuse_other_protocols(experiments, options.metric);
  std::vector<PairComparison> pairs;
  for (std::size_t i = 0; i < experiments.size(); ++i)
    for (std::size_t j = i + 1; j < experiments.size(); ++j) {
      pairs.push_back(pair_up(experiments[i], experiments[j], options.metric));
      pairs.back().of_scores = experiments[i].runs.front().is_score();
      test_pair(pairs.back(), options);
    }
  correct(pairs);
  for (PairComparison& pair : pairs) {
    pair.verdict = verdict_of(pair, options);
    pair.sentence = sentence_of(pair, options, pairs.size());
  }
  return pairs;
}

}  // namespace engram
