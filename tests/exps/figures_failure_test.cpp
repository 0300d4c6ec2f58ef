// gnuplot that is missing, fails, dies or draws nothing; none of these needs the real one.
#include <cmath>
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exps/export/figures.h"
#include "tests/exps/sample_run.h"
#include "tests/utils/temp_folder.h"
#include "utils/error.h"

namespace engram {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

ResultsSet one_run() {
  ResultsSet set;
  set.experiments.push_back({.label = "e", .runs = {sample_run("e", 3, 0)}});
  return set;
}

/// Figures go to out_, everything temporary to temporary_.
class FailingFigures : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(temporary_);
    ::setenv("TMPDIR", temporary_.c_str(), 1);
    path_ = std::getenv("PATH");
  }
  void TearDown() override {
    ::setenv("PATH", path_.c_str(), 1);
    ::unsetenv("TMPDIR");
    EXPECT_TRUE(fs::is_empty(temporary_)) << "something was left";
  }

  /// Only this is found as gnuplot: a script for the shell, or nothing.
  void use_instead_of_gnuplot(const std::string& script) {
    ::setenv("PATH", (home_ / "bin").c_str(), 1);
    if (script.empty()) return;
    const fs::path file = home_.write("bin/gnuplot", "#!/bin/sh\n" + script + "\n");
    fs::permissions(file, fs::perms::owner_all);
  }

  std::string failure(Fault fault) {
    try {
      write_figures(one_run(), out_, {});
    } catch (const Error& error) {
      EXPECT_EQ(error.fault(), fault);
      return error.what();
    }
    ADD_FAILURE() << "nothing was thrown";
    return {};
  }

  TempFolder home_;
  const fs::path out_ = home_ / "out", temporary_ = home_ / "tmp";
  std::string path_;
};

TEST_F(FailingFigures, MissingGnuplotNamesThePackage) {
  use_instead_of_gnuplot("");
  EXPECT_THAT(failure(Fault::MissingInput), HasSubstr("gnuplot-nox"));
  EXPECT_FALSE(fs::exists(out_ / "curves.svg"));
}

TEST_F(FailingFigures, FailingGnuplotIsQuoted) {
  use_instead_of_gnuplot("echo 'line 3: undefined' >&2; echo half > figure.out; exit 3");
  const std::string words = failure(Fault::Internal);
  EXPECT_THAT(words, HasSubstr("code 3"));
  EXPECT_THAT(words, HasSubstr("line 3: undefined"));
  EXPECT_THAT(words, HasSubstr("curves.svg"));
  EXPECT_FALSE(fs::exists(out_ / "curves.svg"));
}

TEST_F(FailingFigures, KilledOrIdleGnuplotIsAnError) {
  use_instead_of_gnuplot("kill -9 $$");
  EXPECT_THAT(failure(Fault::Internal), HasSubstr("Killed"));
  use_instead_of_gnuplot("exit 0");
  EXPECT_THAT(failure(Fault::Internal), HasSubstr("drew nothing"));
  EXPECT_FALSE(fs::exists(out_ / "curves.svg"));
}

TEST_F(FailingFigures, NoTemporaryFolderIsAnError) {
  ::setenv("TMPDIR", (home_ / "nowhere").c_str(), 1);
  EXPECT_THAT(failure(Fault::CannotWrite), HasSubstr("TMPDIR"));
}

TEST_F(FailingFigures, WidthsThatNoPaperHasAreRefused) {
  for (const double width : {0.0, -3.0, 1.9, 21.0, std::nan("")})
    EXPECT_THROW(write_figures(one_run(), out_, {.width = width}), Error) << width;
}

}  // namespace
}  // namespace engram
