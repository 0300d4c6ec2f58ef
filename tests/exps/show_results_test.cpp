#include "exps/show_results.h"

#include <cstdlib>
#include <sstream>

#include <gtest/gtest.h>

#include "exps/show_parts.h"
#include "tests/exps/sample_run.h"
#include "tests/utils/contains.h"
#include "utils/terminal.h"

namespace engram {
namespace {

constexpr auto kChaudhry = ForgettingDefinition::Chaudhry;

class Show : public testing::Test {
 protected:
  void SetUp() override { ::setenv("LC_ALL", "C.UTF-8", 1); }
  void TearDown() override { ::unsetenv("LC_ALL"); }

  std::vector<RunRecord> three_seeds(const std::string& name, double fading) {
    return {sample_run(name, 5, 0, fading), sample_run(name, 5, 1, fading),
            sample_run(name, 5, 2, fading)};
  }
};

int widest_line(const std::string& text) {
  std::istringstream in(text);
  int widest = 0;
  for (std::string line; std::getline(in, line);)
    widest = std::max(widest, columns(line));
  return widest;
}

/// The text without escape codes.
std::string plain(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x1b')
      i = text.find('m', i);
    else
      out += text[i];
  }
  return out;
}

TEST_F(Show, WritesNoEscapeCodesWithoutColourAndTheSameTextWithIt) {
  const auto naive = three_seeds("naive", 0.2), replay = three_seeds("er", 0.05);
  const std::string experiment = show_experiment(naive, kChaudhry, false, 100);
  const std::string curves = show_curves({naive, replay}, false, 100);
  const std::string table = show_comparison({naive, replay}, kChaudhry, false);
  for (const std::string& text : {experiment, curves, table})
    EXPECT_FALSE(contains(text, "\x1b"));
  EXPECT_TRUE(contains(show_experiment(naive, kChaudhry, true, 100), "\x1b["));
  EXPECT_EQ(plain(show_experiment(naive, kChaudhry, true, 100)), experiment);
  EXPECT_EQ(plain(show_curves({naive, replay}, true, 100)), curves);
  EXPECT_EQ(plain(show_comparison({naive, replay}, kChaudhry, true)), table);
}

TEST_F(Show, PrintsTheMatrixTheMetricsAndTheCost) {
  RunRecord run = sample_run("split_mnist/ewc", 3, 7);
  run.accuracy = Table{{0.1, 0.1, 0.1},
                       {0.987, kNotEvaluated, kNotEvaluated},
                       {0.5, 1.0, kNotEvaluated},
                       {0.25, 0.75, 0.913}};
  const std::string text = show_experiment({run}, kChaudhry, false, 100);
  for (const char* part :
       {"split_mnist/ewc", "seed 7", "untrained", "after 3 digits 4 5", "98.7", "100.0", "91.3",
        "25.0", "average accuracy", "63.8", "forgetting", "49.4", "chaudhry", "k_winners.1", "33.3",
        "6 G (25 % of dense)", "training 1:23", "evaluating 0:03"})
    EXPECT_TRUE(contains(text, part)) << part << "\n" << text;
}

TEST_F(Show, ListsGoodnessOfTheLastEpochWhereItWasMeasured) {
  RunRecord run = sample_run("ff", 3, 0), other = sample_run("ff", 3, 1);
  other.epochs.back().measures[0] = 3.5;
  const std::string text = show_experiment({run, other}, kChaudhry, false, 100);
  EXPECT_TRUE(contains(text, "level   goodness of positives  of negatives")) << text;
  EXPECT_TRUE(contains(text, "1                           3         0.375")) << text;
  run.measure_names.clear();
  EXPECT_FALSE(contains(show_experiment({run}, kChaudhry, false, 100), "goodness"));
}

TEST_F(Show, ShowsWhatWasNotEvaluatedAsADot) {
  const std::string text = show_experiment({sample_run("x", 3, 0)}, kChaudhry, false, 100);
  EXPECT_TRUE(contains(text, "after 1 digits 0 1    97.7     ·     · │")) << text;
  EXPECT_FALSE(contains(text, "nan"));
}

TEST_F(Show, GivesMeanAndIntervalOverSeeds) {
  std::vector<RunRecord> runs = three_seeds("x", 0.1);
  for (std::size_t s = 0; s < 3; ++s)
    runs[s].accuracy.fill(0.5 + 0.1 * static_cast<double>(s));
  const std::string text = show_experiment(runs, kChaudhry, false, 100);
  EXPECT_TRUE(contains(text, "60.0 ± 24.8 (n=3)")) << text;
  EXPECT_TRUE(contains(text, "3 runs, seeds 0 1 2")) << text;
  runs[1].complete = false;
  EXPECT_TRUE(contains(show_experiment(runs, kChaudhry, false, 100), "1 incomplete"));
}

TEST_F(Show, DrawsHowEveryTaskFades) {
  RunRecord run = sample_run("x", 3, 0);
  run.accuracy = Table{{0.1, 0.1, 0.1},
                       {0.99, kNotEvaluated, kNotEvaluated},
                       {0.5, 1.0, kNotEvaluated},
                       {0.01, 0.75, 0.9}};
  const std::string text = show_experiment({run}, kChaudhry, false, 100);
  EXPECT_TRUE(contains(text, "  1 digits 0 1 █▅▁   99.0 → 1.0\n")) << text;
  EXPECT_TRUE(contains(text, "  2 digits 2 3  █▇  100.0 → 75.0\n")) << text;
  EXPECT_TRUE(contains(text, "  3 digits 4 5   █   90.0 → 90.0\n")) << text;
  const std::string one = show_experiment({sample_run("x", 1, 0)}, kChaudhry, false, 100);
  EXPECT_FALSE(contains(one, "each task"));
}

TEST_F(Show, FitsTheWidthForAnyNumberOfTasks) {
  for (const int width : {80, 100, 160}) {
    for (const int tasks : {1, 2, 5, 10, 11, 20, 50, 200}) {
      const RunRecord run = sample_run("x", tasks, 0, 0.004);
      EXPECT_LE(widest_line(show_experiment({run}, kChaudhry, false, width)), width) << tasks;
      EXPECT_LE(widest_line(show_curves({{run}}, false, width)), width) << tasks;
    }
  }
  const std::string ten = show_experiment({sample_run("x", 10, 0)}, kChaudhry, false, 100);
  EXPECT_FALSE(contains(ten, "one in"));
  for (int t = 1; t <= 10; ++t)
    EXPECT_TRUE(contains(ten, "after " + std::to_string(t) + " digits"));
  const std::string many = show_experiment({sample_run("x", 50, 0, 0.01)}, kChaudhry, false, 100);
  EXPECT_TRUE(contains(many, "of the 50 tasks")) << many;
  EXPECT_TRUE(contains(many, "after 50"));
}

TEST_F(Show, GivesEveryCurveItsOwnMarker) {
  const std::string text = show_curves(
      {three_seeds("naive", 0.2), three_seeds("ewc", 0.1), three_seeds("er", 0.02)}, false, 100);
  for (const char* marker : {"●", "▲", "■"}) {
    const std::size_t first = text.find(marker);
    ASSERT_NE(first, std::string::npos) << marker;
    EXPECT_NE(text.find(marker, first + 1), std::string::npos) << marker;  // in the legend too
  }
  EXPECT_TRUE(contains(text, "100 ┤"));
  EXPECT_TRUE(contains(text, "tasks learnt"));
}

TEST_F(Show, DrawsJointTrainingAsOnePointAtTheEnd) {
  RunRecord joint = sample_run("joint", 4, 0, 0);
  for (std::size_t i = 1; i < 4; ++i)
    for (std::size_t j = 0; j < 4; ++j)
      joint.accuracy(i, j) = kNotEvaluated;
  joint.steps.clear();
  const std::string text = show_curves({{joint}}, false, 100);
  EXPECT_EQ(text.find("●", text.find("●") + 1), text.rfind("●"));  // one in the plot, one below
  EXPECT_TRUE(contains(show_comparison({{joint}}, kChaudhry, false), "·"));
}

TEST_F(Show, UsesAsciiWhereTheLocaleAsksForIt) {
  ::setenv("LC_ALL", "C", 1);
  const auto runs = three_seeds("naive", 0.2);
  for (const std::string& text :
       {show_experiment(runs, kChaudhry, false, 100), show_curves({runs}, false, 100),
        show_comparison({runs}, kChaudhry, false)})
    for (const char c : text)
      ASSERT_TRUE(c == '\n' || (c >= ' ' && c <= '~')) << text;
}

TEST_F(Show, ComparesExperimentsRowByRow) {
  const std::string text =
      show_comparison({three_seeds("naive", 0.2), three_seeds("er", 0.02)}, kChaudhry, false);
  for (const char* part : {"experiment", "ACC", "forgetting", "naive", "er", "± ", "33.3",
                           "10 G (25 % of dense)", "1:52"})
    EXPECT_TRUE(contains(text, part)) << part << "\n" << text;
}

TEST_F(Show, SurvivesRunsWithNothingInThem) {
  EXPECT_FALSE(show_experiment({}, kChaudhry, true, 80).empty());
  EXPECT_FALSE(show_experiment({RunRecord{}}, kChaudhry, true, 80).empty());
  EXPECT_FALSE(show_curves({}, true, 80).empty());
  EXPECT_FALSE(show_curves({{}, {RunRecord{}}}, true, 80).empty());
  EXPECT_FALSE(show_comparison({{}, {RunRecord{}}}, kChaudhry, true).empty());
  RunRecord bare = sample_run("bare", 3, 0);
  bare.layers.clear(), bare.epochs.clear(), bare.steps.clear(), bare.task_seconds.clear();
  EXPECT_FALSE(show_experiment({bare}, kChaudhry, false, 10).empty());
}

TEST_F(Show, DrawsAccuraciesBeyondOneAtTheUpperEdge) {
  RunRecord run = sample_run("padded", 4, 0);  // eval_pad = nov2019 counts some hits twice
  for (double& value : run.accuracy)
    value *= 1.9;
  EXPECT_TRUE(contains(show_curves({{run}}, true, 100), "100 ┤"));
  EXPECT_FALSE(show_experiment({run}, kChaudhry, true, 100).empty());
}

TEST_F(Show, MixesRunsOfDifferentSizesWithoutFalling) {
  const std::vector<RunRecord> mixed{sample_run("x", 3, 0), sample_run("x", 5, 1), RunRecord{}};
  EXPECT_FALSE(show_experiment(mixed, kChaudhry, false, 100).empty());
  EXPECT_FALSE(show_curves({mixed}, false, 100).empty());
  EXPECT_FALSE(show_comparison({mixed}, kChaudhry, false).empty());
}

TEST_F(Show, TimesLeaveOutRowsThatWereNotEvaluated) {
  RunRecord joint = sample_run("joint", 5, 0);
  joint.task_seconds = {60, kNotEvaluated};
  joint.evaluate_seconds = {1, kNotEvaluated, kNotEvaluated, 4};
  EXPECT_EQ(show::seconds(joint), 65);
  const std::string shown = show_experiment({joint}, kChaudhry, false, 100);
  EXPECT_TRUE(contains(shown, "training 1:00, evaluating 0:05")) << shown;
}

}  // namespace
}  // namespace engram
