// The completion script is run by the shell that it is for.
#include <cstdlib>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "tests/e2e/program.h"

namespace engram {
namespace {

class Completion : public testing::Test {
 protected:
  void SetUp() override {
    if (std::system("bash -c true") != 0) GTEST_SKIP() << "there is no bash";
    const Said script = engram({"completion", "bash"});
    ASSERT_EQ(script.code, 0) << script.err;
    engram.folder().write("completion.bash", script.out);
    std::filesystem::create_directories(engram / "results/my_results");
  }

  /// What is offered for the last of the words.
  std::string offered(const std::string& words) {
    engram.folder().write(
        "ask.bash",
        "set -u\nunset ENGRAM_HOME\ncompopt() { :; }  # works only while completing\nsource "
        "./completion.bash\nCOMP_WORDS=(" +
            std::string(ENGRAM_BINARY) + " " + words +
            ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_engram\n" +
            "printf '%s\\n' \"${COMPREPLY[@]}\"\n");
    const std::string folder = engram.folder().path().string();
    const std::string command = "cd '" + folder + "' && bash ask.bash >offered.txt 2>failed.txt";
    EXPECT_EQ(std::system(command.c_str()), 0) << TempFolder::read(engram / "failed.txt");
    EXPECT_EQ(TempFolder::read(engram / "failed.txt"), "") << words;
    return "\n" + TempFolder::read(engram / "offered.txt");
  }

  Program engram{"[tiny]\nbenchmark = synthetic\n"};
};

TEST_F(Completion, OffersCommandsNamesAndOptions) {
  EXPECT_NE(offered("com").find("\ncompare\n"), std::string::npos);
  EXPECT_NE(offered("run ti").find("\ntiny\n"), std::string::npos);
  EXPECT_NE(offered("sweep ti").find("\ntiny\n"), std::string::npos);
  EXPECT_NE(offered("sweep tiny --grid hidden_u").find("\nhidden_units=\n"), std::string::npos);
  EXPECT_NE(offered("sweep tiny --selection fir").find("\nfirst_tasks\n"), std::string::npos);
  EXPECT_NE(offered("reproduce a").find("\nall\n"), std::string::npos);
  EXPECT_NE(offered("list re").find("\nresults\n"), std::string::npos);
  EXPECT_NE(offered("export my").find("\nmy_results\n"), std::string::npos);
  EXPECT_NE(offered("report --ti").find("\n--title\n"), std::string::npos);
  EXPECT_NE(offered("export x --format n").find("\nnpz\n"), std::string::npos);
  EXPECT_NE(offered("run --set hidden_u").find("\nhidden_units=\n"), std::string::npos);
  EXPECT_EQ(offered("compare --metric a"), "\n\n") << "no guesses for free values";
}

}  // namespace
}  // namespace engram
