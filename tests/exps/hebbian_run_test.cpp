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
                                           "oja_whitened"),
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

}  // namespace
}  // namespace engram
