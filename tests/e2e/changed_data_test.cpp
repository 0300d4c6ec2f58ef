// Data that changed between runs, from outside: no mean, no difference and no choice is of two
// states of one data set, and what is of one is shown all the same.
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/e2e/program.h"
#include "tests/e2e/same_results.h"
#include "tests/e2e/stripes.h"
#include "tests/e2e/tiny_cfg.h"
#include "utils/provenance.h"

namespace engram {
namespace {

namespace fs = std::filesystem;

std::string data_of(const fs::path& results) {
  return find_fact(load_results(results).provenance, "data_sha256");
}
/// As if a run had been made before the data changed.
void make_of_before(const fs::path& results) {
  RunRecord run = load_results(results);
  for (auto& [name, text] : run.provenance)
    if (name == "data_sha256") text = "of before";
  save_results(results, run, ForgettingDefinition::Chaudhry);
}

const std::string kCfg = std::string(kTinyCfg) + R"(
[tiny_other]
inherits = tiny
lr = 0.05

[keeps]
inherits = tiny
keep_weights = yes

[own]
benchmark = own
data_path = one
stream = split
tasks = 3
classes_per_task = 1
scenario = class
hidden = 8
batch_size = 5

[own_two]
inherits = own
)";

class ChangedData : public ::testing::Test {
 protected:
  Program engram{kCfg};

  /// The folder below o/ whose name begins so.
  fs::path final_folder(const std::string& prefix) const {
    for (const auto& entry : fs::directory_iterator(engram / "o"))
      if (entry.path().filename().string().starts_with(prefix)) return entry.path();
    ADD_FAILURE() << "no folder " << prefix;
    return {};
  }
  Said sweep(const std::string& name, const std::vector<std::string>& more = {}) {
    std::vector<std::string> words{"sweep",       name,     "--out", "o",
                                   "--selection", "oracle", "--set", "selection_seeds=7"};
    words.insert(words.end(), more.begin(), more.end());
    return engram(words);
  }
};

TEST_F(ChangedData, NoMeanIsOverTwoStatesOfItAndOthersAreShown) {
  ASSERT_EQ(engram({"run", "tiny", "tiny_other", "--seeds", "0,1", "--no-report"}).code, 0);
  make_of_before(engram / "results/tiny/seed-1.h5");
  const Said said = engram({"run", "tiny", "tiny_other", "--seeds", "0,1"});
  EXPECT_EQ(said.code, 65) << said.err;
  EXPECT_TRUE(contains(said.err, "are of different data; run all seeds anew with --force"))
      << said.err;
  EXPECT_TRUE(contains(said.out, "results/tiny_other/seed-{0,1}.h5")) << said.out;
  EXPECT_FALSE(contains(said.out, "results/tiny/")) << said.out;
  EXPECT_TRUE(fs::exists(engram / "results/tiny_other/report.html"));
}

TEST_F(ChangedData, OneFigureThatCannotBeJudgedKeepsNoOther) {
  engram.folder().write("exps/published/nobody.cfg", R"([DEFAULT]
source = Nobody 2026
seeds = 0..1
published = 0
band = 1

[of_tiny]
run = tiny

[of_other]
run = tiny_other

[gap]
run = tiny_other
minus = tiny
)");
  ASSERT_EQ(engram({"reproduce", "all"}).code, 0);
  for (const char* seed : {"0", "1"})
    make_of_before(engram / fmt::format("results/tiny/seed-{}.h5", seed));
  const Said gap = engram({"reproduce", "all"});
  EXPECT_EQ(gap.code, 65) << gap.err;
  EXPECT_TRUE(contains(gap.err, "gap: ") && contains(gap.err, "are of different data")) << gap.err;
  EXPECT_FALSE(contains(gap.err, "of_tiny: ")) << "each of its two seeds is of the same";
  EXPECT_TRUE(contains(gap.out, "of_tiny") && contains(gap.out, "of_other") &&
              contains(gap.out, "in band"));
  ASSERT_EQ(engram({"run", "tiny", "--seeds", "0", "--force", "--no-report"}).code, 0);
  const Said mixed = engram({"reproduce", "of_tiny", "of_other"});
  EXPECT_EQ(mixed.code, 65) << mixed.err;
  EXPECT_TRUE(contains(mixed.err, "of_tiny: ") && contains(mixed.err, "--force")) << mixed.err;
  EXPECT_TRUE(contains(mixed.out, "of_other") && !contains(mixed.out, "of_tiny")) << mixed.out;
}

TEST_F(ChangedData, NoPointsOverTwoStatesOfItAreHeldAgainstOneAnother) {
  const std::vector<std::string> grid{"--grid", "lr=0.1,0.001"};
  ASSERT_EQ(sweep("tiny", grid).code, 0);
  std::vector<fs::path> points;
  for (const auto& entry : fs::recursive_directory_iterator(engram / "o"))
    if (entry.path().filename() == "seed-7.h5") points.push_back(entry.path());
  ASSERT_EQ(points.size(), 2u);
  make_of_before(points[0]);
  const Said said = sweep("tiny", grid);
  EXPECT_EQ(said.code, 65) << said.err;
  EXPECT_TRUE(contains(said.err, "are of different data; repeat all points with --force"))
      << said.err;
  EXPECT_TRUE(contains(said.out, "0.001")) << "the points are shown all the same: " << said.out;
  EXPECT_FALSE(contains(said.out, "chosen")) << said.out;
}

TEST_F(ChangedData, AFinalRunIsNoCopyOfResultsOfBeforeNorWithoutItsWeights) {
  ASSERT_EQ(engram({"run", "tiny", "--out", "o", "--no-report"}).code, 0);
  make_of_before(engram / "o/tiny/seed-0.h5");
  const Said said = sweep("tiny");
  ASSERT_EQ(said.code, 0) << said.err;
  EXPECT_FALSE(contains(said.err, "runs complete, not repeated")) << said.err;
  EXPECT_EQ(data_of(final_folder("tiny@oracle~") / "seed-0.h5").size(), 64u);

  ASSERT_EQ(engram({"run", "keeps", "--out", "o", "--no-report"}).code, 0);
  fs::remove(engram / "o/keeps/seed-0.weights.h5");
  ASSERT_EQ(sweep("keeps").code, 0);
  EXPECT_TRUE(fs::exists(final_folder("keeps@oracle~") / "seed-0.weights.h5"));
}

TEST_F(ChangedData, FinalRunsAreOverTheDataOfTheChoice) {
  const std::vector<std::string> two_seeds{"--seeds", "0,1"};
  ASSERT_EQ(sweep("tiny", two_seeds).code, 0);
  const fs::path folder = final_folder("tiny@oracle~");
  make_of_before(folder / "seed-1.h5");
  const Said said = sweep("tiny", two_seeds);
  EXPECT_EQ(said.code, 65) << said.err;
  EXPECT_TRUE(contains(said.err, "seed-1.h5 is of other data than the runs that chose"))
      << said.err;
  EXPECT_FALSE(contains(said.out, "results:")) << said.out;
  auto forced = two_seeds;
  forced.emplace_back("--force");
  EXPECT_EQ(sweep("tiny", forced).code, 0);
  EXPECT_EQ(data_of(folder / "seed-1.h5").size(), 64u);
}

TEST_F(ChangedData, NoFinalRunIsTrainedOnDataThatChangedSinceTheChoice) {
  put_stripes(engram / "one", 10);
  ASSERT_EQ(sweep("own", {"--data", "."}).code, 0);
  fs::remove_all(final_folder("own@oracle~"));  // as if it had been stopped before them
  put_stripes(engram / "one", 60);
  const Said said = sweep("own", {"--data", "."});
  EXPECT_EQ(said.code, 65) << said.err;
  EXPECT_TRUE(contains(said.err, "would be of other data than the runs that chose")) << said.err;
}

TEST_F(ChangedData, OfSeveralDataSetsOneMayBeChosen) {
  put_stripes(engram / "one", 10);
  put_stripes(engram / "two", 60);
  const Said said = sweep("own_two", {"--data", ".", "--grid", "data_path=one,two"});
  ASSERT_EQ(said.code, 0) << said.err;
  EXPECT_EQ(data_of(final_folder("own_two@oracle~") / "seed-0.h5").size(), 64u);
}

}  // namespace
}  // namespace engram
