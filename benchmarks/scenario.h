// Three settings that papers blur, kept apart: the stream (what the data do), the scenario (what
// the network must tell apart) and the head (which outputs it has and which of them compete).
// Here they become target numbers, an output width and masks.
// Scenarios after van de Ven and Tolias 2019 (arXiv 1904.07734).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "benchmarks/stream.h"
#include "utils/options.h"

namespace engram {

enum class Scenario { Task, Domain, Class };
enum class Head { Shared, Masked, PerTask };
enum class HeadOutputs { Own, All, Single };

template <>
struct Choices<Scenario> {
  static constexpr std::array<std::string_view, 3> names{"task", "domain", "class"};
};
template <>
struct Choices<Head> {
  static constexpr std::array<std::string_view, 3> names{"shared", "masked", "per_task"};
};
template <>
struct Choices<HeadOutputs> {
  static constexpr std::array<std::string_view, 3> names{"own", "all", "single"};
};

struct ScenarioOptions {
  std::optional<Scenario> scenario{};
  std::optional<Head> head{};
  HeadOutputs head_outputs = HeadOutputs::Own;
  bool mask_training = true, labels_trick = false;

  template <class V>
  void describe(V&& v) {
    v("scenario", scenario,
      "what is told apart at test: classes within a known task, the position within an unknown "
      "task, or all classes; auto: domain for permuted and rotated, task for the others, class for "
      "those if the stream is task_free");
    v("head", head,
      "one output layer for all; one under a mask; or one per task; auto: shared for domain, "
      "masked for class (shared if task_free), per_task for task");
    v("head_outputs", head_outputs,
      "own: as many as a task has classes; all: per_task heads with every label of the data set; "
      "single: tasks of two classes share one logit, above 0 for the second (needs loss = bce or "
      "mse)");
    v("mask_training", mask_training,
      "masked head: false lets all outputs compete in training and masks only at test");
    v("labels_trick", labels_trick,
      "in training the classes of an example's own task compete alone, whatever does at test (Zeno "
      "et al. 2018)");
  }
};

/// Targets, widths and masks of one stream under one setting. Keeps nothing of the stream.
class Targets {
 public:
  /// Throws Error(Config) with a hint for domain with masked, for per_task without task, for a
  /// single output where tasks do not have two classes or outputs are classes of the data set, and
  /// for tasks over the same images when the task is not known, and for whatever needs the task in
  /// a task-free stream.
  Targets(const TaskStream& stream, ScenarioOptions options);

  Scenario scenario() const { return scenario_; }  ///< resolved, never auto
  Head head() const { return head_; }              ///< resolved, never auto
  int tasks() const { return tasks_; }
  int width() const { return width_; }  ///< outputs of each head; 1: a logit for targets 0 and 1
  int heads() const { return head_ == Head::PerTask ? tasks_ : 1; }

  /// The output that stands for a label of a task. The label must occur in the task.
  int target(int task, int label) const {
    return target_[static_cast<std::size_t>(task) * static_cast<std::size_t>(labels_) +
                   static_cast<std::size_t>(label)];
  }

  /// Which outputs [width] compete (1) or are shut off (0) while training on an example of `task`
  /// in a phase that has met `tasks_seen` tasks (the current one included). Empty: all compete.
  std::span<const std::uint8_t> train_mask(int task, int tasks_seen) const;
  /// The same while testing `task` after `tasks_seen` tasks have been trained.
  std::span<const std::uint8_t> test_mask(int task, int tasks_seen) const;
  /// [width]: 1 for the outputs of the task's own classes.
  std::span<const std::uint8_t> own_mask(int task) const { return row(own_mask_, task); }
  /// False when the result would mean nothing (NaN in the matrix): the head of a task not trained
  /// yet, or classes that the mask still shuts off.
  bool can_test(int task, int tasks_seen) const;

 private:
  std::span<const std::uint8_t> row(const std::vector<std::uint8_t>& masks, int index) const;

  Scenario scenario_ = Scenario::Domain;
  Head head_ = Head::Shared;
  bool mask_training_ = true, labels_trick_ = false;
  int tasks_ = 0, labels_ = 0, width_ = 0;
  std::vector<std::int32_t> target_;     ///< [tasks][labels], -1 where the label is not in the task
  std::vector<std::uint8_t> own_mask_;   ///< [tasks][width]: the task's own outputs
  std::vector<std::uint8_t> seen_mask_;  ///< [tasks][width]: outputs of tasks 0..t
};

}  // namespace engram
