// The writing half. Data sets carry what they are and in which unit, so that a file explains itself
// to whoever opens it in ten years; results/README.md lists them.
#include "exps/results_file.h"

#include <algorithm>

#include "exps/results_parts.h"
#include "utils/provenance.h"

namespace engram {

using namespace results;

namespace {

/// One column of a list of rows.
template <class T, class Row, class Field>
std::vector<T> column(const std::vector<Row>& rows, Field field) {
  std::vector<T> values;
  for (const Row& row : rows)
    values.push_back(static_cast<T>(field(row)));
  return values;
}

void save_head(const h5::Group& root, const RunRecord& run) {
  root.attribute("schema", std::int64_t{kResultsSchema});
  root.attribute("complete", std::int64_t{run.complete});
  root.attribute("experiment", run.experiment);
  root.attribute("seed", static_cast<std::int64_t>(run.seed));
  root.attribute("engram_version", engram_version());

  const h5::Group config = root.create("config");
  config.attribute("text", run.config_text);
  config.attribute("sources", run.config_sources);
  root.create("model").attribute("text", run.model_text);

  const h5::Group provenance = root.create("provenance");
  for (auto fact = run.provenance.begin(); fact != run.provenance.end(); ++fact) {
    const auto same = [&](const auto& other) { return other.first == fact->first; };
    if (std::any_of(run.provenance.begin(), fact, same)) continue;  // the first one stands
    provenance.attribute(fact->first, fact->second);
  }
}

void save_matrix(const h5::Group& root, const RunRecord& run) {
  if (!run.is_score()) {
    put_table(root, "accuracy", run.accuracy,
              {"fraction",
               "[T + 1, T], or [experiences + 1, T] where tasks come back: test accuracy on task j "
               "after experience i; row 0 before any training; NaN where not evaluated"});
  } else {
    put_table(root, "accuracy", run.accuracy,
              {"1",
               "[T + 1, T]: score in regime j after experience i, which stands where others have "
               "accuracies; row 0 before any training; NaN where not evaluated"});
    root.describe("accuracy", "measure",
                  std::string("score: (R - R_random) / (R_expert - R_random) of the mean return R "
                              "of an episode; 0 is random, 1 the expert"));
  }
  root.describe("accuracy", "task_names", run.task_names);
}

void save_tasks(const h5::Group& root, const RunRecord& run) {
  const h5::Group tasks = root.create("tasks");
  put_texts(tasks, "names", run.task_names, "name of each task, in the order of the columns");
  put(tasks, "test_sizes", column<std::int64_t>(run.test_sizes, [](int n) { return n; }),
      {"examples", "size of the test set of each task"});
  if (!run.order.empty())
    put(tasks, "order", column<std::int64_t>(run.order, [](int task) { return task; }),
        {"1", "task, from 0, that each experience trains; left out where none comes back"});
  put(tasks, "seconds", run.task_seconds, {"s", "time spent training, per experience"});
  put(tasks, "evaluate_seconds", run.evaluate_seconds,
      {"s", "time spent evaluating, per row of /accuracy"});
}

void save_metrics(const h5::Group& root, const RunRecord& run, ForgettingDefinition definition) {
  const h5::Group metrics = root.create("metrics");
  for (const Metric& metric : compute_metrics(run, definition)) {
    metrics.attribute(metric.name, metric.value);
    metrics.attribute(metric.name + ".definition", metric.definition);
  }
  metrics.attribute("forgetting_definition", std::string(name_of(definition)));
}

void save_cost(const h5::Group& root, const RunRecord& run) {
  const h5::Group cost = root.create("cost");
  cost.attribute(
      "description",
      "multiply-adds of the whole run: executed, and what dense layers would have taken");
  cost.attribute("train_executed_macs", run.train_macs.executed);
  cost.attribute("train_dense_macs", run.train_macs.dense);
  cost.attribute("test_executed_macs", run.test_macs.executed);
  cost.attribute("test_dense_macs", run.test_macs.dense);
  cost.attribute("optimizer_steps", run.optimizer_steps);
}

void save_epochs(const h5::Group& root, const RunRecord& run) {
  const std::vector<EpochRow>& rows = run.epochs;
  const h5::Group epochs = root.create("epochs");
  const auto integers = [&](const char* name, auto field, const About& about) {
    put(epochs, name, column<std::int64_t>(rows, field), about);
  };
  const auto numbers = [&](const char* name, auto field, const About& about) {
    put(epochs, name, column<double>(rows, field), about);
  };
  using Row = const EpochRow&;
  integers("experience", [](Row r) { return r.experience; }, {"index", "experience, from 0"});
  integers("epoch", [](Row r) { return r.epoch; }, {"index", "epoch of the experience, from 0"});
  numbers("learning_rate", [](Row r) { return r.learning_rate; },
          {"1", "learning rate of the epoch's last step"});
  numbers("loss", [](Row r) { return r.loss; }, {"nat", "mean training loss over the examples"});
  numbers("train_accuracy", [](Row r) { return r.train_accuracy; },
          {"fraction", "accuracy on the training examples as they came, in training mode"});
  numbers("seconds", [](Row r) { return r.seconds; }, {"s", "time spent on the epoch"});
  numbers("executed_macs", [](Row r) { return r.macs.executed; },
          {"multiply-adds", "executed by the epoch's training steps"});
  numbers("dense_macs", [](Row r) { return r.macs.dense; },
          {"multiply-adds", "what dense layers would have taken for the same steps"});
  put_rows(epochs, "active_fraction", rows, &EpochRow::active_fraction, run.layers.size(),
           {"fraction", "[epoch, layer]: mean share of units that were active, before dropout"});
}

/// What the way down of a rule has to do with the weights; nothing for back-propagation.
void save_alignment(const h5::Group& root, const RunRecord& run) {
  const auto has_some = [](const EpochRow& row) { return !row.alignment.empty(); };
  if (std::none_of(run.epochs.begin(), run.epochs.end(), has_some)) return;
  const h5::Group group = root.create("alignment");
  put_texts(group, "layers", run.weight_layers,
            "names of the layers with weights, from the bottom up");
  const auto table = [&](const char* name, double Alignment::*field, const About& about) {
    const std::size_t width = run.weight_layers.size();
    std::vector<double> values(run.epochs.size() * width, kNotEvaluated);
    for (std::size_t e = 0; e < run.epochs.size(); ++e)
      for (std::size_t l = 0; l < std::min(width, run.epochs[e].alignment.size()); ++l)
        values[e * width + l] = run.epochs[e].alignment[l].*field;
    put<double>(group, name, values, {run.epochs.size(), width}, about);
  };
  table("feedback_angle", &Alignment::feedback_angle,
        {"degree", "[epoch, layer]: angle between feedback matrix and weights, after the epoch"});
  table("update_angle", &Alignment::update_angle,
        {"degree",
         "[epoch, layer]: angle between the rule's gradient and back-propagation's, on "
         "the last batch of the epoch"});
  table("norm_ratio", &Alignment::norm_ratio,
        {"1", "[epoch, layer]: Frobenius norm of the feedback matrix over that of the weights"});
}

void save_steps(const h5::Group& root, const RunRecord& run) {
  if (run.steps.empty()) return;
  const h5::Group steps = root.create("steps");
  put(steps, "step", column<std::int64_t>(run.steps, [](const StepRow& r) { return r.step; }),
      {"steps", "training steps of the whole run so far"});
  put(steps, "experience",
      column<std::int64_t>(run.steps, [](const StepRow& r) { return r.experience; }),
      {"index", "experience being learnt, from 0"});
  put(steps, "prequential_accuracy",
      column<double>(run.steps, [](const StepRow& r) { return r.prequential_accuracy; }),
      {"fraction", "accuracy on the batches since the last row, before learning them"});
  put_rows(
      steps, "probe_accuracy", run.steps, &StepRow::probe_accuracy, run.task_names.size(),
      {"fraction", "[row, task]: accuracy on a fixed sample of the test set; NaN: not yet seen"});
}

void save_layer(const h5::Group& layers, const LayerRecord& layer, const RunRecord& run) {
  const h5::Group group = layers.create(link_name(layers, layer.name));
  group.attribute("name", layer.name);
  group.attribute("description", layer.description);
  group.attribute("units", std::int64_t{layer.units});
  const auto usage = [&](const char* when, const xt::xtensor<std::uint32_t, 2>& counts,
                         const About& about, const About& overlap) {
    put<std::uint32_t>(group, std::string("usage_") + when, {counts.data(), counts.size()},
                       {counts.shape(0), counts.shape(1)}, about);
    if (counts.shape(0) == run.test_sizes.size() && counts.size() > 0)
      put_table(group, std::string("overlap_") + when, usage_overlap(counts, run.test_sizes),
                overlap);
  };
  usage("learned", layer.usage_learned,
        {"count",
         "[task, unit]: test inputs (times places) that activate the unit, right after "
         "the task was learnt; a row of zeros was not evaluated"},
        {"fraction", "[task, task]: weighted Jaccard index of the rows of usage_learned"});
  usage("final", layer.usage_final,
        {"count", "[task, unit]: as usage_learned, after the whole run"},
        {"fraction", "[task, task]: weighted Jaccard index of the rows of usage_final"});
  put(group, "active_fraction_test", layer.active_fraction_test,
      {"fraction", "per task: mean share of active units on its test set, after the whole run"});
}

void save_gate(const h5::Group& gates, const GateRecord& gate) {
  const h5::Group group = gates.create(link_name(gates, gate.layer));
  group.attribute("layer", gate.layer);
  put<std::uint8_t>(group, "learned", {gate.learned.data(), gate.learned.size()},
                    {gate.learned.shape(0), gate.learned.shape(1)},
                    {"1", "[task, unit]: 1 where the task might use the unit when it was learnt"});
  put_table(group, "density", gate.density,
            {"fraction", "[rows, T]: share of units that a task may use, rows as /accuracy"});
  put_table(group, "kept", gate.kept,
            {"fraction",
             "[rows, T]: intersection over union of a task's mask and that when it "
             "was learnt; NaN before"});
  put_table(group, "overlap", gate.overlap,
            {"fraction",
             "[T, T]: intersection over union of the masks of two tasks, at the last "
             "row that was evaluated"});
}

}  // namespace

void write_record(const h5::Group& root, const RunRecord& run, ForgettingDefinition definition) {
  save_head(root, run);
  save_matrix(root, run);
  save_metrics(root, run, definition);
  save_tasks(root, run);
  save_cost(root, run);
  save_epochs(root, run);
  save_alignment(root, run);
  save_steps(root, run);
  const h5::Group layers = root.create("layers");
  for (const LayerRecord& layer : run.layers)
    save_layer(layers, layer, run);
  if (!run.gates.empty()) {
    const h5::Group gates = root.create("gates");
    for (const GateRecord& gate : run.gates)
      save_gate(gates, gate);
  }
  save_goodness_and_pictures(root, run);
}

void save_results(const std::filesystem::path& file, const RunRecord& run,
                  ForgettingDefinition definition) {
  h5::save(file, [&](const h5::Group& root) { write_record(root, run, definition); });
}

}  // namespace engram
