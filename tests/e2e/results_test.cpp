// What the program leaves behind for people: the page after a run, and the list of what is there.
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "exps/results_file.h"
#include "tests/e2e/program.h"
#include "tests/e2e/tiny_cfg.h"
#include "tests/exps/sample_run.h"

namespace engram {
namespace {
namespace fs = std::filesystem;

class Results : public testing::Test {
 protected:
  Program engram{kTinyCfg};
};

TEST_F(Results, ARunEndsWithAPageAboutWhatItShowed) {
  const Said one = engram({"run", "tiny", "--quiet"});
  ASSERT_EQ(one.code, 0) << one.err;
  EXPECT_TRUE(contains(one.out, "report:\n  results/tiny/report.html\n")) << one.out;
  const std::string page = TempFolder::read(engram / "results/tiny/report.html");
  EXPECT_TRUE(contains(page, "engram-data"));
  EXPECT_FALSE(contains(page, "tiny_sparse"));

  const Said both = engram({"run", "tiny", "tiny_sparse", "--quiet", "--seeds", "2,0,1"});
  ASSERT_EQ(both.code, 0) << both.err;
  EXPECT_TRUE(contains(both.out, "report:\n  results/report.html\n")) << both.out;
  const std::string shared = TempFolder::read(engram / "results/report.html");
  EXPECT_TRUE(contains(shared, "tiny_sparse"));
  EXPECT_TRUE(contains(shared, "\"seeds\":[0,1,2]")) << "seeds in any order are paired";

  fs::remove(engram / "results/report.html");
  const Said none = engram({"run", "tiny", "tiny_sparse", "--quiet", "--no-report"});
  EXPECT_FALSE(contains(none.out, "report:")) << none.out;
  EXPECT_FALSE(fs::exists(engram / "results/report.html"));
}

TEST_F(Results, GoToTheCheckoutWhereThatCanBeWrittenTo) {
  const auto run_at = [&](const fs::path& home) {
    return engram({"run", "tiny", "--no-report"},
                  [&] { ::setenv("ENGRAM_HOME", home.c_str(), 1); });
  };
  // Also when its results/ were removed.
  fs::create_directories(engram / "home");
  ASSERT_EQ(run_at(engram / "home").code, 0);
  EXPECT_TRUE(fs::exists(engram / "home/results/tiny/seed-0.h5"));
  EXPECT_FALSE(fs::exists(engram / "results"));
  // In a file nobody makes a folder, whoever it is.
  ASSERT_EQ(run_at(engram / "exps/tiny.cfg").code, 0);
  EXPECT_TRUE(fs::exists(engram / "results/tiny/seed-0.h5"));
}

TEST_F(Results, AFailingPageIsAnErrorButLosesNoResults) {
  fs::create_directories(engram / "results/tiny/report.html/in_the_way");
  const Said said = engram({"run", "tiny", "--quiet"});
  EXPECT_NE(said.code, 0);
  EXPECT_TRUE(contains(said.err, "report.html")) << said.err;
  EXPECT_TRUE(contains(said.out, "average accuracy")) << said.out;
  EXPECT_TRUE(load_results(engram / "results/tiny/seed-0.h5").complete);
}

TEST_F(Results, ListSaysWhatIsCompleteAndWhatIsNot) {
  ASSERT_EQ(engram({"run", "tiny", "--seeds", "0..2", "--quiet"}).code, 0);
  RunRecord open = sample_run("begun", 3, 0);
  open.complete = false;
  fs::create_directories(engram / "results/begun");
  save_results(engram / "results/begun/seed-0.h5", open, ForgettingDefinition::Chaudhry);
  engram.folder().write("results/killed/seed-4.checkpoint.h5", "whatever");
  engram.folder().write("results/foreign/seed-0.h5", "accuracy,1\n");
  const Said said = engram({"list", "results"});
  ASSERT_EQ(said.code, 0) << said.err;
  EXPECT_FALSE(contains(said.out, "\033"));
  const auto line = [&](const std::string& name) {
    const auto at = said.out.find("\n" + name + " ");
    EXPECT_NE(at, std::string::npos) << name << "\n" << said.out;
    return at == std::string::npos ? "" : said.out.substr(at + 1, said.out.find('\n', at + 1) - at);
  };
  EXPECT_TRUE(contains(line("tiny"), " 3 ")) << said.out;
  EXPECT_TRUE(contains(line("tiny"), " ± ") || contains(line("tiny"), "+-")) << said.out;
  EXPECT_TRUE(contains(line("begun"), " 1 ")) << said.out;
  EXPECT_TRUE(contains(line("killed"), " 1 ")) << said.out;
  EXPECT_TRUE(contains(said.err, "foreign/seed-0.h5")) << said.err;

  const Said missing = engram({"list", "results", "nowhere"});
  EXPECT_EQ(missing.code, 66);
  EXPECT_TRUE(contains(missing.err, "nowhere")) << missing.err;
}

TEST_F(Results, AnEmptyFolderIsNoError) {
  fs::create_directories(engram / "empty");
  const Said said = engram({"list", "results", "empty"});
  EXPECT_EQ(said.code, 0);
  EXPECT_TRUE(contains(said.out, "no results in 'empty' yet")) << said.out;
}

}  // namespace
}  // namespace engram
