// `engram reproduce` from outside, with published figures of the tiny experiments.
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "tests/e2e/program.h"
#include "tests/e2e/same_results.h"
#include "tests/e2e/tiny_cfg.h"

namespace engram {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPublished = R"([DEFAULT]
source = Nobody 2026
seeds = 0..1

[good]
run = tiny
metric = learning_accuracy
published = 0.5
band = 0.5

[too_good]
run = tiny
published = 0.05
band = 0.05

[too_bad]
run = tiny
published = 1.2
low = 1.1

[gap]
run = tiny_sparse
minus = tiny
published = 0
band = 1
effort = long
)";

class Reproduce : public ::testing::Test {
 protected:
  void SetUp() override { engram.folder().write("exps/published/nobody.cfg", kPublished); }
  Program engram{kTinyCfg};
};

TEST_F(Reproduce, ListsFiguresAndRunsNothing) {
  const Said said = engram({"reproduce", "--list"});
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_TRUE(contains(said.out, "Nobody 2026") && contains(said.out, "too_good") &&
              contains(said.out, "long"));
  EXPECT_EQ(engram({"reproduce", "--list", "--names", "nobody", "--nightly"}).out,
            "good\ntoo_good\ntoo_bad\n");
  EXPECT_FALSE(fs::exists(engram / "results"));
}

TEST_F(Reproduce, JudgesBothWaysAndReusesWhatIsThere) {
  const Said good = engram({"reproduce", "good", "gap"});
  EXPECT_EQ(good.code, 0) << good.err;
  EXPECT_TRUE(contains(good.out, "in band")) << good.out;
  const auto before = fs::last_write_time(engram / "results/tiny/seed-1.h5");
  const Said bad = engram({"reproduce", "all"});
  EXPECT_EQ(bad.code, 1) << bad.err;
  EXPECT_TRUE(contains(bad.out, "too high by") && contains(bad.out, "too low by")) << bad.out;
  EXPECT_TRUE(contains(bad.err, "4 of 4 runs complete, not repeated")) << bad.err;
  EXPECT_EQ(fs::last_write_time(engram / "results/tiny/seed-1.h5"), before);
  for (const std::string name : {"too_good", "too_bad"})
    EXPECT_EQ(engram({"reproduce", name}).code, 1) << name;
}

TEST_F(Reproduce, WritesItsRowsIntoAPage) {
  engram.folder().write("page.md", "# Ours\n\nby hand\n");
  ASSERT_EQ(engram({"reproduce", "good", "--write", "page.md"}).code, 0);
  ASSERT_EQ(engram({"reproduce", "too_bad", "--write", "page.md"}).code, 1);
  const std::string page = TempFolder::read(engram / "page.md");
  EXPECT_TRUE(page.starts_with("# Ours\n\nby hand\n\n<!-- engram reproduce: begin -->")) << page;
  EXPECT_TRUE(contains(page, "| `good` | `tiny` | learning accuracy | Nobody 2026 [V] |")) << page;
  EXPECT_TRUE(contains(page, "| `too_bad` |") && contains(page, "too low by")) << page;
  EXPECT_FALSE(contains(page, "`too_good`"));
}

TEST_F(Reproduce, LeavesOutAFigureWithoutItsData) {
  engram.folder().write("exps/own.cfg",
                        "[elsewhere]\ninherits = tiny\nbenchmark = own\ndata_path = not.npz\n");
  engram.folder().write("exps/published/more.cfg",
                        "[away]\nrun = elsewhere\nsource = S\npublished = 0.5\nband = 0.1\n");
  engram.folder().write("exps/published/nothing.cfg",
                        "[gone]\nrun = elsewhere\nsource = S\npublished = 0.5\nband = 0.1\n");
  for (const auto& [name, place] : {std::pair{"away", "more.cfg"}, {"gone", "nothing.cfg"}}) {
    const Said both = engram({"reproduce", name, "good"});  // before it in the list, and behind it
    EXPECT_EQ(both.code, 66) << both.err;
    EXPECT_TRUE(
        contains(both.err, std::string(name) + " is left out: exps/published/" + place + ":1: ") &&
        contains(both.err, "data_path = not.npz"))
        << both.err;
    EXPECT_TRUE(contains(both.out, "in band") && !contains(both.out, name)) << both.out;
  }
  const Said alone = engram({"reproduce", "away"});
  EXPECT_EQ(alone.code, 66);
  EXPECT_TRUE(contains(alone.err, "there is no such file") && !contains(alone.err, "left out"))
      << alone.err;
}

TEST_F(Reproduce, OfARunThatFailsNothingIsWritten) {
  engram.folder().write("exps/bad.cfg", "[explodes]\ninherits = tiny\nlr = 1e30\n");
  engram.folder().write("exps/published/more.cfg",
                        "[boom]\nrun = explodes\nsource = S\npublished = 0.5\nband = 0.1\n");
  const Said said = engram({"reproduce", "boom", "good", "--write", "page.md"});
  EXPECT_EQ(said.code, 76) << said.err;
  EXPECT_TRUE(contains(said.out, "unknown: a run is missing")) << said.out;
  const std::string page = TempFolder::read(engram / "page.md");
  EXPECT_TRUE(contains(page, "| `good` |") && !contains(page, "`boom`")) << page;
}

TEST_F(Reproduce, RefusesWhatItCannotRun) {
  const Said unknown = engram({"reproduce", "goood"});
  EXPECT_EQ(unknown.code, 64);
  EXPECT_TRUE(contains(unknown.err, "did you mean 'good'?")) << unknown.err;
  EXPECT_EQ(engram({"reproduce"}).code, 64);
  engram.folder().write("exps/published/more.cfg",
                        "[more]\nrun = tinny\nsource = S\npublished = 0.5\nband = 0.1\n");
  const Said missing = engram({"reproduce", "more"});
  EXPECT_EQ(missing.code, 78);
  EXPECT_TRUE(contains(missing.err, "exps/published/more.cfg:1") && contains(missing.err, "'tiny'"))
      << missing.err;
}

}  // namespace
}  // namespace engram
