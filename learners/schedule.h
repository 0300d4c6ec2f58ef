// How the learning rate moves within the training of one task.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "utils/options.h"

namespace engram {

enum class Schedule { Constant, Linear, Cosine, Step, CosineRestarts, InverseSqrt };
template <>
struct Choices<Schedule> {
  static constexpr std::array<std::string_view, 6> names{
      "constant", "linear", "cosine", "step", "cosine_restarts", "inverse_sqrt"};
};

/// What the steps are counted from.
enum class StepsOf { Task, Run };
template <>
struct Choices<StepsOf> {
  static constexpr std::array<std::string_view, 2> names{"task", "run"};
};

struct ScheduleOptions {
  Schedule schedule = Schedule::Constant;
  double lr_final = 0, schedule_hold = 0;
  int warmup_steps = 0;
  int step_epochs = 10;
  std::vector<int> step_at;
  double step_factor = 0.1;
  int restart_epochs = 10, restart_factor = 1;
  StepsOf sqrt_of = StepsOf::Task;

  template <class V>
  void describe(V&& v) {
    v("schedule", schedule, "learning rate over the epochs of a task; starts anew with every task");
    v("lr_final", lr_final, Range::at_least(0),
      "linear, cosine, cosine_restarts: fraction of lr at the end; above 1 the rate rises");
    v("schedule_hold", schedule_hold, Range::at_least(0).below(1),
      "linear, cosine: share of the steps at the full rate before it falls");
    v("warmup_steps", warmup_steps, Range::at_least(0),
      "the rate rises linearly over so many steps first");
    v("step_epochs", step_epochs, Range::at_least(1), "step: epochs between drops");
    v("step_at", step_at, Range::at_least(1),
      "step: epochs before which it drops, e.g. 50, 75; overrides step_epochs");
    v("step_factor", step_factor, Range::above(0).at_most(1),
      "step: the rate is multiplied by this");
    v("restart_epochs", restart_epochs, Range::at_least(1),
      "cosine_restarts: epochs of the first fall, at whose end the rate is lr again");
    v("restart_factor", restart_factor, Range::at_least(1),
      "cosine_restarts: every fall is so many times as long as the one before");
    v("sqrt_of", sqrt_of,
      "inverse_sqrt: lr over the root of the number of the step in its task, or in the run");
  }
};

/// Factor on the learning rate at step `step` (0-based) of `steps` of a task, in epoch `epoch`;
/// `before`: steps of the run before the task. Falls over the steps of a task end with the last.
double schedule_factor(const ScheduleOptions&, long step, long steps, int epoch, long before = 0);

}  // namespace engram
