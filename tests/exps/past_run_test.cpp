// Runs of layers conditioned on the past, random in training and at test: stopped and resumed, and
// on two threads, to the same bits.
#include <gtest/gtest.h>

#include "exps/results_file.h"
#include "tests/exps/tiny_run.h"
#include "tests/utils/temp_folder.h"

namespace engram {
namespace {

Keys keys(const std::string& kind) {
  const Keys shared = {{"hidden", "12, 12, 12"},
                       {"activation", "gelu"},
                       {"dropout", "0"},
                       {"lr", "0.01"},
                       {"momentum", "0"},
                       {"optimizer", "adam"},
                       {"decoupled_decay", "yes"},
                       {"weight_decay", "0.01"},
                       {"epochs", "2"},
                       {"layer_norm", "after"},
                       {"layer_norm_shared", "yes"},
                       {"stochastic_eval", "yes"},
                       {"past", kind == "attention" ? kind : "kde"}};
  if (kind == "attention")
    return with(shared, {{"attention.noise", "crossover_mutation"},
                         {"attention.heads", "2"},
                         {"attention.tau", "0.05"},
                         {"attention.mutation", "1"}});
  return with(shared, {{"kde.points", "single"}, {"kde.use", kind}, {"past_at", "3"}});
}

class PastRun : public ::testing::TestWithParam<const char*> {
 protected:
  RunRecord run(const char* name, const Keys& more = {}) {
    const RunFiles files{folder_.path() / name, 0};
    run_tiny(with(keys(GetParam()), more), files);
    return load_results(files.results());
  }
  TempFolder folder_;
};

TEST_P(PastRun, GoesOnToTheSameBitsWhereverItWasStopped) {
  expect_same_bits_wherever_stopped(keys(GetParam()), folder_.path(), {1, 13, 31});
}

TEST_P(PastRun, HasTheSameBitsOnTwoThreads) {
  expect_same_bits_on_two_threads(keys(GetParam()), folder_.path());
}

TEST_P(PastRun, IsAnotherRunWithoutNoiseAtTest) {
  const RunRecord noisy = run("noisy"), still = run("still", {{"stochastic_eval", "no"}});
  ASSERT_EQ(noisy.epochs.size(), still.epochs.size());
  for (std::size_t i = 0; i < noisy.epochs.size(); ++i)  // training does not know of it
    EXPECT_EQ(noisy.epochs[i].loss, still.epochs[i].loss);
  EXPECT_NE(noisy.accuracy, still.accuracy);
}

INSTANTIATE_TEST_SUITE_P(Kinds, PastRun,
                         ::testing::Values("attention", "shift", "scale", "replace"),
                         [](const auto& param) { return std::string(param.param); });

}  // namespace
}  // namespace engram
