// Runs with active dendrites: stopped and resumed, and on two threads, to the same bits.
#include <gtest/gtest.h>

#include "exps/results_file.h"
#include "tests/exps/tiny_run.h"
#include "tests/utils/temp_folder.h"
#include "utils/error.h"

namespace engram {
namespace {

Keys keys(const std::string& context) {
  return {{"hidden", "24, 20"},
          {"dropout", "0"},
          {"sparsify", "yes"},
          {"percent_on_fc", "0.2"},
          {"weight_sparsity_fc", "0.5"},
          {"weight_sparsity_head", "0.5"},
          {"init", "active_fan"},
          {"momentum", "0"},
          {"optimizer", "adam"},
          {"optimizer_state", "reset"},
          {"lr", "0.01"},
          {"epochs", "2"},
          {"dendrites.segments", "3"},
          {"dendrites.pixels", "20"},
          {"dendrites.exemplars", "40"},
          {"dendrites.context", context},
          {"strategies", "si"},
          {"si.skip", "dendrites"}};
}

class DendritesRun : public ::testing::TestWithParam<const char*> {
 protected:
  RunRecord run(const char* name, const Keys& more = {}) {
    const RunFiles files{folder_.path() / name, 0};
    run_tiny(with(keys(GetParam()), more), files);
    return load_results(files.results());
  }
  TempFolder folder_;
};

TEST_P(DendritesRun, GoesOnToTheSameBitsWhereverItWasStopped) {
  expect_same_bits_wherever_stopped(keys(GetParam()), folder_.path(), {1, 13, 31});
}

TEST_P(DendritesRun, HasTheSameBitsOnTwoThreads) {
  expect_same_bits_on_two_threads(keys(GetParam()), folder_.path());
}

TEST_P(DendritesRun, LearnsMoreThanItsGatesAlone) {
  const RunRecord record = run("learns", {{"epochs", "10"}});
  for (std::size_t task = 0; task < 3; ++task)
    EXPECT_GT(record.accuracy(task + 1, task), 0.3) << task;
}

INSTANTIATE_TEST_SUITE_P(Contexts, DendritesRun, ::testing::Values("prototype", "clusters"),
                         [](const auto& param) { return std::string(param.param); });

}  // namespace
}  // namespace engram
