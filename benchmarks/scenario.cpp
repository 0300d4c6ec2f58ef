#include "benchmarks/scenario.h"

#include <algorithm>

#include <fmt/format.h>

#include "utils/error.h"

namespace engram {
namespace {

Scenario resolved(const std::optional<Scenario>& scenario, const TaskStream& stream) {
  if (scenario) return *scenario;
  return stream.tasks_share_labels() && !stream.needs_task() ? Scenario::Domain : Scenario::Task;
}

Head resolved(const std::optional<Head>& head, Scenario scenario) {
  if (head) return *head;
  switch (scenario) {
    case Scenario::Task:
      return Head::PerTask;
    case Scenario::Domain:
      return Head::Shared;
    case Scenario::Class:
      return Head::Masked;
  }
  broken_invariant("scenario is one of its choices");
}

void check(Scenario scenario, Head head) {
  if (scenario == Scenario::Domain && head == Head::Masked)
    throw Error(Fault::Config,
                "head = masked does not fit scenario = domain, where every output serves every "
                "task; use head = shared, or scenario = task or class");
  if (head == Head::PerTask && scenario != Scenario::Task)
    throw Error(Fault::Config,
                fmt::format("head = per_task needs scenario = task, because the "
                            "task must be known to choose the head; with scenario "
                            "= {} use head = {}",
                            name_of(scenario), scenario == Scenario::Class ? "masked" : "shared"));
}

void check_single(const TaskStream& stream, bool global) {
  if (global)
    throw Error(Fault::Config,
                "head_outputs = single is one output for two classes of a task; it needs head = "
                "shared or per_task, and scenario = task or domain");
  for (int t = 0; t < stream.tasks(); ++t)
    if (const auto classes = stream.classes(t).size(); classes != 2)
      throw Error(Fault::Config,
                  fmt::format("head_outputs = single is one output for two classes, but task '{}' "
                              "has {}; use head_outputs = own",
                              stream.task_name(t), classes));
}

std::size_t at(int row, int column, int columns) {
  return static_cast<std::size_t>(row) * static_cast<std::size_t>(columns) +
         static_cast<std::size_t>(column);
}

}  // namespace

Targets::Targets(const TaskStream& stream, ScenarioOptions options)
    : scenario_(resolved(options.scenario, stream)),
      head_(resolved(options.head, scenario_)),
      mask_training_(options.mask_training),
      tasks_(stream.tasks()),
      labels_(stream.labels()) {
  check(scenario_, head_);
  // Outputs are global classes, or positions within the task, or labels of the data set.
  const bool global = scenario_ == Scenario::Class || head_ == Head::Masked;
  const bool by_label = head_ == Head::PerTask && options.head_outputs == HeadOutputs::All;
  int most = 0;
  for (int t = 0; t < tasks_; ++t)
    most = std::max(most, static_cast<int>(stream.classes(t).size()));
  const bool single = options.head_outputs == HeadOutputs::Single;
  if (single) check_single(stream, global);
  width_ = single     ? 1
           : global   ? labels_ * (stream.tasks_share_labels() ? tasks_ : 1)
           : by_label ? labels_
                      : most;

  target_.assign(at(tasks_, 0, labels_), -1);
  own_mask_.assign(at(tasks_, 0, width_), 0);
  seen_mask_ = own_mask_;
  for (int t = 0; t < tasks_; ++t) {
    const std::vector<int> classes = stream.classes(t);
    for (std::size_t i = 0; i < classes.size(); ++i) {
      const int label = classes[i];
      int target = static_cast<int>(i);
      if (global) target = label + (stream.tasks_share_labels() ? t * labels_ : 0);
      if (by_label) target = label;
      target_[at(t, label, labels_)] = target;
      const int output = single ? 0 : target;
      own_mask_[at(t, output, width_)] = 1;
      for (int later = t; later < tasks_; ++later)
        seen_mask_[at(later, output, width_)] = 1;
    }
  }
}

std::span<const std::uint8_t> Targets::row(const std::vector<std::uint8_t>& masks,
                                           int index) const {
  ENGRAM_INVARIANT(index >= 0 && index < tasks_);
  return std::span(masks).subspan(at(index, 0, width_), static_cast<std::size_t>(width_));
}

std::span<const std::uint8_t> Targets::train_mask(int task, int tasks_seen) const {
  return mask_training_ ? test_mask(task, tasks_seen) : std::span<const std::uint8_t>{};
}

std::span<const std::uint8_t> Targets::test_mask(int task, int tasks_seen) const {
  if (head_ != Head::Masked) return {};
  return scenario_ == Scenario::Task ? row(own_mask_, task) : row(seen_mask_, tasks_seen - 1);
}

bool Targets::can_test(int task, int tasks_seen) const {
  const bool needs_training =
      head_ == Head::PerTask || (head_ == Head::Masked && scenario_ == Scenario::Class);
  return !needs_training || task < tasks_seen;
}

}  // namespace engram
