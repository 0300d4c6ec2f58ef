// Expected values are worked out by hand from the definitions.
#include "exps/metrics.h"

#include <cmath>
#include <map>

#include <gtest/gtest.h>

#include "exps/summary.h"

namespace engram {
namespace {

using enum ForgettingDefinition;

//                   task 1  task 2  task 3
const Table kMatrix{{0.10, 0.20, 0.30},   // untrained
                    {0.90, 0.25, 0.35},   // after task 1
                    {0.70, 0.80, 0.40},   // after task 2
                    {0.60, 0.50, 0.95}};  // after task 3

RunRecord run_of(const Table& accuracy) {
  RunRecord run;
  run.accuracy = accuracy;
  for (std::size_t t = 0; t < accuracy.shape(1); ++t) {
    run.task_names.push_back(std::to_string(t));
    run.test_sizes.push_back(100 * static_cast<int>(t + 1));
  }
  return run;
}

double metric(const RunRecord& run, const std::string& name,
              ForgettingDefinition definition = Chaudhry) {
  for (const Metric& found : compute_metrics(run, definition))
    if (found.name == name) return found.value;
  ADD_FAILURE() << "no metric " << name;
  return kNotEvaluated;
}

double metric(const Table& accuracy, const std::string& name,
              ForgettingDefinition definition = Chaudhry) {
  return metric(run_of(accuracy), name, definition);
}

TEST(AverageAccuracy, IsTheMeanOfTheLastRow) {
  EXPECT_NEAR(metric(kMatrix, "average_accuracy"), (0.60 + 0.50 + 0.95) / 3, 1e-15);
}

TEST(SampleAccuracy, WeighsTasksByTestSize) {
  EXPECT_NEAR(metric(kMatrix, "sample_accuracy"), (0.60 * 1 + 0.50 * 2 + 0.95 * 3) / 6, 1e-15);
}

TEST(AverageIncrementalAccuracy, AveragesTheCurveOfSeenTasks) {
  const std::vector<double> curve = average_accuracy_curve(kMatrix);
  ASSERT_EQ(curve.size(), 3u);
  EXPECT_NEAR(curve[0], 0.90, 1e-15);
  EXPECT_NEAR(curve[1], 0.75, 1e-15);
  EXPECT_NEAR(curve[2], 2.05 / 3, 1e-15);
  EXPECT_NEAR(metric(kMatrix, "average_incremental_accuracy"), (0.90 + 0.75 + 2.05 / 3) / 3, 1e-15);
}

TEST(LearningAccuracy, IsTheMeanOfTheDiagonal) {
  EXPECT_NEAR(metric(kMatrix, "learning_accuracy"), (0.90 + 0.80 + 0.95) / 3, 1e-15);
}

TEST(BackwardTransfer, ComparesTheLastRowWithTheDiagonal) {
  EXPECT_NEAR(metric(kMatrix, "bwt"), ((0.60 - 0.90) + (0.50 - 0.80)) / 2, 1e-15);
}

TEST(ForwardTransfer, ComparesJustBeforeLearningWithTheUntrainedModel) {
  EXPECT_NEAR(metric(kMatrix, "fwt"), ((0.25 - 0.20) + (0.40 - 0.30)) / 2, 1e-15);
}

TEST(Forgetting, FollowsEachDefinition) {
  // Task 2 was better before it was learnt; task 1 recovers a little at the end.
  const Table r{{0.9, 0.9, 0.9}, {0.8, 0.7, 0.1}, {0.3, 0.6, 0.2}, {0.5, 0.65, 0.9}};
  EXPECT_NEAR(metric(r, "forgetting", Chaudhry), ((0.8 - 0.5) + (0.7 - 0.65)) / 2, 1e-15);
  EXPECT_NEAR(metric(r, "forgetting", Avalanche), ((0.8 - 0.5) + (0.6 - 0.65)) / 2, 1e-15);
  EXPECT_NEAR(metric(r, "forgetting", Mammoth), ((0.8 - 0.5) + (0.7 - 0.65)) / 2, 1e-15);
  EXPECT_NEAR(metric(r, "forgetting", Avalanche), -metric(r, "bwt"), 1e-15);
}

TEST(Forgetting, IsNegativeWhenTheLastRowIsTheBest) {
  const Table r{{0.1, 0.1, 0.1}, {0.5, 0.2, 0.1}, {0.6, 0.5, 0.1}, {0.9, 0.7, 0.5}};
  EXPECT_NEAR(metric(r, "forgetting", Chaudhry), ((0.6 - 0.9) + (0.5 - 0.7)) / 2, 1e-15);
  EXPECT_NEAR(metric(r, "forgetting", Avalanche), ((0.5 - 0.9) + (0.5 - 0.7)) / 2, 1e-15);
  EXPECT_EQ(metric(r, "forgetting", Mammoth), 0);
}

TEST(Forgetting, LeavesTheUntrainedModelOut) {
  const Table r{{1.0, 1.0}, {0.5, 0.2}, {0.4, 0.9}};
  for (const auto definition : {Chaudhry, Avalanche, Mammoth})
    EXPECT_NEAR(metric(r, "forgetting", definition), 0.1, 1e-15);
}

TEST(Forgetting, HasACurveThatEndsInTheMetric) {
  const std::vector<double> curve = forgetting_curve(kMatrix, Chaudhry);
  ASSERT_EQ(curve.size(), 3u);
  EXPECT_TRUE(std::isnan(curve[0]));
  EXPECT_NEAR(curve[1], 0.90 - 0.70, 1e-15);
  EXPECT_NEAR(curve[2], ((0.90 - 0.60) + (0.80 - 0.50)) / 2, 1e-15);
  EXPECT_EQ(curve[2], metric(kMatrix, "forgetting"));
}

/// Task 1 is met at experiences 1 and 3, task 2 at 2 and 4.
RunRecord repeated_run() {
  RunRecord run = run_of({{0.10, 0.20},    // untrained
                          {0.90, 0.30},    // after task 1
                          {0.50, 0.80},    // after task 2
                          {0.95, 0.60},    // after task 1 again
                          {0.40, 0.85}});  // after task 2 again
  run.order = {0, 1, 0, 1};
  return run;
}

TEST(Metrics, OfTasksThatComeBackLookAtTheirFirstAndLastVisits) {
  const RunRecord run = repeated_run();
  EXPECT_NEAR(metric(run, "average_accuracy"), (0.40 + 0.85) / 2, 1e-15);
  EXPECT_NEAR(metric(run, "sample_accuracy"), (0.40 * 100 + 0.85 * 200) / 300, 1e-15);
  EXPECT_NEAR(metric(run, "learning_accuracy"), (0.90 + 0.80) / 2, 1e-15);
  EXPECT_NEAR(metric(run, "average_incremental_accuracy"), (0.90 + 0.65 + 0.775 + 0.625) / 4,
              1e-15);
  EXPECT_NEAR(metric(run, "fwt"), 0.30 - 0.20, 1e-15);
  EXPECT_NEAR(metric(run, "bwt"), 0.40 - 0.95, 1e-15);  // task 2 has just been trained
  for (const auto definition : {Chaudhry, Avalanche, Mammoth})
    EXPECT_NEAR(metric(run, "forgetting", definition), 0.95 - 0.40, 1e-15);
  const std::vector<double> lost = forgetting_curve(run.accuracy, Chaudhry, run.order);
  ASSERT_EQ(lost.size(), 4u);
  EXPECT_TRUE(std::isnan(lost[0]));
  EXPECT_NEAR(lost[1], 0.90 - 0.50, 1e-15);
  EXPECT_NEAR(lost[2], 0.80 - 0.60, 1e-15);  // of task 2; task 1 has just been trained
  for (const Metric& m : compute_metrics(run, Chaudhry))
    EXPECT_EQ(m.definition.find("come back") != std::string::npos,
              m.name == "learning_accuracy" || m.name == "bwt" || m.name == "fwt" ||
                  m.name == "forgetting")
        << m.name;
}

TEST(Metrics, OfAnOrderWithoutRepetitionAreThoseWithoutAnOrder) {
  RunRecord run = run_of(kMatrix);
  run.order = {0, 1, 2};
  for (const auto definition : {Chaudhry, Avalanche, Mammoth})
    for (const Metric& m : compute_metrics(run_of(kMatrix), definition))
      EXPECT_EQ(metric(run, m.name, definition), m.value) << m.name;
}

TEST(ContinualMetrics, OfTasksThatComeBackLeaveTheTaskInTrainingOut) {
  RunRecord run = repeated_run();
  const double nan = kNotEvaluated;
  run.steps = {{0, 0, nan, {0.1, nan}},  {5, 0, 0.5, {0.85, nan}},   // experience 1
               {10, 1, 0.5, {0.6, 0.3}}, {15, 1, 0.5, {0.55, 0.7}},  // 2
               {20, 2, 0.5, {0.8, 0.5}}, {25, 2, 0.5, {0.9, 0.65}},  // 3
               {30, 3, 0.5, {0.45, 0.7}}};                           // 4
  // Task 1 after experience 1: lowest 0.45; task 2 after experience 2: lowest 0.5.
  EXPECT_NEAR(metric(run, "min_accuracy"), (0.45 + 0.5) / 2, 1e-15);
  EXPECT_NEAR(metric(run, "worst_case_accuracy"), 0.85 / 2 + 0.475 / 2, 1e-15);
  // Experience 2: task 1 from 0.85 to 0.55; 3: task 2 from 0.7 to 0.5; 4: task 1 from 0.9 to 0.45.
  EXPECT_NEAR(metric(run, "stability_gap"), (0.30 + 0.20 + 0.45) / 3, 1e-15);
}

TEST(Metrics, NeedOnlyTheCellsTheyUse) {
  Table seen = kMatrix;  // tasks not yet seen were not evaluated
  for (std::size_t i = 0; i < 4; ++i)
    for (std::size_t j = i; j < 3; ++j)
      seen(i, j) = kNotEvaluated;
  for (const char* name : {"average_accuracy", "sample_accuracy", "average_incremental_accuracy",
                           "learning_accuracy", "bwt", "forgetting"})
    EXPECT_EQ(metric(seen, name), metric(kMatrix, name)) << name;
  EXPECT_TRUE(std::isnan(metric(seen, "fwt")));
}

TEST(Metrics, OfJointTrainingAreNanExceptTheLastRow) {
  Table joint = kMatrix;
  for (std::size_t i = 1; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j)
      joint(i, j) = kNotEvaluated;
  EXPECT_EQ(metric(joint, "average_accuracy"), metric(kMatrix, "average_accuracy"));
  EXPECT_EQ(metric(joint, "sample_accuracy"), metric(kMatrix, "sample_accuracy"));
  for (const char* name :
       {"average_incremental_accuracy", "learning_accuracy", "bwt", "fwt", "forgetting"})
    EXPECT_TRUE(std::isnan(metric(joint, name))) << name;
  const std::vector<double> curve = average_accuracy_curve(joint);
  EXPECT_TRUE(std::isnan(curve[0]) && std::isnan(curve[1]));
  EXPECT_EQ(curve[2], metric(joint, "average_accuracy"));
}

TEST(Metrics, OfAnInterruptedRunAreNanButItsCurveIsNot) {
  Table half = kMatrix;
  for (std::size_t j = 0; j < 3; ++j)
    half(3, j) = kNotEvaluated;
  EXPECT_TRUE(std::isnan(metric(half, "average_accuracy")));
  EXPECT_TRUE(std::isnan(metric(half, "forgetting", Mammoth)));
  EXPECT_NEAR(average_accuracy_curve(half)[1], 0.75, 1e-15);
}

TEST(Metrics, OfASingleTaskHaveNoTransfer) {
  const Table r{{0.1}, {0.8}};
  EXPECT_EQ(metric(r, "average_accuracy"), 0.8);
  EXPECT_EQ(metric(r, "learning_accuracy"), 0.8);
  for (const char* name : {"bwt", "fwt", "forgetting"})
    EXPECT_TRUE(std::isnan(metric(r, name))) << name;
}

TEST(Metrics, OfAnEmptyRecordAreNan) {
  for (const Metric& found : compute_metrics(RunRecord{}, Chaudhry)) {
    EXPECT_TRUE(std::isnan(found.value)) << found.name;
    EXPECT_FALSE(found.definition.empty()) << found.name;
  }
}

/// Two probes in each of three experiences.
RunRecord run_with_steps() {
  RunRecord run = run_of(kMatrix);
  const double x = kNotEvaluated;
  run.steps = {{10, 0, 0.2, {0.50, x, x}},      {20, 0, 0.6, {0.90, x, x}},
               {30, 1, 0.4, {0.40, 0.60, x}},   {40, 1, 0.8, {0.70, 0.80, x}},
               {50, 2, 0.5, {0.55, 0.45, 0.7}}, {80, 2, 0.9, {0.60, 0.50, 0.9}}};
  return run;
}

TEST(MinAccuracy, IsTheLowestAfterTheTasksOwnExperience) {
  EXPECT_NEAR(metric(run_with_steps(), "min_accuracy"), (0.40 + 0.45) / 2, 1e-15);
}

TEST(WorstCaseAccuracy, JoinsTheLastTaskWithTheWorstOfTheOthers) {
  EXPECT_NEAR(metric(run_with_steps(), "worst_case_accuracy"),
              0.95 / 3 + (2.0 / 3) * (0.40 + 0.45) / 2, 1e-15);
}

TEST(StabilityGap, IsTheDepthOfTheDropAfterEachSwitch) {
  const double after_first = 0.90 - 0.40, task1 = 0.70 - 0.55, task2 = 0.80 - 0.45;
  EXPECT_NEAR(metric(run_with_steps(), "stability_gap"), (after_first + task1 + task2) / 3, 1e-15);
}

TEST(PrequentialAccuracy, WeighsRowsByTheStepsTheyCover) {
  EXPECT_NEAR(metric(run_with_steps(), "prequential_accuracy"),
              (10 * (0.2 + 0.6 + 0.4 + 0.8 + 0.5) + 30 * 0.9) / 80, 1e-15);
}

TEST(AverageAnytimeAccuracy, AveragesOverSeenTasksThenOverProbes) {
  EXPECT_NEAR(metric(run_with_steps(), "average_anytime_accuracy"),
              (0.50 + 0.90 + 0.50 + 0.75 + 1.70 / 3 + 2.00 / 3) / 6, 1e-15);
}

TEST(ContinualMetrics, AppearOnlyWhenSomethingWasRecorded) {
  EXPECT_EQ(compute_metrics(run_of(kMatrix), Chaudhry).size(), 7u);
  EXPECT_EQ(compute_metrics(run_with_steps(), Chaudhry).size(), 12u);
}

TEST(ContinualMetrics, AreNanWhereProbesAreMissing) {
  RunRecord run = run_with_steps();
  run.steps[4].probe_accuracy[0] = kNotEvaluated;
  EXPECT_TRUE(std::isnan(metric(run, "min_accuracy")));
  EXPECT_TRUE(std::isnan(metric(run, "worst_case_accuracy")));
  EXPECT_TRUE(std::isnan(metric(run, "stability_gap")));
  run = run_with_steps();
  run.steps.resize(4);  // nothing was probed during the last experience
  EXPECT_TRUE(std::isnan(metric(run, "min_accuracy")));
  EXPECT_FALSE(std::isnan(metric(run, "average_anytime_accuracy")));
}

TEST(ContinualMetrics, OfASingleTaskKnowNoMinimumButAWorstCase) {
  RunRecord run = run_of(Table{{0.1}, {0.8}});
  run.steps = {{10, 0, 0.5, {0.7}}};
  EXPECT_TRUE(std::isnan(metric(run, "min_accuracy")));
  EXPECT_EQ(metric(run, "worst_case_accuracy"), 0.8);
}

TEST(UsageOverlap, IsTheWeightedJaccardIndex) {
  const xt::xtensor<std::uint32_t, 2> usage{{10, 0, 5}, {10, 10, 0}, {0, 40, 0}};
  const Table overlap = usage_overlap(usage, {10, 10, 40});
  // Frequencies: (1, 0, .5), (1, 1, 0), (0, 1, 0).
  EXPECT_DOUBLE_EQ(overlap(0, 0), 1);
  EXPECT_DOUBLE_EQ(overlap(0, 1), 1 / 2.5);
  EXPECT_DOUBLE_EQ(overlap(0, 2), 0);
  EXPECT_DOUBLE_EQ(overlap(1, 2), 0.5);
  EXPECT_DOUBLE_EQ(overlap(2, 1), overlap(1, 2));
}

TEST(UsageOverlap, IsNanForTasksThatWereNotEvaluated) {
  const xt::xtensor<std::uint32_t, 2> usage{{3, 1}, {0, 0}, {1, 1}};
  const Table overlap = usage_overlap(usage, {4, 4, 0});
  EXPECT_EQ(overlap(0, 0), 1);
  for (std::size_t t = 0; t < 3; ++t) {
    EXPECT_TRUE(std::isnan(overlap(1, t)) && std::isnan(overlap(t, 1)));
    EXPECT_TRUE(std::isnan(overlap(2, t)) && std::isnan(overlap(t, 2)));  // no inputs
  }
}

TEST(Summary, AgreesWithTextbookStudentT) {
  // t(0.975) from tables: 12.706 (1), 2.776 (4), 2.262 (9 degrees of freedom).
  const std::map<int, double> quantiles{{2, 12.706}, {5, 2.776}, {10, 2.262}};
  for (const auto& [n, t] : quantiles) {
    std::vector<double> values;
    for (int i = 1; i <= n; ++i)
      values.push_back(i);
    const Summary s = summarise(values);
    const double sd = std::sqrt(n * (n + 1) / 12.0);  // of 1..n
    EXPECT_EQ(s.n, n);
    EXPECT_NEAR(s.mean, (n + 1) / 2.0, 1e-12);
    EXPECT_NEAR(s.sd, sd, 1e-12);
    EXPECT_NEAR(s.ci95, t * sd / std::sqrt(n), 1e-3 * sd);
  }
}

TEST(Summary, LeavesNansOutAndKnowsItsLimits) {
  const Summary s = summarise({1, kNotEvaluated, 3});
  EXPECT_EQ(s.n, 2);
  EXPECT_EQ(s.mean, 2);
  EXPECT_NEAR(s.sd, std::sqrt(2.0), 1e-15);
  const Summary single = summarise({4, kNotEvaluated});
  EXPECT_EQ(single.mean, 4);
  EXPECT_TRUE(std::isnan(single.sd) && std::isnan(single.ci95));
  EXPECT_EQ(summarise({}).n, 0);
  EXPECT_TRUE(std::isnan(summarise({kNotEvaluated}).mean));
}

}  // namespace
}  // namespace engram
