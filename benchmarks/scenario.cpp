#include "benchmarks/scenario.h"

#include <algorithm>

#include <fmt/format.h>

#include "utils/error.h"

namespace engram {
namespace {

Scenario resolved(const std::optional<Scenario>& scenario, const TaskStream& stream) {
  if (scenario) return *scenario;
  if (stream.tasks_share_images()) return Scenario::Task;
  if (stream.task_free() && !stream.tasks_share_labels()) return Scenario::Class;
  return stream.tasks_share_labels() ? Scenario::Domain : Scenario::Task;
}

Head resolved(const std::optional<Head>& head, Scenario scenario, bool task_free) {
  if (head) return *head;
  if (task_free) return Head::Shared;
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

void check(Scenario scenario, Head head, const TaskStream& stream) {
  if (stream.tasks_share_images() && scenario != Scenario::Task)
    throw Error(Fault::Config,
                fmt::format("scenario = {} does not fit tasks that ask different things about the "
                            "same images: the task must be known; use scenario = task with head = "
                            "shared or per_task",
                            name_of(scenario)));
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

/// Where nobody knows the tasks, none can choose the outputs.
void check_task_free(Scenario scenario, Head head, bool labels_trick) {
  const auto refuse = [](const std::string& what) {
    throw Error(Fault::Config, "task_free = true: " + what);
  };
  if (scenario == Scenario::Task)
    refuse("scenario = task needs to know the task; use domain or class");
  if (head != Head::Shared)
    refuse(fmt::format("head = {} opens outputs when a task begins; use head = shared",
                       name_of(head)));
  if (labels_trick) refuse("labels_trick needs the task of every example; leave it at false");
}

/// One logit can only tell the first class of a task from its second.
void check_single(const TaskStream& stream, Head head, bool global) {
  if (global)
    throw Error(Fault::Config,
                fmt::format("head_outputs = single does not fit head = {}, whose outputs are all "
                            "classes of the data set; use scenario = task or domain with head = "
                            "shared, or per_task",
                            name_of(head)));
  for (int t = 0; t < stream.tasks(); ++t)
    if (const std::size_t classes = stream.classes(t).size(); classes != 2)
      throw Error(Fault::Config,
                  fmt::format("head_outputs = single needs tasks of two classes, but '{}' has {}; "
                              "use head_outputs = own",
                              stream.task_name(t), classes));
}

std::size_t at(int row, int column, int columns) {
  return static_cast<std::size_t>(row) * static_cast<std::size_t>(columns) +
         static_cast<std::size_t>(column);
}

}  // namespace

Targets::Targets(const TaskStream& stream, ScenarioOptions options)
    : scenario_(resolved(options.scenario, stream)),
      head_(resolved(options.head, scenario_, stream.task_free())),
      mask_training_(options.mask_training),
      labels_trick_(options.labels_trick),
      tasks_(stream.tasks()),
      labels_(stream.labels()) {
  check(scenario_, head_, stream);
  if (stream.task_free()) check_task_free(scenario_, head_, labels_trick_);
  // Outputs are global classes, or positions within the task, or labels of the data set.
  const bool global = scenario_ == Scenario::Class || head_ == Head::Masked;
  const bool by_label = head_ == Head::PerTask && options.head_outputs == HeadOutputs::All;
  const bool single = options.head_outputs == HeadOutputs::Single;
  if (single) check_single(stream, head_, global);
  int most = 0;
  for (int t = 0; t < tasks_; ++t)
    most = std::max(most, static_cast<int>(stream.classes(t).size()));
  width_ = global     ? labels_ * (stream.tasks_share_labels() ? tasks_ : 1)
           : by_label ? labels_
           : single   ? 1
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
      if (single) continue;  // no mask has a part in it
      own_mask_[at(t, target, width_)] = 1;
      for (int later = t; later < tasks_; ++later)
        seen_mask_[at(later, target, width_)] = 1;
    }
  }
}

std::span<const std::uint8_t> Targets::row(const std::vector<std::uint8_t>& masks,
                                           int index) const {
  ENGRAM_INVARIANT(index >= 0 && index < tasks_);
  return std::span(masks).subspan(at(index, 0, width_), static_cast<std::size_t>(width_));
}

std::span<const std::uint8_t> Targets::train_mask(int task, int tasks_seen) const {
  if (labels_trick_) return own_mask(task);
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
