#include "learners/schedule.h"

#include <gtest/gtest.h>

namespace engram {
namespace {

TEST(Schedule, ConstantStaysAtOne) {
  EXPECT_EQ(schedule_factor({}, 0, 100, 0), 1);
  EXPECT_EQ(schedule_factor({}, 99, 100, 9), 1);
}
TEST(Schedule, LinearAndCosineEndAtTheFinalFraction) {
  for (const Schedule kind : {Schedule::Linear, Schedule::Cosine}) {
    const ScheduleOptions o{.schedule = kind, .lr_final = 0.1};
    EXPECT_DOUBLE_EQ(schedule_factor(o, 0, 101, 0), 1);
    EXPECT_DOUBLE_EQ(schedule_factor(o, 100, 101, 9), 0.1);
    EXPECT_NEAR(schedule_factor(o, 50, 101, 5), 0.55, 1e-12);
  }
}
TEST(Schedule, StepsAfterTheLastHaveItsFactor) {
  for (const Schedule kind : {Schedule::Linear, Schedule::Cosine})
    for (const double end : {0., 0.1}) {
      const ScheduleOptions o{.schedule = kind, .lr_final = end, .schedule_hold = 0.2};
      for (const long step : {101, 150, 1000})
        EXPECT_NEAR(schedule_factor(o, step, 101, 9), end, 1e-12) << step;
    }
}
TEST(Schedule, InverseSqrtFallsWithTheRootOfTheSteps) {
  const ScheduleOptions o{.schedule = Schedule::InverseSqrt};
  EXPECT_DOUBLE_EQ(schedule_factor(o, 0, 100, 0), 1);
  EXPECT_DOUBLE_EQ(schedule_factor(o, 3, 100, 0), 0.5);
  EXPECT_DOUBLE_EQ(schedule_factor(o, 99, 100, 5), 0.1);
  const ScheduleOptions warm{.schedule = Schedule::InverseSqrt, .warmup_steps = 10};
  EXPECT_DOUBLE_EQ(schedule_factor(warm, 10, 100, 0), 1);
  EXPECT_DOUBLE_EQ(schedule_factor(warm, 13, 100, 0), 0.5);
  ScheduleOptions run = o;
  EXPECT_DOUBLE_EQ(schedule_factor(run, 3, 100, 0, 96), 0.5) << "anew with every task";
  run.sqrt_of = StepsOf::Run;
  EXPECT_DOUBLE_EQ(schedule_factor(run, 3, 100, 0, 96), 0.1);
}
TEST(Schedule, HoldsTheFullRateForAShareOfTheStepsFirst) {
  for (const Schedule kind : {Schedule::Linear, Schedule::Cosine}) {
    const ScheduleOptions o{.schedule = kind, .lr_final = 0.2, .schedule_hold = 0.6};
    for (const long step : {0, 30, 60})
      EXPECT_DOUBLE_EQ(schedule_factor(o, step, 101, 0), 1) << step;
    EXPECT_LT(schedule_factor(o, 61, 101, 0), 1);
    // Then it falls as it otherwise would over all steps.
    const ScheduleOptions whole{.schedule = kind, .lr_final = 0.2};
    for (const long step : {65, 80, 97})
      EXPECT_NEAR(schedule_factor(o, step, 101, 0), schedule_factor(whole, step - 60, 41, 0),
                  1e-12);
    EXPECT_NEAR(schedule_factor(o, 80, 101, 0), 0.6, 1e-12);
    EXPECT_NEAR(schedule_factor(o, 100, 101, 0), 0.2, 1e-12);
  }
  const ScheduleOptions o{.schedule_hold = 0.5};
  EXPECT_EQ(schedule_factor(o, 99, 100, 0), 1);  // constant stays constant
}
TEST(Schedule, HoldsAfterWarmingUp) {
  const ScheduleOptions o{.schedule = Schedule::Linear, .schedule_hold = 0.5, .warmup_steps = 10};
  EXPECT_LT(schedule_factor(o, 9, 111, 0), 1);
  EXPECT_DOUBLE_EQ(schedule_factor(o, 60, 111, 0), 1);
  EXPECT_NEAR(schedule_factor(o, 85, 111, 0), 0.5, 1e-12);
  EXPECT_NEAR(schedule_factor(o, 110, 111, 0), 0, 1e-12);
}
TEST(Schedule, StepsDownEverySoManyEpochs) {
  const ScheduleOptions o{.schedule = Schedule::Step, .step_epochs = 3, .step_factor = 0.5};
  EXPECT_EQ(schedule_factor(o, 5, 100, 2), 1);
  EXPECT_EQ(schedule_factor(o, 5, 100, 3), 0.5);
  EXPECT_EQ(schedule_factor(o, 5, 100, 6), 0.25);
}
TEST(Schedule, WarmsUpLinearly) {
  const ScheduleOptions o{.warmup_steps = 3};
  EXPECT_DOUBLE_EQ(schedule_factor(o, 0, 10, 0), 0.25);
  EXPECT_DOUBLE_EQ(schedule_factor(o, 2, 10, 0), 0.75);
  EXPECT_DOUBLE_EQ(schedule_factor(o, 3, 10, 0), 1);
}

}  // namespace
}  // namespace engram
