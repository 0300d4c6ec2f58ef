#include "exps/analysis/results_json.h"

#include <algorithm>
#include <numeric>

#include "exps/analysis/json_parts.h"
#include "exps/summary.h"
#include "utils/provenance.h"

namespace engram {

using namespace json_parts;

namespace {

using nlohmann::json;

json macs(const Macs& m) {
  return {{"executed", number(m.executed)}, {"dense", number(m.dense)}};
}
json summary(const Summary& s) {
  return {{"n", s.n}, {"mean", number(s.mean)}, {"sd", number(s.sd)}, {"ci95", number(s.ci95)}};
}

/// One row in so many, the same for all runs of an experiment, so that curves of means are always
/// of all of them; and the last one.
json steps_of(const RunRecord& run, std::size_t stride) {
  json list = json::array();
  for (std::size_t i = 0; i < run.steps.size(); ++i) {
    if (i % stride != 0 && i + 1 != run.steps.size()) continue;
    const StepRow& row = run.steps[i];
    list.push_back({{"step", row.step},
                    {"experience", row.experience},
                    {"prequential_accuracy", number(row.prequential_accuracy)},
                    {"probe_accuracy", numbers(row.probe_accuracy)}});
  }
  return list;
}

json epochs_of(const RunRecord& run) {
  json list = json::array();
  for (const EpochRow& row : run.epochs)
    list.push_back({{"experience", row.experience},
                    {"epoch", row.epoch},
                    {"learning_rate", number(row.learning_rate)},
                    {"loss", number(row.loss)},
                    {"train_accuracy", number(row.train_accuracy)},
                    {"seconds", number(row.seconds)},
                    {"macs", macs(row.macs)},
                    {"active_fraction", numbers(row.active_fraction)}});
  return list;
}

json layers_of(const RunRecord& run, bool with_usage) {
  json list = json::array();
  for (const LayerRecord& layer : run.layers) {
    json one{{"name", layer.name},
             {"description", layer.description},
             {"units", layer.units},
             {"active_fraction_test", numbers(layer.active_fraction_test)}};
    if (layer.usage_final.shape(0) == run.test_sizes.size() && !run.test_sizes.empty())
      one["overlap_final"] = table(usage_overlap(layer.usage_final, run.test_sizes));
    if (layer.usage_learned.shape(0) == run.test_sizes.size() && !run.test_sizes.empty())
      one["overlap_learned"] = table(usage_overlap(layer.usage_learned, run.test_sizes));
    if (with_usage) {
      one["usage_learned"] = table(layer.usage_learned);
      one["usage_final"] = table(layer.usage_final);
    }
    list.push_back(std::move(one));
  }
  return list;
}

json gates_of(const RunRecord& run) {
  json list = json::array();
  for (const GateRecord& gate : run.gates)
    list.push_back({{"layer", gate.layer},
                    {"density", table(gate.density)},
                    {"kept", table(gate.kept)},
                    {"overlap", table(gate.overlap)}});
  return list;
}

json alignment_of(const RunRecord& run) {
  json list = json::array();
  for (const EpochRow& row : run.epochs)
    for (std::size_t l = 0; l < std::min(row.alignment.size(), run.weight_layers.size()); ++l)
      list.push_back({{"experience", row.experience},
                      {"epoch", row.epoch},
                      {"layer", run.weight_layers[l]},
                      {"feedback_angle", number(row.alignment[l].feedback_angle)},
                      {"update_angle", number(row.alignment[l].update_angle)},
                      {"norm_ratio", number(row.alignment[l].norm_ratio)}});
  return list;
}

/// The task of every row of the matrix but the first, 0-based.
std::vector<int> order_of(const RunRecord& run) {
  if (!run.order.empty()) return run.order;
  std::vector<int> order(run.task_names.size());
  std::iota(order.begin(), order.end(), 0);
  return order;
}

json run_json(const RunRecord& run, ForgettingDefinition forgetting, std::size_t stride,
              const JsonOptions& options) {
  json metrics = json::object();
  for (const Metric& metric : compute_metrics(run, forgetting))
    metrics[metric.name] = number(metric.value);
  json provenance = json::object();
  for (const auto& [key, value] : run.provenance)
    provenance.emplace(key, value);  // the first one stands
  return {{"seed", run.seed},
          {"order", order_of(run)},
          {"accuracy", table(run.accuracy)},
          {"average_accuracy_curve", numbers(average_accuracy_curve(run.accuracy, run.order))},
          {"forgetting_curve", numbers(forgetting_curve(run.accuracy, forgetting, run.order))},
          {"metrics", std::move(metrics)},
          {"task_seconds", numbers(run.task_seconds)},
          {"evaluate_seconds", numbers(run.evaluate_seconds)},
          {"train_macs", macs(run.train_macs)},
          {"test_macs", macs(run.test_macs)},
          {"optimizer_steps", run.optimizer_steps},
          {"epochs", epochs_of(run)},
          {"steps", steps_of(run, stride)},
          {"layers", layers_of(run, options.usage)},
          {"alignment", alignment_of(run)},
          {"gates", gates_of(run)},
          {"measures", measures(run)},
          {"goodness", goodness(run)},
          {"pictures", pictures(run, options)},
          {"embeddings", embeddings(run, options)},
          {"representations", representations(run)},
          {"plasticity", plasticity(run)},
          {"returns", returns(run)},
          {"provenance", std::move(provenance)}};
}

/// Mean and spread of every metric over the runs, with its definition.
json metrics_of(const ExperimentRuns& experiment) {
  json list = json::array();  // keeps the order in which metrics are printed
  for (const Metric& metric : most_metrics(experiment.runs, experiment.forgetting)) {
    std::vector<double> values;
    for (const RunRecord& run : experiment.runs)
      values.push_back(metric_value(run, experiment.forgetting, metric.name));
    json one = summary(summarise(values));
    one["name"] = metric.name, one["definition"] = metric.definition;
    list.push_back(std::move(one));
  }
  return list;
}

json experiment_json(const ExperimentRuns& experiment, const JsonOptions& options) {
  const RunRecord& first = experiment.runs.front();
  std::size_t longest = 0;
  for (const RunRecord& run : experiment.runs)
    longest = std::max(longest, run.steps.size());
  std::size_t stride = 1;
  if (const std::size_t most = options.most_steps; most > 0 && longest > most)
    stride = most > 1 ? (longest + most - 3) / (most - 1) : longest;
  json runs = json::array();
  for (const RunRecord& run : experiment.runs)
    runs.push_back(run_json(run, experiment.forgetting, stride, options));
  return {{"label", experiment.label},
          {"experiment", first.experiment},
          {"folder", experiment.folder.string()},
          {"tasks", first.task_names},
          {"test_sizes", first.test_sizes},
          {"forgetting_definition", std::string(name_of(experiment.forgetting))},
          {"config", settings_of(first)},
          {"model", first.model_text},
          {"metrics", metrics_of(experiment)},
          {"runs", std::move(runs)}};
}

}  // namespace

std::string json_text(const json& value, int indent) {
  return value.dump(indent, ' ', false, json::error_handler_t::replace);
}

json results_json(const ResultsSet& set, const JsonOptions& options) {
  json experiments = json::array(), skipped = json::array();
  for (const ExperimentRuns& experiment : set.experiments)
    experiments.push_back(experiment_json(experiment, options));
  for (const SkippedFile& file : set.skipped)
    skipped.push_back({{"file", file.file.string()}, {"reason", file.reason}});
  return {{"format", "engram results"},
          {"version", 1},
          {"engram_version", engram_version()},
          {"experiments", std::move(experiments)},
          {"skipped", std::move(skipped)}};
}

}  // namespace engram
