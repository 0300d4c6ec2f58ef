#include "learners/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace engram {
namespace {

/// Share of the present fall that is over (SGDR: Loshchilov & Hutter 2017).
double restarted(const ScheduleOptions& o, int epoch) {
  int length = o.restart_epochs;
  for (; epoch >= length; length *= o.restart_factor)
    epoch -= length;
  return static_cast<double>(epoch) / length;
}

double cosine(const ScheduleOptions& o, double done) {
  return o.lr_final + (1 - o.lr_final) * (1 + std::cos(std::numbers::pi * done)) / 2;
}

}  // namespace

double schedule_factor(const ScheduleOptions& o, long step, long steps, int epoch, long before) {
  if (step < o.warmup_steps) return static_cast<double>(step + 1) / (o.warmup_steps + 1);
  const long rest = steps - o.warmup_steps;
  const auto past = static_cast<double>(step - o.warmup_steps);
  const double share = rest > 1 ? std::min(1., past / static_cast<double>(rest - 1)) : 0;
  const double done = std::max(0., share - o.schedule_hold) / (1 - o.schedule_hold);
  switch (o.schedule) {
    case Schedule::Constant:
      return 1;
    case Schedule::Linear:
      return 1 + (o.lr_final - 1) * done;
    case Schedule::Cosine:
      return cosine(o, done);
    case Schedule::CosineRestarts:  // moves from epoch to epoch
      return cosine(o, restarted(o, epoch));
    case Schedule::Step:
      return std::pow(o.step_factor, o.step_at.empty()
                                         ? epoch / o.step_epochs
                                         : std::count_if(o.step_at.begin(), o.step_at.end(),
                                                         [epoch](int at) { return epoch >= at; }));
    case Schedule::InverseSqrt:
      return 1 / std::sqrt(static_cast<double>(step - o.warmup_steps + 1 +
                                               (o.sqrt_of == StepsOf::Run ? before : 0)));
  }
  return 1;
}

}  // namespace engram
