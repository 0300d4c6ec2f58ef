// What two runs must share for their metrics to be comparable. Settings are read as the program
// reads them, so that another spelling of the same protocol is no difference.
#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "benchmarks/catalog.h"
#include "benchmarks/repetition.h"
#include "benchmarks/scenario.h"
#include "benchmarks/stream_table.h"
#include "exps/analysis/comparison.h"
#include "exps/experiment.h"
#include "utils/error.h"
#include "utils/provenance.h"

namespace engram {
namespace {

using Texts = std::map<std::string, std::string>;

/// Settings of the evaluation that show more of a network and change none of its numbers.
constexpr const char* kLooks[] = {
    "pictures",        "mixture_components", "mixture_codes",           "embedding_points",
    "keep_weights",    "receptive_fields",   "representation_examples", "attributions",
    "occlusion_patch", "occlusion_stride",   "plasticity_examples"};

/// Settings of other groups that decide what is learnt or judged: data_seed stands with the rule,
/// but decides the order of the data.
constexpr const char* kElsewhere[] = {"data_seed", "test_episodes", "regime_input"};

/// The settings of the groups that are protocol, as recorded; a key that an older file lacks has
/// its default.
Texts recorded_protocol(const RunRecord& run) {
  const Texts recorded = settings_of(run);
  Texts out;
  for (const OptionGroup& group : option_groups()) {
    const bool whole = group.name == "stream" || group.name == "scenario" ||
                       group.name == "evaluation" || group.name == "simulation";
    for (const OptionInfo& option : group.options) {
      const auto is_key = [&](const char* key) { return option.key == key; };
      if (!whole && std::ranges::none_of(kElsewhere, is_key)) continue;
      const auto found = recorded.find(option.key);
      out[option.key] = found == recorded.end() ? option.value : found->second;
    }
  }
  return out;
}

const DatasetEntry* known_dataset(const std::string& name) {
  try {
    return &dataset_entry(name);
  } catch (const Error&) {
    return nullptr;  // of another version of the program
  }
}

template <Described T>
T read_from(const Texts& texts) {
  Config config;
  for (const auto& [key, text] : texts)
    config.set(key, text, "the results file");
  return config.read<T>();
}

/// Says what the data and the order are in one way only, without what has no effect.
void settle_stream(Texts& texts) {
  StreamOptions o = read_from<StreamOptions>(texts);
  const DatasetEntry* dataset = known_dataset(o.benchmark);
  if (dataset) o.benchmark = dataset->name;
  const StreamKind kind = stream_kind(o, o.benchmark);
  const bool is_split = kind == StreamKind::Split, is_permuted = kind == StreamKind::Permuted;
  const bool is_pairs = kind == StreamKind::MultiMnist, asks = kind == StreamKind::Attributes;
  const bool is_joint = o.cumul || o.protocol == Protocol::Joint;
  if (is_split && !o.classes_per_task && !o.base_classes && dataset && dataset->classes >= o.tasks)
    o.classes_per_task = dataset->classes / o.tasks;
  if (is_permuted && o.permutations == PermutationSource::NumpyLegacy && !o.permutation_seed)
    o.permutation_seed = 0;

  texts["benchmark"] = o.benchmark;
  texts["stream"] = name_of(kind);
  texts["protocol"] = name_of(is_joint ? Protocol::Joint : o.protocol);
  texts["classes_per_task"] = option::print(o.classes_per_task);
  texts["permutation_seed"] = option::print(o.permutation_seed);
  const auto drop = [&](bool useless, std::initializer_list<const char*> keys) {
    if (useless)
      for (const char* key : keys)
        texts.erase(key);
  };
  drop(true, {"mnist_mode", "cumul"});  // said by stream and protocol
  drop(!is_pairs, {"pair_seed"});
  drop(!asks, {"attributes", "image_scale"});
  drop(is_pairs || asks, {"tasks", "permutation_seed", "first_task_identity", "max_rotation",
                          "rotation", "cumul_data"});
  drop(!is_joint || is_split, {"cumul_data"});
  drop(!is_split, {"classes_per_task", "base_classes", "class_order"});
  const bool draws_sizes = o.imbalance > 1 && o.imbalance_order == ClassOrder::Seed;
  drop((!is_split || o.class_order == ClassOrder::Natural) && !draws_sizes, {"order_seed"});
  drop(!is_permuted, {"permutations"});
  drop(is_split || (!is_permuted && o.rotation == RotationPlan::Even), {"permutation_seed"});
  drop(o.boundaries != Boundaries::Linear, {"blur"});
  drop(o.boundaries != Boundaries::IBlurry, {"disjoint_classes", "blurry_share"});
  drop(o.imbalance == 1, {"imbalance_order"});
  drop(!repeats_tasks(o), {"repeat_data"});
  drop(is_split, {"first_task_identity"});
  drop(is_split || is_permuted, {"max_rotation", "rotation"});
}

/// The same for what is told apart, by which outputs; after settle_stream().
void settle_scenario(Texts& texts) {
  const auto o = read_from<ScenarioOptions>(texts);
  const std::string stream = texts["stream"];
  const bool is_domain =
      stream == name_of(StreamKind::Permuted) || stream == name_of(StreamKind::Rotated);
  const bool task_free = texts["task_free"] == option::print(true);
  const Scenario known = task_free ? Scenario::Class : Scenario::Task;
  const Scenario scenario = o.scenario.value_or(is_domain ? Scenario::Domain : known);
  Head head = Head::Shared;
  if (scenario == Scenario::Task) head = Head::PerTask;
  if (scenario == Scenario::Class) head = task_free ? Head::Shared : Head::Masked;
  head = o.head.value_or(head);
  texts["scenario"] = name_of(scenario);
  texts["head"] = name_of(head);
  if (head != Head::PerTask) texts.erase("unseen_heads");
  if (head != Head::PerTask && o.head_outputs == HeadOutputs::All)
    texts["head_outputs"] = name_of(HeadOutputs::Own);
  if (head != Head::Masked) texts.erase("mask_training"), texts.erase("mask_rule");
}

/// Nothing when a value is of another version of the program.
std::optional<Texts> settled(Texts texts) {
  try {
    settle_stream(texts);
    settle_scenario(texts);
    return texts;
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::string against(const std::string& what, const std::string& a, const std::string& b) {
  return fmt::format("{}: {} against {}", what, a.empty() ? "nothing" : a,
                     b.empty() ? "nothing" : b);
}

/// What was evaluated in fact, whatever the settings say.
void add_tasks(std::vector<std::string>& lines, const RunRecord& a, const RunRecord& b) {
  const std::size_t tasks = a.task_names.size();
  if (tasks != b.task_names.size()) {
    const bool said = std::any_of(lines.begin(), lines.end(),
                                  [](const std::string& l) { return l.starts_with("tasks: "); });
    if (!said)
      lines.push_back(against("tasks", std::to_string(tasks), std::to_string(b.task_names.size())));
    return;
  }
  // The first that differs is enough: with one name others change too.
  for (std::size_t t = 0; t < tasks; ++t) {
    if (a.task_names[t] == b.task_names[t]) continue;
    lines.push_back(
        against(fmt::format("name of task {}", t + 1), a.task_names[t], b.task_names[t]));
    break;
  }
  if (a.test_sizes.size() != b.test_sizes.size())
    lines.push_back(against("number of test sets", std::to_string(a.test_sizes.size()),
                            std::to_string(b.test_sizes.size())));
  else
    for (std::size_t t = 0; t < a.test_sizes.size(); ++t) {
      if (a.test_sizes[t] == b.test_sizes[t]) continue;
      lines.push_back(against(fmt::format("test examples of task {}", t + 1),
                              std::to_string(a.test_sizes[t]), std::to_string(b.test_sizes[t])));
      break;
    }
  const auto shape = [](const RunRecord& run) {
    return fmt::format("{} x {}", run.accuracy.shape(0), run.accuracy.shape(1));
  };
  if (shape(a) != shape(b)) lines.push_back(against("accuracy matrix", shape(a), shape(b)));
}

}  // namespace

std::vector<std::string> protocol_differences(const RunRecord& a, const RunRecord& b,
                                              std::string_view metric) {
  Texts of_a = recorded_protocol(a), of_b = recorded_protocol(b);
  auto settled_a = settled(of_a), settled_b = settled(of_b);
  if (settled_a && settled_b) of_a = std::move(*settled_a), of_b = std::move(*settled_b);
  for (Texts* texts : {&of_a, &of_b}) {
    if (metric != "forgetting") texts->erase("forgetting_definition");
    for (const char* key : kLooks)
      texts->erase(key);
    texts->erase("regimes");                               // said by the names of the tasks
    for (const char* key : {"data_path", "image_layout"})  // said by the SHA-256 of the data
      texts->erase(key);
    if (!needs_probes(metric)) texts->erase("probe_every"), texts->erase("probe_size");
  }

  std::vector<std::string> lines;
  // A setting that one side lacks has no effect there because of another one, which differs too.
  for (const auto& [key, text] : of_a)
    if (const auto other = of_b.find(key); other != of_b.end() && other->second != text)
      lines.push_back(against(key, text, other->second));
  add_tasks(lines, a, b);
  const std::string data_a = find_fact(a.provenance, "data_sha256");
  const std::string data_b = find_fact(b.provenance, "data_sha256");
  if (!data_a.empty() && !data_b.empty() && data_a != data_b)
    lines.push_back(against("SHA-256 of the data", data_a.substr(0, 12), data_b.substr(0, 12)));
  return lines;
}

}  // namespace engram
