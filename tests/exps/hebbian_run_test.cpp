// Runs of layers that learn from their own activity: stopped, killed and resumed, and on two
// threads, to the same bits, with every rule that keeps something between batches.
#include <atomic>
#include <cmath>

#include <gtest/gtest.h>

#include "exps/results_file.h"
#include "exps/run.h"
#include "tests/utils/temp_folder.h"
#include "utils/parallel.h"

namespace engram {
namespace {

using Extra = std::vector<std::pair<std::string, std::string>>;

Extra extra_of(const std::string& kind) {
  const Extra phases = {{"hebbian.epochs", "1"}, {"epochs", "3"}, {"hebbian.batch_size", "7"}};
  Extra e;
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

Settings settings(const std::string& kind) {
  Config c;
  for (const auto& [key, value] : Extra{{"benchmark", "synthetic"},
                                        {"stream", "split"},
                                        {"tasks", "2"},
                                        {"scenario", "class"},
                                        {"train_limit", "200"},
                                        {"test_limit", "60"},
                                        {"epochs", "2"},
                                        {"batch_size", "20"},
                                        {"hidden", "30, 20"},
                                        {"dropout", "0.2"},
                                        {"probe_every", "5"},
                                        {"probe_size", "20"}})
    c.set(key, value, "test");
  for (const auto& [key, value] : extra_of(kind))
    c.set(key, value, "test");
  return read_settings("hebbian", std::move(c));
}
const Dataset& data() {
  static const Dataset d = load_dataset("synthetic", {});
  return d;
}

/// What a run comes to: its accuracies, measures and epochs.
std::vector<double> outcome(const std::filesystem::path& folder) {
  const RunRecord r = load_results(RunFiles{folder, 0}.results());
  std::vector<double> all(r.accuracy.begin(), r.accuracy.end());
  for (const EpochRow& row : r.epochs) {
    all.push_back(row.loss), all.push_back(row.train_accuracy);
    all.insert(all.end(), row.measures.begin(), row.measures.end());
  }
  for (double& x : all)
    if (std::isnan(x)) x = -1;
  return all;
}

class HebbianRun : public ::testing::TestWithParam<const char*> {};

TEST_P(HebbianRun, GoesOnToTheSameBitsWhereverItWasStopped) {
  const Settings s = settings(GetParam());
  const TempFolder whole, pieces;
  RunRequest at_once;
  at_once.files.folder = whole.path();
  ASSERT_EQ(execute_run(s, data(), at_once), RunOutcome::Finished);
  int sittings = 0;
  std::atomic<bool> stop = false;
  RunRequest piecewise;
  piecewise.files.folder = pieces.path();
  piecewise.resume = true, piecewise.stop = &stop;
  int steps = 0;
  piecewise.progress = [&](const Progress& p) { stop = !p.evaluating && ++steps % 5 == 0; };
  while (execute_run(s, data(), piecewise) == RunOutcome::Interrupted) {
    stop = false;
    ASSERT_LT(++sittings, 500);
  }
  EXPECT_GT(sittings, 2);
  EXPECT_EQ(outcome(whole.path()), outcome(pieces.path()));
}

TEST_P(HebbianRun, HasTheSameBitsOnTwoThreads) {
  const Settings s = settings(GetParam());
  const TempFolder one, two;
  RunRequest request;
  request.files.folder = one.path();
  execute_run(s, data(), request);
  set_threads(2);
  request.files.folder = two.path();
  execute_run(s, data(), request);
  set_threads(1);
  EXPECT_EQ(outcome(one.path()), outcome(two.path()));
}

INSTANTIATE_TEST_SUITE_P(Kinds, HebbianRun,
                         ::testing::Values("krotov_blocks", "gupta", "prototypes", "softhebb_cnn",
                                           "oja_whitened"),
                         [](const auto& param) { return std::string(param.param); });

TEST(HebbianRuns, EpochsWithoutLabelsHaveNoLoss) {
  const TempFolder folder;
  RunRequest request;
  request.files.folder = folder.path();
  execute_run(settings("krotov_blocks"), data(), request);
  const RunRecord r = load_results(request.files.results());
  ASSERT_EQ(r.epochs.size(), 6u);
  EXPECT_TRUE(std::isnan(r.epochs[0].loss) && std::isnan(r.epochs[0].train_accuracy));
  EXPECT_FALSE(std::isnan(r.epochs[1].loss));
  EXPECT_FALSE(std::isnan(r.epochs[0].measures[0]));
  EXPECT_TRUE(std::isnan(r.epochs[1].measures[0]));
}

}  // namespace
}  // namespace engram
