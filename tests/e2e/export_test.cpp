// `engram export` from outside.
#include <fcntl.h>
#include <filesystem>
#include <string>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "exps/results_file.h"
#include "tests/e2e/program.h"
#include "tests/exps/sample_run.h"

namespace engram {
namespace {
namespace fs = std::filesystem;

class ExportCommand : public testing::Test {
 protected:
  void SetUp() override {
    for (const std::uint64_t seed : {0, 1, 2}) {
      save("naive", seed, 0.2);
      save("replay", seed, 0.02);
    }
    engram.folder().write("results/naive/foreign.h5", "accuracy,1\n");
  }
  void save(const std::string& name, std::uint64_t seed, double fading) {
    const fs::path file = engram / ("results/" + name + "/seed-" + std::to_string(seed) + ".h5");
    fs::create_directories(file.parent_path());
    save_results(file, sample_run(name, 4, seed, fading), ForgettingDefinition::Chaudhry);
  }
  void expect_refusal(const std::vector<std::string>& words, int code, const std::string& part) {
    const Said said = engram(words);
    EXPECT_EQ(said.code, code) << said.err;
    EXPECT_EQ(said.out, "");
    EXPECT_TRUE(contains(said.err, part)) << said.err;
  }

  Program engram{"[tiny]\nbenchmark = synthetic\n"};
};

TEST_F(ExportCommand, WritesEveryKindOfFileAndSaysWhich) {
  const Said tables = engram({"export", "results", "--format", "csv", "-o", "out/tables"});
  ASSERT_EQ(tables.code, 0) << tables.err;
  EXPECT_TRUE(contains(tables.err, "foreign.h5")) << tables.err;
  EXPECT_TRUE(contains(tables.out, "out/tables/definitions.csv\n")) << tables.out;
  EXPECT_TRUE(
      contains(TempFolder::read(engram / "out/tables/definitions.csv"), "Chaudhry et al. 2018"));
  for (const auto& [format, file, begin] : {std::tuple{"json", "export.json", "{"},
                                            {"npz", "export.npz", "PK"},
                                            {"latex", "export.tex", "% needs"}}) {
    const Said said = engram({"export", "results", "--format", format});
    EXPECT_EQ(said.code, 0) << said.err;
    EXPECT_EQ(said.out, std::string(file) + "\n");
    EXPECT_TRUE(TempFolder::read(engram / file).starts_with(begin)) << file;
  }
}

TEST_F(ExportCommand, PrintsOneFileToStdout) {
  const Said table =
      engram({"export", "results/naive", "--format", "csv", "--table", "metrics", "-o", "-"});
  ASSERT_EQ(table.code, 0) << table.err;
  EXPECT_TRUE(table.out.starts_with("experiment,seed,metric,value\nnaive,0,average_accuracy,0.6"))
      << table.out;
  EXPECT_TRUE(
      contains(engram({"export", "results", "--format", "latex", "-o", "-"}).out, "\\toprule"));
}

TEST_F(ExportCommand, RefusesWhatItCannotDo) {
  expect_refusal({"export", "results", "--format", "cvs"}, 64, "did you mean 'csv'?");
  expect_refusal({"export", "results", "--format", "csv", "--table", "metric"}, 64, "'metrics'");
  expect_refusal({"export", "results", "--format", "json", "--table", "metrics"}, 64, "csv");
  expect_refusal({"export", "results", "--format", "csv", "-o", "-"}, 64, "--table");
  expect_refusal({"export", "results", "--format", "json", "-o", "results/naive/seed-0.h5"}, 64,
                 "would replace a results file");
  expect_refusal({"export", "results"}, 64, "--format");
  expect_refusal({"export", "--format", "csv"}, 64, "which results");
  expect_refusal({"export", "results", "--format", "svg", "--width", "0"}, 64, "--width");
  expect_refusal({"export", "nowhere", "--format", "csv"}, 66, "nowhere");
  expect_refusal({"export", "results/naive/foreign.h5", "--format", "csv"}, 66, "foreign.h5");
  engram.folder().write("occupied", "a file where a folder should be");
  expect_refusal({"export", "results", "--format", "csv", "-o", "occupied/x"}, 73, "occupied");
}

TEST_F(ExportCommand, DrawsFiguresOrSaysWhichPackageDraws) {
  const auto no_programs = [] { ::setenv("PATH", "/nonexistent", 1); };
  const Said none = engram({"export", "results", "--format", "svg", "-o", "figures"}, no_programs);
  EXPECT_EQ(none.code, 66) << none.err;
  EXPECT_TRUE(contains(none.err, "gnuplot-nox")) << none.err;
  const Said said = engram({"export", "results", "--format", "svg", "-o", "figures"});
  ASSERT_EQ(said.code, 0) << said.err;
  for (const char* name : {"curves", "metrics", "matrix-naive", "matrix-replay"}) {
    const std::string file = std::string("figures/") + name + ".svg";
    EXPECT_TRUE(contains(said.out, file)) << said.out;
    EXPECT_TRUE(contains(TempFolder::read(engram / file), "<svg")) << file;
  }
  EXPECT_TRUE(
      contains(TempFolder::read(engram / "figures/definitions.csv"), "forgetting,\"mean over"));
}

TEST_F(ExportCommand, EndsAtCtrlCWithoutAWord) {
  // Nobody reads, so the program waits in the middle of its output.
  const fs::path pipe = engram / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const int end = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(end, 0);
  const int room = ::fcntl(end, F_SETPIPE_SZ, 4096);
  Process process(engram.folder().path(), {"export", "results", "--format", "json", "-o", "-"}, {},
                  pipe);
  EXPECT_TRUE(process.wait_until([&] {
    int waiting = 0;
    return ::ioctl(end, FIONREAD, &waiting) == 0 && waiting >= room;
  }));
  process.signal(SIGINT);
  EXPECT_TRUE(!process.wait_until([] { return false; }) && process.ended());
  EXPECT_EQ(process.wait().code, 130);
  ::close(end);
}

}  // namespace
}  // namespace engram
