#include "exps/export/figures.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/exps/sample_run.h"
#include "tests/utils/temp_folder.h"

namespace engram {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::HasSubstr;

constexpr const char* kPython = "/usr/bin/python3";

std::size_t count_in(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), {}));
}

bool is_installed(const std::string& program) {
  return std::system((program + " --version >/dev/null 2>&1").c_str()) == 0;
}

ExperimentRuns experiment(const std::string& label, int tasks, int seeds, double fading = 0.1) {
  ExperimentRuns out{.label = label};
  for (int seed = 0; seed < seeds; ++seed)
    out.runs.push_back(sample_run("e", tasks, static_cast<std::uint64_t>(seed), fading));
  return out;
}

/// As joint training leaves it: one row before, one after all tasks.
ExperimentRuns joint(const std::string& label, int tasks, int seeds) {
  ExperimentRuns out = experiment(label, tasks, seeds, 0);
  const auto n = static_cast<std::size_t>(tasks);
  for (RunRecord& run : out.runs)
    for (std::size_t i = 1; i < n; ++i)
      for (std::size_t j = 0; j < n; ++j)
        run.accuracy(i, j) = kNotEvaluated;
  return out;
}

/// Figures go to out_, everything temporary to temporary_.
class Figures : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(temporary_);
    ::setenv("TMPDIR", temporary_.c_str(), 1);
  }
  void TearDown() override {
    ::unsetenv("TMPDIR");
    EXPECT_EQ(count_in(temporary_), 0u) << "something was left, or made by a label";
  }

  std::vector<fs::path> draw(const ResultsSet& set, FigureFormat format = FigureFormat::Svg,
                             double width = 3.3) {
    return write_figures(set, out_, {.format = format, .width = width});
  }

  /// The texts of an SVG file as a foreign parser of XML reads them.
  std::vector<std::string> texts_of(const fs::path& file) {
    const fs::path list = home_ / "texts.txt";
    const fs::path script =
        home_.write("texts.py",
                    "import sys, xml.dom.minidom as dom\n"
                    "page = dom.parse(sys.argv[1])\n"
                    "with open(sys.argv[2], 'w', encoding='utf-8') as out:\n"
                    "  for text in page.getElementsByTagName('text'):\n"
                    "    out.write(''.join(n.data for n in text.childNodes) + '\\n')\n");
    const std::string command =
        fmt::format("{} '{}' '{}' '{}'", kPython, script.string(), file.string(), list.string());
    EXPECT_EQ(std::system(command.c_str()), 0) << file << " is not well-formed";
    std::vector<std::string> out;
    std::ifstream in(list);
    for (std::string line; std::getline(in, line);)
      out.push_back(line.substr(std::min(line.find_first_not_of(' '), line.size())));
    return out;
  }

  TempFolder home_;
  const fs::path out_ = home_ / "out", temporary_ = home_ / "tmp";
};

#define NEEDS(program) \
  if (!is_installed(program)) GTEST_SKIP() << program << " is not installed"

TEST_F(Figures, SvgHoldsNamesAxesAndNumbers) {
  NEEDS("gnuplot");
  NEEDS(kPython);
  const auto files = draw({{experiment("dense_net", 3, 3), experiment("sparse_net", 3, 3)}, {}});
  EXPECT_EQ(files,
            (std::vector<fs::path>{out_ / "curves.svg", out_ / "metrics.svg",
                                   out_ / "matrix-dense_net.svg", out_ / "matrix-sparse_net.svg"}));
  EXPECT_EQ(count_in(out_), files.size());
  const auto curves = texts_of(files[0]), metrics = texts_of(files[1]), cells = texts_of(files[2]);
  for (const char* text :
       {"tasks learnt", "average accuracy, %", "dense_net", "sparse_net", "1", "2", "3"})
    EXPECT_THAT(curves, Contains(text));
  for (const char* text : {"final accuracy, %", "forgetting, points", "dense_net", "sparse_net"})
    EXPECT_THAT(metrics, Contains(text));
  double sum = 0;
  for (const RunRecord& run : experiment("", 3, 3).runs)
    sum += run.accuracy(2, 0);
  for (const std::string& text :
       {std::string("accuracy on task"), std::string("after learning task"),
        std::string("accuracy, %"), std::string("dense_net, mean of 3 seeds"),
        fmt::format("{:.1f}", 100 * sum / 3)})
    EXPECT_THAT(cells, Contains(text));
}

TEST_F(Figures, OneSeedHasNoBand) {
  NEEDS("gnuplot");
  const auto three = TempFolder::read(draw({{experiment("e", 4, 3)}, {}})[0]);
  const auto one = TempFolder::read(draw({{experiment("e", 4, 1)}, {}})[0]);
  EXPECT_THAT(three, HasSubstr("fill-opacity"));
  EXPECT_THAT(one, testing::Not(HasSubstr("fill-opacity")));
}

TEST_F(Figures, PngHas300DotsPerInch) {
  NEEDS("gnuplot");
  for (const double width : {3.3, 7.0})
    for (const fs::path& file : draw({{experiment("e", 3, 2)}, {}}, FigureFormat::Png, width)) {
      const std::string bytes = TempFolder::read(file);
      ASSERT_GT(bytes.size(), 24u) << file;
      EXPECT_EQ(bytes.substr(0, 8), "\x89PNG\r\n\x1a\n") << file;
      unsigned pixels = 0;
      for (std::size_t i = 16; i < 20; ++i)
        pixels = pixels << 8 | static_cast<unsigned char>(bytes[i]);
      EXPECT_EQ(pixels, static_cast<unsigned>(300 * width + 0.5)) << file;
    }
}

TEST_F(Figures, PdfIsAPdf) {
  NEEDS("gnuplot");
  for (const fs::path& file : draw({{experiment("e", 3, 2)}, {}}, FigureFormat::Pdf)) {
    const std::string bytes = TempFolder::read(file);
    EXPECT_TRUE(bytes.starts_with("%PDF-")) << file;
    EXPECT_THAT(bytes.substr(bytes.size() - 10), HasSubstr("%%EOF")) << file;
    EXPECT_THAT(bytes, testing::Not(HasSubstr("/CreationDate"))) << file;
  }
}

TEST_F(Figures, TheSameResultsGiveTheSameBytes) {
  NEEDS("gnuplot");
  const ResultsSet set{{experiment("a", 4, 3), experiment("b", 4, 3, 0.2)}, {}};
  for (const auto format : {FigureFormat::Svg, FigureFormat::Pdf, FigureFormat::Png}) {
    std::vector<std::string> first;
    for (const fs::path& file : draw(set, format))
      first.push_back(TempFolder::read(file));
    const auto again = draw(set, format);
    for (std::size_t i = 0; i < again.size(); ++i)
      EXPECT_EQ(first[i], TempFolder::read(again[i])) << again[i];
  }
}

// gnuplot's folder is one below temporary_, which TearDown() finds empty.
TEST_F(Figures, LabelsAreTextWhateverTheyHold) {
  NEEDS("gnuplot");
  NEEDS(kPython);
  const std::vector<std::string> labels{"\"; system(\"touch ../X\"); #",
                                        "'; system(\"touch ../X\"); #",
                                        "'.system('touch ../X').'",
                                        "'",
                                        "''a''",
                                        "`touch ../X`",
                                        "$(touch ../X)",
                                        "a\nsystem(\"touch ../X\")",
                                        "a'\nsystem('touch ../X')\n'",
                                        "@GPVAL_PWD %g {/Bold b}_c^d",
                                        "back\\slash \\n \\",
                                        "<script>&amp;]]></svg>",
                                        "&#x41;&#65;&lt;",
                                        "not UTF-8 \xff\x80",
                                        "naïve – 学习",
                                        ""};
  ResultsSet set;
  for (const std::string& label : labels)
    set.experiments.push_back(experiment(label, 2, 2));
  const auto files = draw(set, FigureFormat::Svg, 7);
  ASSERT_EQ(files.size(), 2 + labels.size());
  std::set<std::string> names;
  for (const fs::path& file : files) {
    EXPECT_EQ(file.parent_path(), out_);
    EXPECT_EQ(file.filename().string().find_first_not_of(
                  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+=~"),
              std::string::npos)
        << file;
    EXPECT_TRUE(names.insert(file.filename().string()).second) << file;
  }
  const auto curves = texts_of(files[0]), metrics = texts_of(files[1]);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    std::string shown = labels[i].starts_with("not") ? "not UTF-8 \uFFFD\uFFFD" : labels[i];
    std::replace(shown.begin(), shown.end(), '\n', ' ');
    EXPECT_THAT(curves, Contains(shown));
    EXPECT_THAT(metrics, Contains(shown));
    EXPECT_THAT(texts_of(files[2 + i]), Contains(shown + ", mean of 2 seeds"));
  }
  EXPECT_FALSE(fs::exists(temporary_ / "X"));
}

TEST_F(Figures, NamesOfFilesDifferAlsoWithoutCase) {
  NEEDS("gnuplot");
  const auto files =
      draw({{experiment("Net", 2, 1), experiment("net", 2, 1), experiment("../net /x", 2, 1)}, {}});
  EXPECT_EQ(files[2], out_ / "matrix-Net.svg");
  EXPECT_EQ(files[3], out_ / "matrix-net-2.svg");
  EXPECT_EQ(files[4], out_ / "matrix-.._net__x.svg");
}

TEST_F(Figures, OneTaskJointTrainingAndManyTasksAreDrawn) {
  NEEDS("gnuplot");
  NEEDS(kPython);
  for (const auto& set : {ResultsSet{{experiment("a", 1, 3), experiment("b", 1, 1)}, {}},
                          ResultsSet{{joint("joint", 5, 3)}, {}},
                          ResultsSet{{joint("joint", 5, 1), experiment("e", 100, 2, 0.005)}, {}}})
    for (const fs::path& file : draw(set))
      EXPECT_FALSE(texts_of(file).empty()) << file;
  // Forgetting of joint training does not exist, and the figure says so.
  EXPECT_THAT(texts_of(draw({{joint("joint", 5, 3)}, {}})[1]), Contains("not defined"));
}

TEST_F(Figures, NothingEvaluatedGivesEmptyFigures) {
  NEEDS("gnuplot");
  NEEDS(kPython);
  ResultsSet set{{experiment("empty", 3, 2)}, {}};
  for (RunRecord& run : set.experiments[0].runs)
    run.accuracy.fill(kNotEvaluated);
  for (const fs::path& file : draw(set))
    EXPECT_FALSE(texts_of(file).empty()) << file;
  EXPECT_TRUE(draw({}).empty());
}

TEST_F(Figures, TwentyExperimentsAllHaveTheirNames) {
  NEEDS("gnuplot");
  NEEDS(kPython);
  ResultsSet set;
  for (int i = 0; i < 20; ++i)
    set.experiments.push_back(experiment(fmt::format("experiment_{}", i), 3, 2, 0.01 * i));
  const auto files = draw(set);
  EXPECT_EQ(files.size(), 22u);
  const auto curves = texts_of(files[0]), metrics = texts_of(files[1]);
  for (const ExperimentRuns& e : set.experiments) {
    EXPECT_THAT(curves, Contains(e.label));
    EXPECT_THAT(metrics, Contains(e.label));
  }
}

}  // namespace
}  // namespace engram
