// Whole runs over phases that are not one task after the other.
#include <fstream>

#include <gmock/gmock.h>

#include "exps/analysis/results_json.h"
#include "exps/export/export.h"
#include "exps/results_file.h"
#include "exps/show_results.h"
#include "tests/exps/tiny_run.h"
#include "tests/utils/temp_folder.h"
#include "utils/error.h"
#include "utils/h5.h"

namespace engram {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

const Keys kRepeated{{"task_order", "0, 1, 0, 2"}, {"repeats", "2"}, {"hidden_units", "40"}};

RunRecord run_of(const Keys& keys, const TempFolder& folder, std::uint64_t seed = 1) {
  const RunFiles files{folder.path(), seed};
  run_tiny(keys, files);
  return load_results(files.results());
}

std::string refusal(const Keys& keys) {
  try {
    TempFolder folder;
    const Settings s = tiny_settings(keys);
    execute_run(s, tiny_data(), {.files = {folder.path(), 0}});
  } catch (const Error& e) {
    EXPECT_EQ(e.fault(), Fault::Config) << e.what();
    return e.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

TEST(RepeatedTasks, FillARowForEveryPhase) {
  TempFolder folder;
  const RunRecord run = run_of(with(kRepeated, {{"representation_examples", "60"},
                                                {"receptive_fields", "4"},
                                                {"attributions", "3"},
                                                {"probe_every", "5"}}),
                               folder);
  EXPECT_THAT(run.order, ElementsAre(0, 1, 0, 2, 0, 1, 0, 2));
  ASSERT_EQ(run.accuracy.shape(0), 9u);
  ASSERT_EQ(run.accuracy.shape(1), 3u);
  EXPECT_EQ(run.task_seconds.size(), 8u);
  EXPECT_EQ(run.evaluate_seconds.size(), 9u);
  EXPECT_EQ(run.epochs.back().experience, 7);
  for (std::size_t row = 0; row < 9; ++row)
    for (std::size_t task = 0; task < 3; ++task)
      EXPECT_FALSE(std::isnan(run.accuracy(row, task))) << row << " " << task;
  // What comes back is learnt again: the task of the row is better than just before.
  for (const std::size_t row : {5u, 6u})
    EXPECT_GT(run.accuracy(row, static_cast<std::size_t>(run.order[row - 1])),
              run.accuracy(row - 1, static_cast<std::size_t>(run.order[row - 1])));
  const RepresentationRecord& features = run.representations.front();
  ASSERT_EQ(features.drift.shape(0), 9u);
  EXPECT_TRUE(std::isnan(features.drift(3, 2)));  // its first phase is the fourth
  EXPECT_LT(features.drift(5, 0), 1e-6);          // just learnt, again
  EXPECT_GT(features.drift(6, 0), 1e-6);
  EXPECT_THAT(run.pictures.front().moments.back(),
              testing::StartsWith("after phase 8, permutation 2"));
  EXPECT_TRUE(std::isnan(run.steps.front().probe_accuracy[1]));
  EXPECT_FALSE(std::isnan(run.steps.back().probe_accuracy[2]));
}

TEST(RepeatedTasks, GoOnAfterAnInterruptionToTheSameBits) {
  TempFolder one, two;
  const Keys keys = with(kRepeated, {{"repeat_data", "parts"}, {"batch_size", "10"}});
  run_tiny(keys, {one.path(), 2});
  run_tiny_in_two(keys, {two.path(), 2}, 50);
  const auto a = load_results(RunFiles{one.path(), 2}.results());
  const auto b = load_results(RunFiles{two.path(), 2}.results());
  expect_same_numbers(a, b);
  EXPECT_EQ(a.order, b.order);
}

TEST(RepeatedTasks, AreShownAndExportedByPhase) {
  TempFolder folder;
  const RunRecord run = run_of(kRepeated, folder);
  const std::string shown = show_experiment({run}, ForgettingDefinition::Chaudhry, false, 100);
  EXPECT_THAT(shown, AllOf(HasSubstr("after 8 permutation 2"), HasSubstr("after 5 permutation 0")));
  ResultsSet set;
  ExperimentRuns e;
  e.label = "tiny", e.runs = {run};
  set.experiments.push_back(e);
  const auto json = results_json(set, {});
  EXPECT_EQ(json["experiments"][0]["runs"][0]["order"].size(), 8u);
  EXPECT_EQ(json["experiments"][0]["runs"][0]["average_accuracy_curve"].size(), 8u);
}

TEST(RepeatedTasks, AFileWhoseOrderDoesNotFitIsRefused) {
  TempFolder folder;
  RunRecord run = run_of(kRepeated, folder);
  const auto why = [&](std::vector<int> order) {
    run.order = std::move(order);
    // Metrics would not be computed of such a run: only the file is wrong.
    const auto file = folder / "bad.h5";
    h5::save(file, [&](const h5::Group& root) {
      root.attribute("schema", std::int64_t{1});
      root.attribute("complete", std::int64_t{1});
      root.attribute("experiment", "x"), root.attribute("seed", std::int64_t{0});
      const h5::Group config = root.create("config");
      config.attribute("text", ""), config.attribute("sources", "");
      root.create("model").attribute("text", "");
      root.create("provenance");
      root.write("accuracy", std::vector<double>(27, .5), {9, 3});
      const h5::Group tasks = root.create("tasks");
      tasks.write("order", std::vector<std::int64_t>(run.order.begin(), run.order.end()),
                  {run.order.size()});
      tasks.write_texts("names", std::vector<std::string>{"a", "b", "c"});
    });
    try {
      load_results(file);
    } catch (const Error& e) {
      EXPECT_EQ(e.fault(), Fault::Data);
      return std::string(e.what());
    }
    return std::string("was read");
  };
  EXPECT_THAT(why({0, 1, 0, 2, 0, 1, 0}), HasSubstr("which is not [T + 1, T]"));
  EXPECT_THAT(why({0, 1, 0, 1, 0, 1, 0, 1}), HasSubstr("lacks a task"));
  EXPECT_THAT(why({0, 1, 2}), HasSubstr("3 experiences for 3 tasks"));
  EXPECT_THAT(why({0, 1, 0, 2, 0, 1, 0, 3}), HasSubstr("order"));
  EXPECT_THAT(why({0, 1, 0, 2, 0, -1, 0, 2}), HasSubstr("order"));
}

TEST(RepeatedTasks, GatesAreThoseOfTheLastVisit) {
  TempFolder folder;
  const RunRecord run = run_of(
      with(kRepeated, {{"gating", "xdg"}, {"scenario", "task"}, {"hidden_units", "40"}}), folder);
  ASSERT_FALSE(run.gates.empty());
  const GateRecord& gate = run.gates.front();
  ASSERT_EQ(gate.kept.shape(0), 9u);
  EXPECT_TRUE(std::isnan(gate.kept(3, 2)));
  EXPECT_EQ(gate.kept(8, 2), 1);
}

TEST(BlurredBorders, AreMetInTheStreamsOwnOrder) {
  // data_seed decides the learner's order of examples, and nothing else here.
  TempFolder folders[3];
  const Keys blurred{{"boundaries", "linear"}, {"blur", "0.5"}, {"dropout", "0"}};
  const RunRecord a = run_of(with(blurred, {{"data_seed", "1"}}), folders[0]);
  const RunRecord b = run_of(with(blurred, {{"data_seed", "2"}}), folders[1]);
  expect_same_numbers(a, b);
  const RunRecord sharp = run_of({{"data_seed", "1"}, {"dropout", "0"}}, folders[2]);
  EXPECT_NE(a.epochs[1].loss, sharp.epochs[1].loss);
  EXPECT_THAT(refusal(with(blurred, {{"epochs", "2"}})),
              AllOf(HasSubstr("epochs = 1"), HasSubstr("boundaries = sharp")));
  EXPECT_THAT(refusal(with(blurred, {{"later_epochs", "3"}})), HasSubstr("epochs = 3"));
}

TEST(BlurredBorders, GoOnAfterAnInterruptionToTheSameBits) {
  TempFolder one, two;
  const Keys keys{{"boundaries", "linear"}, {"batch_size", "10"}, {"scenario", "class"},
                  {"stream", "split"},      {"tasks", "5"},       {"probe_every", "4"}};
  run_tiny(keys, {one.path(), 3});
  run_tiny_in_two(keys, {two.path(), 3}, 23);
  expect_same_numbers(load_results(RunFiles{one.path(), 3}.results()),
                      load_results(RunFiles{two.path(), 3}.results()));
}

TEST(BlurredBorders, OpenTheOutputsOfATaskThatBeginsEarly) {
  // The masked head of class-incremental learning must not shut off what is being learnt.
  TempFolder folder;
  const RunRecord run = run_of({{"boundaries", "i_blurry"},
                                {"disjoint_classes", "0"},
                                {"stream", "split"},
                                {"tasks", "5"},
                                {"scenario", "class"}},
                               folder);
  for (std::size_t task = 0; task < 5; ++task)
    EXPECT_FALSE(std::isnan(run.accuracy(1, task)));
}

TEST(TaskFree, RefusesWhatActsAtBorders) {
  const Keys split{{"stream", "split"}, {"tasks", "5"}, {"task_free", "true"}};
  const auto why = [&](const Keys& keys) { return refusal(with(split, keys)); };
  EXPECT_THAT(why({{"scenario", "task"}}), HasSubstr("domain or class"));
  EXPECT_THAT(why({{"head", "masked"}}), HasSubstr("head = shared"));
  EXPECT_THAT(why({{"schedule", "linear"}}), HasSubstr("schedule = constant"));
  EXPECT_THAT(why({{"warmup_steps", "4"}}), HasSubstr("schedule = constant"));
  EXPECT_THAT(why({{"later_epochs", "2"}}), HasSubstr("later_epochs"));
  EXPECT_THAT(why({{"optimizer_state", "reset"}}), HasSubstr("optimizer_state"));
  EXPECT_THAT(why({{"reset_head", "each_task"}}), HasSubstr("reset_head"));
  EXPECT_THAT(why({{"rule", "krotov"}, {"hebbian.later_rate", "0"}}),
              HasSubstr("hebbian.later_rate"));
  TempFolder folder;
  const RunRecord run = run_of(with(split, {{"boundaries", "linear"}}), folder);
  EXPECT_EQ(run.accuracy.shape(0), 6u);
  EXPECT_FALSE(std::isnan(run.accuracy(1, 4)));  // one shared output layer: all can be tested
}

}  // namespace
}  // namespace engram
