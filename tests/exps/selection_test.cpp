// Which point a protocol chooses, on matrices made by hand, and what is recorded of it.
#include "exps/sweep/selection.h"

#include <gtest/gtest.h>

#include "exps/sweep/judged.h"
#include "exps/sweep/selection_record.h"
#include "exps/sweep/sweep_settings.h"
#include "tests/exps/sample_run.h"
#include "tests/utils/error_of.h"

namespace engram {
namespace {

/// A run of two tasks with the accuracies [[-, -], [r11, -], [r21, r22]].
RunRecord run_of(double r11, double r21, double r22, std::uint64_t seed = 100) {
  RunRecord run = sample_run("hand", 2, seed);
  run.accuracy.fill(kNotEvaluated);
  run.accuracy(1, 0) = r11, run.accuracy(2, 0) = r21, run.accuracy(2, 1) = r22;
  run.task_seconds = {2, 3}, run.evaluate_seconds = {1, 1, 1};
  run.train_macs = {100, 400}, run.test_macs = {10, 40};
  return run;
}

JudgedPoint point_of(const std::vector<RunRecord>& runs, const std::string& metric,
                     const std::string& value = "") {
  JudgedPoint point{.values = {value}, .folder = "hand", .wanted = runs.size()};
  for (const RunRecord& run : runs)
    point.runs.push_back(judge(run, ForgettingDefinition::Chaudhry, metric));
  return point;
}

// The first forgets (diagonal 0.9, end 0.6), the second is slow and steady (diagonal 0.8, end 0.8).
std::vector<JudgedPoint> fast_and_steady(const std::string& metric) {
  return {point_of({run_of(0.9, 0.3, 0.9)}, metric, "no"),
          point_of({run_of(0.8, 0.8, 0.8)}, metric, "yes")};
}

TEST(Selection, ByAllTasksAtTheEndTakesTheSteadyOne) {
  const auto points = fast_and_steady(selection_metric(Selection::Oracle, "average_accuracy"));
  EXPECT_NEAR(points[0].score().mean, 0.6, 1e-12);
  EXPECT_NEAR(points[1].score().mean, 0.8, 1e-12);
  EXPECT_EQ(best_point(points, 1), 1u);
}

TEST(Selection, ByEachTaskJustLearntTakesTheFastOne) {
  const auto points = fast_and_steady(selection_metric(Selection::PerTask, "average_accuracy"));
  EXPECT_NEAR(points[0].score().mean, 0.9, 1e-12);
  EXPECT_NEAR(points[1].score().mean, 0.8, 1e-12);
  EXPECT_EQ(best_point(points, 1), 0u);
}

TEST(Selection, MayGiveUpALittleForThePointThatIsWrittenFirst) {
  auto points = fast_and_steady("learning_accuracy");
  std::swap(points[0], points[1]);  // steady first: 0.8 of 0.9 is a loss of 0.111
  EXPECT_EQ(best_point(points, 1, 0.12), 0u);
  EXPECT_EQ(best_point(points, 1, 0.10), 1u);
  EXPECT_EQ(best_point(points, 1, 0), 1u);
}

TEST(Selection, MayGiveUpALittleWhereLessIsBetter) {
  const std::vector<JudgedPoint> points{point_of({run_of(0.9, 0.68, 0.9)}, "forgetting"),   // 0.22
                                        point_of({run_of(0.9, 0.70, 0.9)}, "forgetting")};  // 0.20
  EXPECT_EQ(best_point(points, -1, 0.11), 0u);
  EXPECT_EQ(best_point(points, -1, 0.09), 1u);
}

TEST(Selection, GoesByTheMeanOverTheSeeds) {
  const std::vector<JudgedPoint> points{
      point_of({run_of(0.5, 0.9, 0.9), run_of(0.5, 0.5, 0.5, 101)}, "average_accuracy"),
      point_of({run_of(0.5, 0.8, 0.8), run_of(0.5, 0.7, 0.7, 101)}, "average_accuracy")};
  EXPECT_NEAR(points[0].score().mean, 0.7, 1e-12);
  EXPECT_NEAR(points[1].score().mean, 0.75, 1e-12);
  EXPECT_NEAR(points[1].score().sd, 0.1 / std::sqrt(2.0), 1e-12);
  EXPECT_EQ(best_point(points, 1), 1u);
}

TEST(Selection, KnowsThatLessForgettingIsBetter) {
  const auto points = fast_and_steady("forgetting");
  EXPECT_NEAR(points[0].score().mean, 0.6, 1e-12);
  EXPECT_EQ(best_point(points, -1), 1u);
}

TEST(Selection, PassesOverPointsThatLackARunOrAScore) {
  auto points = fast_and_steady("average_accuracy");
  points[1].wanted = 2;
  points[1].failures = {{101, "the loss is nan"}};
  EXPECT_EQ(best_point(points, 1), 0u);
  points[0].runs[0].score = kNotEvaluated;
  EXPECT_EQ(best_point(points, 1), points.size());
}

TEST(Selection, TakesTheFirstOfEquals) {
  const std::vector<JudgedPoint> points(3, fast_and_steady("average_accuracy")[0]);
  EXPECT_EQ(best_point(points, 1), 0u);
}

TEST(Selection, CountsWhatItCost) {
  auto points = fast_and_steady("average_accuracy");
  points[1].failures = {{101, "the loss is nan"}};
  const SearchCost cost = cost_of(points);
  EXPECT_EQ(cost.runs, 2u);
  EXPECT_EQ(cost.failed, 1u);
  EXPECT_EQ(cost.seconds, 16);
  EXPECT_EQ(cost.multiply_adds, 220);
  // Rows that were not tested took no time.
  RunRecord run = run_of(0.5, 0.5, 0.5);
  run.evaluate_seconds[1] = kNotEvaluated;
  EXPECT_EQ(judge(run, ForgettingDefinition::Chaudhry, "average_accuracy").seconds, 7);
}

TEST(Grid, IsOfOptionsByAnyOfTheirNames) {
  EXPECT_NO_THROW(check_axis(parse_grid_axis("epochs=1,2")));
  EXPECT_NO_THROW(check_axis(parse_grid_axis("train_ep=1,2")));
  const auto why = [](const std::string& axis) {
    return error_of([&] { check_axis(parse_grid_axis(axis)); }, Fault::Usage);
  };
  EXPECT_NE(why("epoch=1,2").find("did you mean 'epochs'?"), std::string::npos) << why("epoch=1,2");
  const std::string lambda = why("lambda=1,2");
  for (const char* one : {"ewc.lambda", "lwf.lambda", "l2_init.lambda"})
    EXPECT_NE(lambda.find(one), std::string::npos) << lambda;
  EXPECT_NE(why("selection=oracle").find("no option"), std::string::npos);
  EXPECT_NE(why("qqqqqqqq=1").find("engram list options"), std::string::npos);
}

Settings settings_with(Selection protocol,
                       std::vector<std::pair<std::string, std::string>> more = {}) {
  Config c;
  c.set("selection", std::string(name_of(protocol)), "x.cfg:1");
  for (const auto& [key, value] : more)
    c.set(key, value, "x.cfg:2");
  return read_settings("x", std::move(c));
}
using Changes = std::vector<std::pair<std::string, std::string>>;

TEST(Selection, LooksAtNoTestUnlessItSaysSo) {
  const Changes validation{{"evaluate_validation", "yes"}, {"validation", "0.1"}};
  EXPECT_EQ(selection_settings(settings_with(Selection::Oracle), 10), validation);
  EXPECT_EQ(selection_settings(settings_with(Selection::PerTask), 10), validation);
  Changes first = validation;
  first.emplace_back("first_tasks", "3");
  EXPECT_EQ(selection_settings(settings_with(Selection::FirstTasks), 10), first);
  EXPECT_EQ(selection_settings(settings_with(Selection::OracleTest), 10), Changes{});
  EXPECT_EQ(selection_settings(settings_with(Selection::None), 10), Changes{});
  EXPECT_EQ(selection_settings(settings_with(Selection::Oracle, {{"validation", "0.2"}}), 10),
            (Changes{{"evaluate_validation", "yes"}}));
  EXPECT_TRUE(tunes_on_test(Selection::OracleTest));
  EXPECT_FALSE(tunes_on_test(Selection::Oracle));
}

TEST(Selection, RefusesWhatCannotBeSound) {
  EXPECT_NE(error_of([] {
              selection_settings(settings_with(Selection::FirstTasks), 3);
            }).find("selection_tasks = 3 of 3"),
            std::string::npos);
  EXPECT_NE(error_of([] {
              selection_settings(settings_with(Selection::Oracle, {{"evaluate_validation", "yes"},
                                                                   {"validation", "0.1"}}),
                                 10);
            }).find("evaluate_validation"),
            std::string::npos);
  EXPECT_NE(error_of([] {
              selection_settings(settings_with(Selection::PerTask, {{"benchmark", "drive"}}), 4);
            }).find("oracle_test"),
            std::string::npos);
}

SelectionRecord record_of(Selection protocol) {
  SelectionRecord record{.experiment = "hand",
                         .metric = "average_accuracy",
                         .seeds = {100},
                         .grid = {{"steady", {"no", "yes"}, ""}},
                         .points = fast_and_steady("average_accuracy"),
                         .chosen = 1};
  record.options.selection = protocol;
  return record;
}

std::string fact(const Facts& facts, const std::string& name) {
  for (const auto& [known, text] : facts)
    if (known == name) return text;
  return "?";
}

TEST(SelectionRecord, SaysWhatWasChosenByWhatAtWhichCost) {
  const Facts facts = selection_facts(record_of(Selection::Oracle));
  EXPECT_EQ(fact(facts, "selection"), "oracle");
  EXPECT_EQ(fact(facts, "selection_choice"), "steady = yes");
  EXPECT_EQ(fact(facts, "selection_points"), "2");
  EXPECT_EQ(fact(facts, "tuned_on_test"), "no");
  EXPECT_NE(fact(facts, "selection_cost").find("2 runs"), std::string::npos);
  EXPECT_EQ(fact(selection_facts(record_of(Selection::OracleTest)), "tuned_on_test"), "yes");

  const nlohmann::json json = selection_json(record_of(Selection::OracleTest));
  EXPECT_EQ(json["format"], "engram selection");
  EXPECT_EQ(json["chosen"], 1);
  EXPECT_TRUE(json["tuned_on_test"]);
  EXPECT_EQ(json["cost"]["runs"], 2);
  EXPECT_EQ(json["points"].size(), 2u);
  EXPECT_NEAR(json["points"][0]["score"]["mean"].get<double>(), 0.6, 1e-12);
}

TEST(SelectionRecord, IsShownWithTheResults) {
  RunRecord run = run_of(0.8, 0.8, 0.8);
  EXPECT_EQ(selection_lines(run), "");
  for (const auto& f : selection_facts(record_of(Selection::OracleTest)))
    run.provenance.push_back(f);
  EXPECT_NE(selection_lines(run).find("TUNED ON TEST"), std::string::npos);
}

TEST(SelectionRecord, IsNotedWhereTwoWereChosenDifferently) {
  const auto experiment = [](const std::string& label, std::optional<Selection> protocol) {
    ExperimentRuns e{.label = label, .runs = {run_of(0.8, 0.8, 0.8)}};
    if (protocol)
      for (const auto& f : selection_facts(record_of(*protocol)))
        e.runs[0].provenance.push_back(f);
    return e;
  };
  EXPECT_TRUE(selection_notes({experiment("a", {}), experiment("b", {})}).empty());
  EXPECT_TRUE(
      selection_notes({experiment("a", Selection::Oracle), experiment("b", Selection::Oracle)})
          .empty());
  EXPECT_EQ(selection_notes({experiment("a", Selection::Oracle), experiment("b", {})}).size(), 2u);
  const auto notes = selection_notes(
      {experiment("a", Selection::OracleTest), experiment("b", Selection::OracleTest)});
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_NE(notes[0].find("tuned on test: a, b"), std::string::npos) << notes[0];
}

}  // namespace
}  // namespace engram
