// Runs that start from the weights of others: seed by seed, resumed without the file, and refused
// where the file does not belong to them.
#include <filesystem>

#include <gtest/gtest.h>

#include "exps/results_file.h"
#include "exps/show_results.h"
#include "exps/starting_weights.h"
#include "tests/exps/tiny_run.h"
#include "tests/utils/error_of.h"
#include "tests/utils/temp_folder.h"

namespace engram {
namespace {

const Keys kStream = {{"stream", "split"},  {"tasks", "2"},     {"scenario", "class"},
                      {"hidden", "30, 20"}, {"dropout", "0.2"}, {"batch_norm", "yes"},
                      {"batch_size", "20"}};

std::string fact(const RunRecord& run, const std::string& name) {
  for (const auto& [known, text] : run.provenance)
    if (known == name) return text;
  return "";
}

class FineTuningRun : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const std::uint64_t seed : {0u, 1u})
      run_tiny(with(kStream, {{"keep_weights", "yes"}, {"tasks", "1"}, {"classes_per_task", "4"}}),
               {folder_ / "phi", seed});
  }
  static Keys tuned(const Keys& extra = {}) {
    return with(kStream, with({{"weights", "{results}/phi/seed-{seed}.weights.h5"},
                               {"weights_until", "relu2"},
                               {"frozen_until", "relu2"},
                               {"reset_head", "each_task"},
                               {"epochs", "2"}},
                              extra));
  }
  RunRecord run(const std::string& name, const Keys& keys, std::uint64_t seed = 0) {
    const RunFiles files{folder_ / name, seed};
    run_tiny(keys, files);
    return load_results(files.results());
  }
  TempFolder folder_;
};

TEST_F(FineTuningRun, StartsEverySeedFromItsOwnFile) {
  const RunRecord a = run("head", tuned(), 0), b = run("head", tuned(), 1);
  EXPECT_EQ(fact(a, "weights"), (folder_ / "phi/seed-0.weights.h5").string());
  EXPECT_EQ(fact(b, "weights"), (folder_ / "phi/seed-1.weights.h5").string());
  EXPECT_EQ(fact(a, "weights_sha256").size(), 64u);
  EXPECT_NE(fact(a, "weights_sha256"), fact(b, "weights_sha256"));
  EXPECT_EQ(fact(a, "weights_taken"), "linear1, batch_norm1, linear2, batch_norm2");
  const std::string shown = show_experiment({a, b}, ForgettingDefinition::Chaudhry, false, 100);
  EXPECT_SAYS(shown, "seed-0.weights.h5: linear1, batch_norm1, linear2, batch_norm2\n");
}

TEST_F(FineTuningRun, LeavesTheFrozenPartAsItWas) {
  run("head", tuned({{"keep_weights", "yes"}}));
  const auto read = [&](const std::string& run_name) {
    std::vector<std::vector<float>> out;
    h5::load(folder_ / run_name / "seed-0.weights.h5", [&](const h5::Group& root) {
      for (const char* name :
           {"linear1.weight", "linear2.bias", "batch_norm2.scale", "states/batch_norm1.mean",
            "states/batch_norm2.variance", "linear3.weight"})
        out.push_back(root.read_floats(name));
    });
    return out;
  };
  const auto before = read("phi"), after = read("head");
  for (std::size_t i = 0; i + 1 < before.size(); ++i)
    EXPECT_EQ(before[i], after[i]) << i;
  EXPECT_NE(before.back(), after.back());
}

TEST_F(FineTuningRun, GoesOnToTheSameBitsWithoutTheFile) {
  int count = 0;
  for (const Keys& extra :
       {Keys{}, Keys{{"frozen_from", "first_task"}}, Keys{{"reset_head", "after_first"}},
        Keys{{"optimizer", "unit_sgd"}, {"momentum", "0"}, {"schedule", "inverse_sqrt"}}}) {
    const RunRecord whole = run("whole" + std::to_string(++count), tuned(extra));
    for (const int steps : {1, 9, 16, 17}) {
      SCOPED_TRACE(steps);
      const RunFiles files{folder_ / ("part" + std::to_string(steps)), 0};
      const Settings s = tiny_settings(tuned(extra));
      std::atomic<bool> stop = false;
      int seen = 0;
      RunRequest request{.seed = 0, .files = files};
      request.stop = &stop;
      request.progress = [&](const Progress& p) { stop = !p.evaluating && ++seen >= steps; };
      ASSERT_EQ(execute_run(s, tiny_data(), request), RunOutcome::Interrupted);
      std::filesystem::rename(folder_ / "phi", folder_ / "away");
      ASSERT_EQ(execute_run(s, tiny_data(), {.seed = 0, .files = files}), RunOutcome::Finished);
      std::filesystem::rename(folder_ / "away", folder_ / "phi");
      const RunRecord resumed = load_results(files.results());
      expect_same_numbers(whole, resumed);
      EXPECT_EQ(fact(resumed, "weights_sha256"), fact(whole, "weights_sha256"));
      std::filesystem::remove_all(files.folder);
    }
  }
}

TEST_F(FineTuningRun, NamesWhatDoesNotFit) {
  const auto refusal = [&](const Keys& extra, Fault fault) {
    return error_of(
        [&] {
          execute_run(tiny_settings(tuned(extra)), tiny_data(),
                      {.seed = 0, .files = {folder_ / "refused", 0}});
        },
        fault);
  };
  EXPECT_SAYS(refusal({{"weights", "{results}/phi/seed-9.weights.h5"}}, Fault::MissingInput),
              "keep_weights = yes and the same seeds");
  EXPECT_SAYS(refusal({{"hidden", "30, 21"}}, Fault::Data),
              "linear2.weight is 30 x 20 in the file and 30 x 21 here");
  EXPECT_SAYS(refusal({{"weights_until", "relu7"}}, Fault::Config), "weights_until = relu7");
  EXPECT_SAYS(refusal({{"frozen_until", "relu7"}}, Fault::Config), "frozen_until = relu7");
  EXPECT_SAYS(refusal({{"weights", "{sed}.h5"}}, Fault::Config), "only {seed} and {results}");
  folder_.write("phi/seed-0.weights.h5", "no file of HDF5");
  EXPECT_SAYS(refusal({}, Fault::Data), "seed-0.weights.h5");
}

TEST(FineTuningSettings, WithoutEffectAreRefused) {
  EXPECT_SAYS(error_of([] { tiny_settings({{"weights_until", "relu1"}}); }), "without weights");
  EXPECT_SAYS(error_of([] {
                tiny_settings({{"frozen_from", "first_task"}});
              }),
              "without frozen_until");
  EXPECT_SAYS(error_of([] {
                tiny_settings({{"frozen_until", "relu1"}, {"rule", "oja"}, {"dropout", "0"}});
              }),
              "hebbian.later_rate");
  EXPECT_SAYS(error_of([] {
                tiny_settings({{"reset_head", "each_task"}, {"model", "ff"}, {"rule", "ff"}});
              }),
              "teaches one circuit");
  EXPECT_SAYS(error_of([] {
                tiny_settings({{"weights", "w.h5"},
                               {"rule", "krotov"},
                               {"hebbian.blocks", "yes"},
                               {"hebbian.head", "class_means"}});
              }),
              "hebbian.blocks");
}

TEST(BaseClasses, GiveTheFirstTaskMoreClassesInEveryScenario) {
  TempFolder folder;
  for (const char* scenario : {"class", "task"}) {
    const RunFiles files{folder / scenario, 0};
    run_tiny({{"stream", "split"},
              {"base_classes", "4"},
              {"classes_per_task", "2"},
              {"tasks", "3"},
              {"scenario", scenario},
              {"epochs", "3"}},
             files);
    const RunRecord r = load_results(files.results());
    ASSERT_EQ(r.accuracy.shape(), (std::array<std::size_t, 2>{4, 3}));
    EXPECT_GT(r.test_sizes[0], 3 * r.test_sizes[1] / 2);
    EXPECT_GT(r.accuracy(1, 0), 0.5) << scenario;
    EXPECT_GT(r.accuracy(3, 2), 0.5) << scenario;
    EXPECT_EQ(std::isnan(r.accuracy(1, 1)), true) << "the other classes come later";
  }
}

}  // namespace
}  // namespace engram
