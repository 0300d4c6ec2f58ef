// Runs of layers that learn from their own activity: stopped, killed and resumed, and on two
// threads, to the same bits, with every rule that keeps something between batches.
#include <gtest/gtest.h>

#include "exps/results_file.h"
#include "tests/exps/tiny_run.h"
#include "tests/utils/temp_folder.h"

namespace engram {
namespace {

Keys extra_of(const std::string& kind) {
  const Keys phases = {{"hebbian.epochs", "1"}, {"epochs", "3"}, {"hebbian.batch_size", "7"}};
  Keys e;
  if (kind == "krotov_blocks") {
    e = phases;
    e.insert(e.end(), {{"rule", "krotov"},
                       {"hebbian.blocks", "yes"},
                       {"init", "uniform01"},
                       {"unit_input", "yes"},
                       {"hebbian.head", "class_means"}});
  } else if (kind == "gupta") {
    e = {{"rule", "gupta"}, {"hebbian.layers", "2"}};
  } else if (kind == "prototypes") {
    e = phases;
    e.insert(e.end(), {{"rule", "prototypes"}, {"hebbian.head", "fly"}});
  } else if (kind == "softhebb_cnn") {
    e = phases;
    e.insert(e.end(), {{"rule", "softhebb"},
                       {"model", "softhebb_cnn"},
                       {"hebbian.layers", "3"},
                       {"conv_channels", "3, 4, 5"}});
  } else if (kind == "oja_whitened") {
    e = {{"rule", "oja"},
         {"whiten_input", "yes"},
         {"hebbian.lr", "1e-4"},
         {"hebbian.head", "feedback_alignment"}};
  } else if (kind == "oja_first_batch") {
    e = {{"rule", "oja"}, {"hebbian.only_first_batch", "yes"}, {"hebbian.lr", "1e-4"}};
  }
  return e;
}

Keys keys(const std::string& kind) {
  return with({{"stream", "split"},
               {"tasks", "2"},
               {"scenario", "class"},
               {"epochs", "2"},
               {"hidden", "30, 20"},
               {"dropout", "0.2"},
               {"momentum", "0"}},
              extra_of(kind));
}

class HebbianRun : public ::testing::TestWithParam<const char*> {
 protected:
  RunRecord run(const char* name) {
    const RunFiles files{folder_.path() / name, 0};
    run_tiny(keys(GetParam()), files);
    return load_results(files.results());
  }
  TempFolder folder_;
};

TEST_P(HebbianRun, GoesOnToTheSameBitsWhereverItWasStopped) {
  expect_same_bits_wherever_stopped(keys(GetParam()), folder_.path(), {1, 4, 9, 14});
}

TEST_P(HebbianRun, HasTheSameBitsOnTwoThreads) {
  expect_same_bits_on_two_threads(keys(GetParam()), folder_.path());
}

INSTANTIATE_TEST_SUITE_P(Kinds, HebbianRun,
                         ::testing::Values("krotov_blocks", "gupta", "prototypes", "softhebb_cnn",
                                           "oja_whitened", "oja_first_batch"),
                         [](const auto& param) { return std::string(param.param); });

TEST(HebbianRuns, EpochsWithoutLabelsHaveNoLoss) {
  const TempFolder folder;
  const RunFiles files{folder.path(), 0};
  run_tiny(keys("krotov_blocks"), files);
  const RunRecord r = load_results(files.results());
  ASSERT_EQ(r.epochs.size(), 6u);
  EXPECT_TRUE(std::isnan(r.epochs[0].loss) && std::isnan(r.epochs[0].train_accuracy));
  EXPECT_FALSE(std::isnan(r.epochs[1].loss));
  EXPECT_FALSE(std::isnan(r.epochs[0].measures[0]));
  EXPECT_TRUE(std::isnan(r.epochs[1].measures[0]));
}

TEST(HebbianRuns, MeasuresAreMeansOfTheBatchesThatHaveThem) {
  const TempFolder folder;
  const auto of_epoch = [&](const char* kind, std::size_t epoch) {
    const RunFiles files{folder.path() / kind, 0};
    if (!std::filesystem::exists(files.results())) run_tiny(keys(kind), files);
    return load_results(files.results()).epochs.at(epoch).measures;
  };
  for (const std::size_t epoch : {0u, 3u})  // the first batch alone moves something
    for (const double measure : of_epoch("oja_first_batch", epoch))
      EXPECT_GT(measure, 0);
  // Once all units have their example nothing moves, and there is no norm to take.
  const auto taken = of_epoch("prototypes", 0), later = of_epoch("prototypes", 3);
  EXPECT_GT(taken[0], 0);
  EXPECT_LT(taken[0], 1);
  EXPECT_GT(taken[1], 0);
  EXPECT_EQ(later[0], 0);
  EXPECT_TRUE(std::isnan(later[1]));
}

TEST(OptimizerSteps, AreCountedWhereAGradientIsSpent) {
  const TempFolder folder;
  const auto steps = [&](const std::string& name, const Keys& extra) {
    const Keys all = with(keys(""), extra);
    const RunFiles whole{folder.path() / name, 0}, parts{folder.path() / (name + " parts"), 0};
    run_tiny(all, whole);
    run_tiny_in_two(all, parts, 13);
    const auto count = load_results(whole.results()).optimizer_steps;
    EXPECT_EQ(load_results(parts.results()).optimizer_steps, count) << name << ", when resumed";
    return count;
  };
  const auto usual = steps("usual", {});  // two epochs
  EXPECT_GT(usual, 13);
  EXPECT_EQ(steps("unlabelled", {{"rule", "krotov"}, {"hebbian.epochs", "1"}, {"epochs", "3"}}),
            usual);
  EXPECT_EQ(steps("class_means", {{"rule", "class_means"}}), 0);
  EXPECT_EQ(steps("slda", {{"strategies", "slda"}}), 0);
  // Two passes at the end of each task over 20 examples at most, in two batches.
  EXPECT_EQ(steps("gdumb", {{"strategies", "gdumb"},
                            {"gdumb.memory", "20"},
                            {"gdumb.batch", "10"},
                            {"gdumb.passes", "2"}}),
            2 * 2 * 2);
}

}  // namespace
}  // namespace engram
