// The reading half. A file may come from anywhere: every shape and number is checked before use,
// and what is wrong is said with the name of the data set.
#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "exps/results_file.h"
#include "exps/results_parts.h"

namespace engram {

using namespace results;

namespace {

constexpr std::size_t kMostTasks = 1'000'000;

void check_schema(const h5::Group& root) {
  if (!root.has_attribute("schema"))
    refuse("not a results file of Engram: there is no attribute 'schema'");
  const std::int64_t schema = root.integer_attribute("schema");
  if (schema > kResultsSchema)
    refuse(fmt::format("written by a newer Engram: schema {}, this one reads up to {}", schema,
                       kResultsSchema));
  if (schema < 1) refuse(fmt::format("schema {} is not one of Engram's", schema));
}

bool read_complete(const h5::Group& root) {
  const std::int64_t complete = root.integer_attribute("complete");
  if (complete != 0 && complete != 1) refuse("the attribute 'complete' is neither 0 nor 1");
  return complete == 1;
}

/// Which task each experience trains, in files of runs whose tasks come back.
std::vector<int> load_order(const Reader& tasks, std::size_t count) {
  if (!tasks.group().has("order")) return {};
  const std::size_t length = tasks.length("order");
  if (length <= count || length > kMostTasks || count == 0)
    refuse(fmt::format("'tasks/order' has {} experiences for {} tasks", length, count));
  const auto order = tasks.integers("order", {length}, static_cast<std::int64_t>(count) - 1);
  std::vector<bool> met(count);
  for (const std::int64_t task : order)
    met[static_cast<std::size_t>(task)] = true;
  if (std::find(met.begin(), met.end(), false) != met.end()) refuse("'tasks/order' lacks a task");
  return {order.begin(), order.end()};
}

void load_tasks(const h5::Group& root, RunRecord& run) {
  const Reader top(root, ".");
  const Shape shape = top.shape("accuracy", 2);
  const bool none = shape == Shape{0, 0};  // a run that was stopped before it knew its tasks
  const Reader tasks(root, "tasks");
  if (shape[1] <= kMostTasks) run.order = load_order(tasks, shape[1]);
  const std::size_t rows = 1 + (run.order.empty() ? shape[1] : run.order.size());
  if (!none && (shape[0] != rows || shape[1] > kMostTasks))
    refuse(
        fmt::format("'accuracy' has shape [{}, {}], which is not [T + 1, T], or [experiences + "
                    "1, T] with 'tasks/order'",
                    shape[0], shape[1]));
  // eval_pad = nov2019 counts some hits twice, as the reference did: up to 2 on tiny test sets.
  // Scores of agents have no bounds.
  const bool scores = root.has("returns");
  run.accuracy = top.table("accuracy", shape, scores ? -kMostScore : 0, scores ? kMostScore : 2);

  if (tasks.shape("names", 1) != Shape{shape[1]})
    refuse("'tasks/names' and the columns of 'accuracy' differ in number");
  run.task_names = tasks.group().read_texts("names");
  run.test_sizes = tasks.ints("test_sizes", {tasks.length("test_sizes")});
  if (!run.test_sizes.empty() && run.test_sizes.size() != shape[1])
    refuse("'tasks/test_sizes' and the columns of 'accuracy' differ in number");
  const auto times = [&](const char* name, std::size_t most) {
    const std::size_t length = tasks.length(name);
    if (length > most)
      refuse(fmt::format("'tasks/{}' has {} values for {} rows", name, length, most));
    return tasks.numbers(name, {length}, 0, kAnything);
  };
  run.task_seconds = times("seconds", rows - 1);
  run.evaluate_seconds = times("evaluate_seconds", shape[0]);
}

void load_epochs(const h5::Group& root, RunRecord& run) {
  const Reader epochs(root, "epochs");
  const std::size_t n = epochs.length("experience");
  const std::size_t layers = epochs.shape("active_fraction", 2)[1];
  const auto numbers = [&](const char* name, double low, double high) {
    return epochs.numbers(name, {n}, low, high);
  };
  const auto experience = epochs.ints("experience", {n}), epoch = epochs.ints("epoch", {n});
  const auto rate = numbers("learning_rate", -kAnything, kAnything);
  const auto loss = numbers("loss", -kAnything, kAnything);
  const auto accuracy = numbers("train_accuracy", 0, 1);
  const auto seconds = numbers("seconds", 0, kAnything);
  const auto executed = numbers("executed_macs", 0, kAnything);
  const auto dense = numbers("dense_macs", 0, kAnything);
  const auto active = epochs.numbers("active_fraction", {n, layers}, 0, 1);
  for (std::size_t i = 0; i < n; ++i)
    run.epochs.push_back({experience[i],
                          epoch[i],
                          rate[i],
                          loss[i],
                          accuracy[i],
                          seconds[i],
                          {executed[i], dense[i]},
                          row_of(active, i, layers),
                          {},
                          {}});
}

void load_alignment(const h5::Group& root, RunRecord& run) {
  if (!root.has("alignment")) return;
  const Reader group(root, "alignment");
  const std::size_t layers = group.length("layers"), n = run.epochs.size();
  run.weight_layers = group.group().read_texts("layers");
  const auto feedback = group.numbers("feedback_angle", {n, layers}, 0, 180);
  const auto update = group.numbers("update_angle", {n, layers}, 0, 180);
  const auto ratio = group.numbers("norm_ratio", {n, layers}, 0, kAnything);
  for (std::size_t e = 0; e < n; ++e)
    for (std::size_t l = 0; l < layers; ++l) {
      const std::size_t at = e * layers + l;
      run.epochs[e].alignment.push_back({feedback[at], update[at], ratio[at]});
    }
}

void load_steps(const h5::Group& root, RunRecord& run) {
  if (!root.has("steps")) return;
  const Reader steps(root, "steps");
  const std::size_t n = steps.length("step"), tasks = run.task_names.size();
  const auto step = steps.integers("step", {n}, std::numeric_limits<std::int64_t>::max());
  const auto experience = steps.ints("experience", {n});
  const auto prequential = steps.numbers("prequential_accuracy", {n}, 0, 1);
  const auto probe = steps.numbers("probe_accuracy", {n, tasks}, 0, 2);
  for (std::size_t i = 0; i < n; ++i)
    run.steps.push_back({step[i], experience[i], prequential[i], row_of(probe, i, tasks)});
}

LayerRecord load_layer(const h5::Group& root, const std::string& name, std::size_t tasks) {
  const Reader reader(root, "layers/" + name);
  const std::int64_t units = reader.group().integer_attribute("units");
  if (units < 0 || units > std::numeric_limits<int>::max())
    refuse(fmt::format("'layers/{}' has {} units", name, units));
  LayerRecord layer{.name = reader.group().text_attribute("name"),
                    .description = reader.group().text_attribute("description"),
                    .units = static_cast<int>(units),
                    .usage_learned = {},
                    .usage_final = {},
                    .active_fraction_test = {}};
  const auto usage = [&](const std::string& which) {
    xt::xtensor<std::uint32_t, 2> counts;
    const Shape shape = reader.shape(which, 2);
    if (shape == Shape{0, 0}) return counts;
    const auto values = reader.integers(which, {tasks, static_cast<std::size_t>(units)},
                                        std::numeric_limits<std::uint32_t>::max());
    counts.resize({shape[0], shape[1]});
    std::copy(values.begin(), values.end(), counts.begin());
    return counts;
  };
  layer.usage_learned = usage("usage_learned");
  layer.usage_final = usage("usage_final");
  const std::size_t length = reader.length("active_fraction_test");
  if (length != 0 && length != tasks)
    refuse(fmt::format("'layers/{}/active_fraction_test' has {} values for {} tasks", name, length,
                       tasks));
  layer.active_fraction_test = reader.numbers("active_fraction_test", {length}, 0, 1);
  return layer;
}

GateRecord load_gate(const h5::Group& root, const std::string& name, std::size_t rows,
                     std::size_t tasks) {
  const Reader reader(root, "gates/" + name);
  GateRecord gate;
  gate.layer = reader.group().text_attribute("layer");
  const std::size_t units = reader.shape("learned", 2)[1];
  const auto mask = reader.integers("learned", {tasks, units}, 1);
  gate.learned.resize({tasks, units});
  std::transform(mask.begin(), mask.end(), gate.learned.begin(),
                 [](std::int64_t open) { return static_cast<std::uint8_t>(open); });
  gate.density = reader.table("density", {rows, tasks}, 0, 1);
  gate.kept = reader.table("kept", {rows, tasks}, 0, 1);
  gate.overlap = reader.table("overlap", {tasks, tasks}, 0, 1);
  return gate;
}

void load_all(const h5::Group& root, RunRecord& run) {
  check_schema(root);
  run.complete = read_complete(root);
  run.experiment = root.text_attribute("experiment");
  run.seed = static_cast<std::uint64_t>(root.integer_attribute("seed"));
  const h5::Group config = root.open("config");
  run.config_text = config.text_attribute("text");
  run.config_sources = config.text_attribute("sources");
  run.model_text = root.open("model").text_attribute("text");
  const h5::Group provenance = root.open("provenance");
  for (const std::string& name : provenance.attribute_names())
    run.provenance.emplace_back(name, provenance.text_attribute(name));

  load_tasks(root, run);
  load_epochs(root, run);
  load_alignment(root, run);
  load_steps(root, run);
  const h5::Group layers = root.open("layers");
  for (const std::string& name : layers.names())
    run.layers.push_back(load_layer(root, name, run.task_names.size()));
  if (root.has("gates")) {
    const h5::Group gates = root.open("gates");
    for (const std::string& name : gates.names())
      run.gates.push_back(load_gate(root, name, run.accuracy.shape(0), run.task_names.size()));
  }
  load_goodness_and_pictures(root, run);
  const h5::Group cost = root.open("cost");
  run.train_macs = {cost.number_attribute("train_executed_macs"),
                    cost.number_attribute("train_dense_macs")};
  run.test_macs = {cost.number_attribute("test_executed_macs"),
                   cost.number_attribute("test_dense_macs")};
  if (!cost.has_attribute("optimizer_steps")) return;  // older files
  run.optimizer_steps = cost.integer_attribute("optimizer_steps");
  if (run.optimizer_steps < 0)
    refuse(fmt::format("'cost' has {} optimizer_steps", run.optimizer_steps));
}

}  // namespace

RunRecord read_record(const h5::Group& root) {
  RunRecord run;
  load_all(root, run);
  return run;
}

RunRecord load_results(const std::filesystem::path& file) {
  RunRecord run;
  h5::load(file, [&](const h5::Group& root) { run = read_record(root); });
  return run;
}

std::string recorded_data(const h5::Group& record) {
  const h5::Group provenance = record.open("provenance");
  return provenance.has_attribute("data_sha256") ? provenance.text_attribute("data_sha256") : "";
}

bool is_results_file(const std::filesystem::path& file) {
  const std::string name = file.filename().string();
  return name.ends_with(".h5") && !name.ends_with(".checkpoint.h5") &&
         !name.ends_with(".weights.h5");
}

std::optional<ResultsHead> peek_results(const std::filesystem::path& file) {
  std::error_code ignored;
  if (std::filesystem::status(file, ignored).type() == std::filesystem::file_type::not_found)
    return std::nullopt;
  ResultsHead head;
  h5::load(file, [&](const h5::Group& root) {
    check_schema(root);
    head.complete = read_complete(root);
    head.experiment = root.text_attribute("experiment");
    head.seed = static_cast<std::uint64_t>(root.integer_attribute("seed"));
    head.config_text = root.open("config").text_attribute("text");
    head.data_sha256 = recorded_data(root);
  });
  return head;
}

}  // namespace engram
