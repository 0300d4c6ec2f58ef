// The program from outside: what it answers to wrong input, and what it leaves alone.
#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <sys/resource.h>
#include <vector>

#include <gtest/gtest.h>

#include "tests/e2e/program.h"
#include "tests/e2e/same_results.h"
#include "tests/e2e/tiny_cfg.h"

namespace engram {
namespace {

namespace fs = std::filesystem;

const std::string kTiny = std::string(kTinyCfg) + R"(
[misspelt]
inherits = tiny
hiden_units = 40

[bad_value]
inherits = tiny
epochs = soon

[out_of_range]
inherits = tiny
dropout = 1.5

[orphan]
inherits = tinny

[egg]
inherits = hen
[hen]
inherits = egg

[other_data]
inherits = tiny
benchmark = mnist

[too_many]
inherits = tiny
stream = split
tasks = 7
)";

/// "exps/tiny.cfg:N", the line of kTiny that begins with `text`.
std::string place_of(const std::string& text) {
  const std::string& all = kTiny;
  const auto at = all.find("\n" + text);
  EXPECT_NE(at, std::string::npos) << text;
  const auto lines = std::count(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(at), '\n');
  return "exps/tiny.cfg:" + std::to_string(lines + 2);
}

/// One line on stderr that names all parts, and nothing on stdout.
void expect_refusal(const Said& said, int code, const std::vector<std::string>& parts) {
  EXPECT_EQ(said.code, code) << said.err;
  EXPECT_EQ(said.out, "");
  for (const std::string& part : parts)
    EXPECT_TRUE(contains(said.err, part)) << "'" << part << "' is missing in: " << said.err;
  const auto last = said.err.rfind("engram: ");
  ASSERT_NE(last, std::string::npos) << said.err;
  EXPECT_EQ(said.err.find('\n', last), said.err.size() - 1) << "more than one line: " << said.err;
}

class Cli : public ::testing::Test {
 protected:
  Program engram{kTiny};
};

TEST_F(Cli, NamesTheNearestCommand) {
  expect_refusal(engram({"rum"}), 64, {"'rum'", "did you mean 'run'?"});
}

TEST_F(Cli, NamesTheNearestOption) {
  expect_refusal(engram({"run", "tiny", "--seds", "1"}), 64, {"--seds", "--seeds"});
  expect_refusal(engram({"run", "tiny", "--seeds", "4..1"}), 64, {"4..1"});
  expect_refusal(engram({"run", "tiny", "--jobs", "0"}), 64, {"--jobs 0"});
}

TEST_F(Cli, HelpsWithEveryCommand) {
  for (const std::string command : {"run", "sweep", "reproduce", "list", "show", "compare",
                                    "report", "export", "data", "bench", "test", "completion"}) {
    const Said said = engram({"help", command});
    EXPECT_EQ(said.code, 0);
    EXPECT_TRUE(contains(said.out, "usage: engram " + command)) << said.out;
    EXPECT_TRUE(contains(said.out, "examples:"));
    EXPECT_EQ(said.out, engram({command, "--help"}).out);
  }
  EXPECT_TRUE(engram({"--version"}).out.starts_with("engram "));
}

TEST_F(Cli, NamesPlaceAndNearestKeyOfAMisspeltSetting) {
  expect_refusal(engram({"run", "misspelt"}), 78,
                 {place_of("hiden_units"), "hiden_units", "did you mean 'hidden_units'?"});
  expect_refusal(engram({"run", "tiny", "--set", "hiden_units=3"}), 78,
                 {"--set", "hiden_units", "hidden_units"});
}

TEST_F(Cli, NamesPlaceAndTypeOfABadValue) {
  expect_refusal(engram({"run", "bad_value"}), 78, {place_of("epochs = soon"), "soon", "epochs"});
  expect_refusal(engram({"run", "out_of_range"}), 78, {place_of("dropout"), "dropout", "1.5"});
  expect_refusal(engram({"run", "tiny", "--set", "epochs"}), 64, {"--set epochs", "key=value"});
}

TEST_F(Cli, NamesPlaceOfAMissingBaseAndOfACircle) {
  expect_refusal(engram({"run", "orphan"}), 78, {place_of("inherits = tinny"), "tinny", "'tiny'"});
  expect_refusal(engram({"run", "egg"}), 78, {"egg -> hen -> egg"});
}

TEST_F(Cli, KnowsItsExperiments) {
  expect_refusal(engram({"run", "tiny_spars"}), 78, {"tiny_spars", "did you mean 'tiny_sparse'?"});
  expect_refusal(engram({"run", "nowhere.cfg:x"}), 66, {"nowhere.cfg"});
  const Said names = engram({"list", "experiments", "--names"});
  EXPECT_TRUE(names.out.starts_with("tiny\ntiny_sparse\n")) << names.out;
}

TEST_F(Cli, ChecksAllExperimentsBeforeAnythingTrains) {
  expect_refusal(engram({"run", "tiny", "too_many"}), 78, {"too_many"});
  EXPECT_FALSE(fs::exists(engram / "results"));
}

TEST_F(Cli, SaysHowToGetMissingData) {
  fs::create_directories(engram / "empty");
  expect_refusal(engram({"run", "other_data", "--data", "empty"}), 66,
                 {"mnist", "empty", "engram data fetch mnist"});
}

TEST_F(Cli, SaysThatAFolderCannotBeWritten) {
  engram.folder().write("occupied", "a file where a folder should be");
  expect_refusal(engram({"run", "tiny", "--out", "occupied", "--quiet"}), 73, {"occupied"});
}

TEST_F(Cli, SaysThatTheDiskIsFullAndKeepsWhatWasThere) {
  ASSERT_EQ(engram({"run", "tiny"}).code, 0);
  const std::string before = TempFolder::read(engram / "results/tiny/seed-0.h5");
  const auto files = [&] {
    std::set<fs::path> found;
    for (const auto& entry : fs::directory_iterator(engram / "results/tiny"))
      found.insert(entry.path().filename());
    return found;
  };
  const std::set<fs::path> there = files();
  const auto tiny_disk = [] {
    const rlimit limit{8192, 8192};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    ::signal(SIGXFSZ, SIG_IGN);
  };
  const Said said = engram({"run", "tiny", "--force", "--quiet"}, tiny_disk);
  expect_refusal(said, 74, {"seed-0.h5"});
  EXPECT_EQ(TempFolder::read(engram / "results/tiny/seed-0.h5"), before);
  EXPECT_EQ(files(), there) << "something was left behind";
}

TEST_F(Cli, SaysThatItsOwnOutputDidNotArrive) {
  if (!fs::exists("/dev/full")) GTEST_SKIP();
  const Said said = engram({"list", "options"}, {}, "/dev/full");
  EXPECT_EQ(said.code, 74) << said.err;
}

TEST_F(Cli, PrintsResultsToStdoutAndProgressElsewhere) {
  const Said said = engram({"run", "tiny", "--seeds", "0,1", "--jobs", "2"});
  ASSERT_EQ(said.code, 0) << said.err;
  EXPECT_FALSE(contains(said.out, "started")) << said.out;
  EXPECT_FALSE(contains(said.out, "\r"));
  EXPECT_FALSE(contains(said.out, "\033"));
  EXPECT_TRUE(contains(said.out, "results/tiny/seed-{0,1}.h5")) << said.out;
  EXPECT_TRUE(contains(said.err, "tiny seed 1: done in")) << said.err;
  EXPECT_FALSE(contains(said.err, "\033")) << said.err;
  const Said quiet = engram({"run", "tiny", "--seeds", "2", "--quiet"});
  EXPECT_EQ(quiet.err, "");
}

TEST_F(Cli, RepeatsAFinishedRunOnlyWhenForced) {
  const fs::path file = engram / "results/tiny/seed-0.h5";
  ASSERT_EQ(engram({"run", "tiny"}).code, 0);
  const auto written = fs::last_write_time(file);
  const Said again = engram({"run", "tiny"});
  EXPECT_EQ(again.code, 0);
  EXPECT_TRUE(contains(again.err, "complete, not repeated")) << again.err;
  EXPECT_TRUE(contains(again.out, "results/tiny/seed-0.h5")) << "results are shown all the same";
  EXPECT_EQ(fs::last_write_time(file), written);
  EXPECT_LT(again.seconds, 3.0);
  EXPECT_EQ(engram({"run", "tiny", "--force"}).code, 0);
  EXPECT_NE(fs::last_write_time(file), written);
}

TEST_F(Cli, NeverMixesSettingsInAFolder) {
  ASSERT_EQ(engram({"run", "tiny"}).code, 0);
  ASSERT_EQ(engram({"run", "tiny", "--set", "lr=0.05"}).code, 0);
  ASSERT_EQ(engram({"run", "tiny", "--set", "lr=0.05", "--name", "slow"}).code, 0);
  std::vector<std::string> folders;
  for (const auto& entry : fs::directory_iterator(engram / "results"))
    folders.push_back(entry.path().filename().string());
  std::sort(folders.begin(), folders.end());
  ASSERT_EQ(folders.size(), 3u);
  EXPECT_EQ(folders[0], "slow");
  EXPECT_EQ(folders[1], "tiny");
  EXPECT_EQ(folders[2].substr(0, 5), "tiny~");
  EXPECT_EQ(folders[2].size(), 13u);
  expect_same_results(engram / "results/slow/seed-0.h5",
                      engram / ("results/" + folders[2] + "/seed-0.h5"));
  expect_refusal(engram({"run", "tiny", "--name", "slow"}), 78, {"--name", "--force"});
  expect_refusal(engram({"run", "tiny", "--name", "../x"}), 64, {"../x"});
}

TEST_F(Cli, ADryRunTrainsNothingAndNeedsNoData) {
  fs::create_directories(engram / "empty");
  const Said said = engram({"run", "other_data", "--dry-run", "--data", "empty"});
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_TRUE(contains(said.out, place_of("benchmark = mnist"))) << said.out;
  EXPECT_TRUE(contains(said.out, "linear")) << said.out;
  EXPECT_TRUE(contains(said.out, "results/other_data/seed-0.h5  new")) << said.out;
  EXPECT_FALSE(fs::exists(engram / "results"));
}

TEST_F(Cli, ShowsEachSettingWithItsSource) {
  const Said said = engram({"show", "tiny_sparse", "--set", "lr=0.25"});
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_TRUE(contains(said.out, place_of("sparsify"))) << said.out;
  EXPECT_TRUE(contains(said.out, "lr = 0.25"));
  EXPECT_TRUE(contains(said.out, "# --set"));
  EXPECT_TRUE(contains(said.out, "# default"));
}

TEST_F(Cli, AFailingRunStopsNoOther) {
  engram.folder().write("results/tiny_sparse", "a file where a folder should be");
  const Said said = engram({"run", "tiny_sparse", "tiny", "--jobs", "2"});
  EXPECT_EQ(said.code, 73) << said.err;
  EXPECT_TRUE(contains(said.err, "tiny_sparse")) << said.err;
  EXPECT_TRUE(contains(said.out, "results/tiny/seed-0.h5")) << said.out;
}

}  // namespace
}  // namespace engram
