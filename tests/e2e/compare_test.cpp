// `engram compare` from outside, on real results files.
#include <algorithm>
#include <filesystem>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "exps/results_file.h"
#include "tests/e2e/program.h"
#include "tests/e2e/tiny_cfg.h"
#include "tests/exps/sample_run.h"
#include "utils/terminal.h"

namespace engram {
namespace {

namespace fs = std::filesystem;

/// Wherever lines are broken.
bool has_words(std::string text, const std::string& part) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return contains(text, part);
}

/// One line on stderr that names all parts, after what may have been left out; nothing on stdout.
void expect_refusal(const Said& said, int code, const std::vector<std::string>& parts) {
  EXPECT_EQ(said.code, code) << said.err;
  EXPECT_EQ(said.out, "");
  for (const std::string& part : parts)
    EXPECT_TRUE(has_words(said.err, part)) << "'" << part << "' is missing in: " << said.err;
  EXPECT_FALSE(has_words(said.err, "bug")) << said.err;
}

class Compare : public ::testing::Test {
 protected:
  Program engram{kTinyCfg};

  /// Files of results/NAME: accuracies `level` plus a little that depends on the seed.
  void save(const std::string& name, double level, const std::vector<std::uint64_t>& seeds,
            const std::string& settings = "tasks = 3\n") {
    for (const std::uint64_t seed : seeds) {
      RunRecord run = sample_run(name, 3, seed);
      run.config_text = "[" + name + "]\n" + settings;
      for (std::size_t j = 0; j < 3; ++j)
        run.accuracy(3, j) = level + 0.01 * std::sin(static_cast<double>(seed) + 10 * level);
      save_results(engram / ("results/" + name + "/seed-" + std::to_string(seed) + ".h5"), run,
                   ForgettingDefinition::Chaudhry);
    }
  }
  void save_two() {
    save("dense", 0.6, {0, 1, 2, 3, 4});
    save("sparse", 0.7, {0, 1, 2, 3, 4});
  }
};

TEST_F(Compare, SaysWhichIsBetterWithMeansPairsAndDefinitions) {
  save_two();
  const Said said = engram({"compare", "dense", "sparse"});
  ASSERT_EQ(said.code, 0) << said.err;
  EXPECT_EQ(said.err, "");
  for (const std::string part :
       {"average_accuracy, %", "dense", "  5  ", "2 - 1", "p of t", "Wilcoxon", "0.0625",
        "more accuracy than dense (95 % BCa interval", "the difference is real",
        "ACC = mean over j of R[T,j]", "more is better", "its least p is 0.0625"})
    EXPECT_TRUE(has_words(said.out, part)) << "'" << part << "' is missing in:\n" << said.out;
  EXPECT_FALSE(has_words(said.out, "\033")) << "colours are for terminals";
  std::istringstream lines(said.out);
  for (std::string line; std::getline(lines, line);)
    EXPECT_LE(columns(line), 80) << line;
  EXPECT_EQ(engram({"compare", "dense", "sparse"}).out, said.out) << "the same every time";
}

TEST_F(Compare, TakesNamesFoldersAndFilesAlike) {
  save_two();
  const std::string by_name = engram({"compare", "dense", "sparse"}).out;
  EXPECT_EQ(engram({"compare", "results/dense", "results/sparse"}).out, by_name);
  EXPECT_EQ(engram({"compare", "results"}).out, by_name) << "a folder contributes all it holds";
  fs::create_directories(engram / "elsewhere");
  fs::rename(engram / "results", engram / "elsewhere/all");
  EXPECT_EQ(engram({"compare", "dense", "sparse", "--out", "elsewhere/all"}).out, by_name);
  const Said one = engram({"compare", "elsewhere/all/dense/seed-1.h5", "elsewhere/all/sparse/"});
  EXPECT_EQ(one.code, 0) << one.err;
  EXPECT_TRUE(has_words(one.out, "the data cannot tell")) << one.out;
  EXPECT_TRUE(has_words(one.out, "at least 3 seeds are needed")) << one.out;
}

TEST_F(Compare, CorrectsSeveralPairsAndSplitsAWideTable) {
  save_two();
  save("other", 0.61, {0, 1, 2, 3, 4, 5});
  const Said said = engram({"compare", "dense", "sparse", "other"});
  ASSERT_EQ(said.code, 0) << said.err;
  for (const std::string part : {"2 - 1", "3 - 1", "3 - 2", "Holm", "after Holm", "for 3 pairs",
                                 "(left out, for dense and other do not both have it: seed 5)"})
    EXPECT_TRUE(has_words(said.out, part)) << "'" << part << "' is missing in:\n" << said.out;
}

TEST_F(Compare, KnowsTheMetricAndItsDirection) {
  save_two();
  const Said said = engram({"compare", "dense", "sparse", "--metric", "forgetting"});
  ASSERT_EQ(said.code, 0) << said.err;
  EXPECT_TRUE(has_words(said.out, "sparse forgets")) << said.out;
  EXPECT_TRUE(has_words(said.out, "less is better")) << said.out;
  expect_refusal(engram({"compare", "dense", "sparse", "-m", "forgeting"}), 64,
                 {"forgeting", "did you mean 'forgetting'?"});
}

TEST_F(Compare, RefusesOtherProtocolsAndSaysWhatDiffers) {
  save("dense", 0.6, {0, 1, 2});
  save("padded", 0.7, {0, 1, 2}, "tasks = 3\neval_pad = v1\ntrain_limit = 5\nbatch_size = 7\n");
  const Said said = engram({"compare", "dense", "padded"});
  expect_refusal(said, 65,
                 {"dense and padded", "eval_pad: none against v1", "train_limit: 0 against 5"});
  EXPECT_FALSE(has_words(said.err, "batch_size")) << said.err;
}

TEST_F(Compare, RefusesWhatHasNoSeedInCommon) {
  save("dense", 0.6, {0, 1});
  save("sparse", 0.7, {2, 3});
  expect_refusal(engram({"compare", "dense", "sparse"}), 65, {"no seed in common", "--seeds"});
}

TEST_F(Compare, NamesAndLeavesOutFilesThatAreNoResults) {
  save_two();
  const std::string whole = TempFolder::read(engram / "results/sparse/seed-4.h5");
  engram.folder().write("results/sparse/seed-4.h5", whole.substr(0, whole.size() / 2));
  engram.folder().write("results/dense/notes.h5", "not HDF5 at all");
  RunRecord unfinished = sample_run("dense", 3, 9);
  unfinished.complete = false;
  save_results(engram / "results/dense/seed-9.h5", unfinished, ForgettingDefinition::Chaudhry);
  const Said said = engram({"compare", "dense", "sparse"});
  EXPECT_EQ(said.code, 0) << said.err;
  for (const std::string part : {"left out", "sparse/seed-4.h5", "dense/notes.h5",
                                 "not an HDF5 file", "dense/seed-9.h5", "not complete"})
    EXPECT_TRUE(has_words(said.err, part)) << "'" << part << "' is missing in:\n" << said.err;
  EXPECT_TRUE(has_words(said.out, "do not both have it: seed 4")) << said.out;
}

TEST_F(Compare, AnArgumentThatContributesNothingIsAnError) {
  save_two();
  engram.folder().write("broken.h5", "not HDF5 at all");
  fs::create_directories(engram / "empty");
  expect_refusal(engram({"compare", "dense", "sparse", "broken.h5"}), 66,
                 {"no complete results file in broken.h5", "not an HDF5 file"});
  expect_refusal(engram({"compare", "dense", "empty"}), 66, {"results file in empty"});
  expect_refusal(engram({"compare", "empty"}), 66, {"empty"});
  expect_refusal(engram({"compare", "dense", "sprase"}), 66, {"sprase", "did you mean 'sparse'?"});
  expect_refusal(engram({"compare", ""}), 66, {"there are no results ''"});
}

TEST_F(Compare, SaysWhereResultsComeFromWhenThereAreNone) {
  expect_refusal(engram({"compare", "dense", "sparse"}), 66, {"'dense'", "results", "engram run"});
}

TEST_F(Compare, RefusesWhatIsNoComparison) {
  save_two();
  expect_refusal(engram({"compare"}), 64, {"which experiments?"});
  expect_refusal(engram({"compare", "dense"}), 64, {"'dense'", "second experiment"});
  expect_refusal(engram({"compare", "dense", "results/dense"}), 64, {"second experiment"});
  expect_refusal(engram({"compare", "dense", "sparse", "--level", "95"}), 64, {"level 95"});
  expect_refusal(engram({"compare", "dense", "sparse", "--resamples", "-5"}), 64, {"resamples -5"});
  expect_refusal(engram({"compare", "dense", "sparse", "--resamples", "many"}), 64, {"many"});
}

TEST_F(Compare, WritesTheSameFiguresAsJson) {
  save_two();
  const Said shown = engram({"compare", "results", "--json", "-", "--level", "0.9"});
  ASSERT_EQ(shown.code, 0) << shown.err;
  const auto json = nlohmann::json::parse(shown.out);
  EXPECT_EQ(json.at("format"), "engram comparison");
  EXPECT_EQ(json.at("metric"), "average_accuracy");
  EXPECT_EQ(json.at("level"), 0.9);
  EXPECT_EQ(json.at("experiments").size(), 2u);
  EXPECT_EQ(json.at("experiments").at(1).at("label"), "sparse");
  const auto& pair = json.at("pairs").at(0);
  EXPECT_EQ(pair.at("verdict"), "better");
  EXPECT_EQ(pair.at("seeds").size(), 5u);
  EXPECT_LT(0.08, pair.at("bca_interval").at("low").get<double>());

  const Said written = engram({"compare", "results", "--json", "out/c.json", "--level", "0.9"});
  EXPECT_EQ(written.code, 0) << written.err;
  EXPECT_TRUE(has_words(written.out, "90 % BCa")) << "tables as ever";
  EXPECT_EQ(TempFolder::read(engram / "out/c.json"), shown.out);
  engram.folder().write("occupied", "a file where a folder should be");
  EXPECT_EQ(engram({"compare", "results", "--json", "occupied/c.json"}).code, 73);
}

TEST_F(Compare, ComparesWhatRunHasJustWritten) {
  ASSERT_EQ(engram({"run", "tiny", "--seeds", "0..2", "--quiet"}).code, 0);
  ASSERT_EQ(
      engram({"run", "tiny", "--seeds", "0..2", "--quiet", "--set", "lr=0.0001", "--name", "slow"})
          .code,
      0);
  ASSERT_EQ(
      engram({"run", "tiny", "--seeds", "0..2", "--quiet", "--set", "tasks=3", "--name", "longer"})
          .code,
      0);
  const Said said = engram({"compare", "slow", "tiny"});
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_TRUE(has_words(said.out, "tiny keeps")) << said.out;
  expect_refusal(engram({"compare", "tiny", "longer"}), 65, {"tasks: 2 against 3"});
}

TEST_F(Compare, NamesThatAreNoUtf8AreStillJson) {
  std::error_code refused;
  if (!fs::create_directories(engram / "results/d\xff", refused))
    GTEST_SKIP() << "this file system takes no such names";
  save("d\xff", 0.6, {0, 1, 2});
  save("sparse", 0.7, {0, 1, 2});
  const Said said = engram({"compare", "results", "--json", "-"});
  ASSERT_EQ(said.code, 0) << said.err;
  EXPECT_FALSE(nlohmann::json::parse(said.out).empty());
}

}  // namespace
}  // namespace engram
