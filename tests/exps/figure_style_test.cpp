#include "exps/export/figure_style.h"

#include <cmath>
#include <set>
#include <tuple>

#include <gtest/gtest.h>

namespace engram::figure {
namespace {

TEST(FigureStyle, AxesAreRoundAndHoldAllValues) {
  const auto check = [](const std::vector<double>& values, double low, double high, double step) {
    const Axis axis = round_axis(values);
    EXPECT_NEAR(axis.low, low, 1e-9);
    EXPECT_NEAR(axis.high, high, 1e-9);
    EXPECT_NEAR(axis.step, step, 1e-9);
  };
  check({}, 0, 100, 20);
  check({std::nan(""), 52.3, 97.8}, 50, 100, 10);
  check({83.2, 93}, 80, 95, 5);
  check({0.3, 0.6}, 0, 1, 0.2);
  check({-3, 41}, -20, 60, 20);
  check({100}, 99.6, 100.4, 0.2);
}

TEST(FigureStyle, TicksOfTasksAreWholeAndFew) {
  EXPECT_EQ(task_ticks(1, 10), "(1)");
  EXPECT_EQ(task_ticks(5, 10), "(1, 2, 3, 4, 5)");
  EXPECT_EQ(task_ticks(20, 10), "(1, 5, 10, 15, 20)");
  EXPECT_EQ(task_ticks(100, 10), "(1, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100)");
}

TEST(FigureStyle, NamesAreCutInTheMiddleAndStayDifferent) {
  const double room = text_width("twelve chars", 7);
  const auto names = fitting({"short", "a_long_name~deadbeef", "naïve_naïve_naïve"}, room, 7);
  EXPECT_EQ(names[0], "short");
  EXPECT_EQ(names[1], "a_lon…adbeef");
  EXPECT_EQ(names[2], "naïve…_naïve");
  const auto alike = fitting({"a_long_name_1_with_an_end", "a_long_name_2_with_an_end"}, room, 7);
  EXPECT_EQ(alike[0], "1: a_l…_end");
  EXPECT_EQ(alike[1], "2: a_l…_end");
}

TEST(FigureStyle, NamesOfAnyLengthFit) {
  for (const std::string& name : {std::string(100'000, 'x'), std::string(), std::string("ab")}) {
    const std::string fitted = fitting({name}, 2, 7).front();
    EXPECT_LE(text_width(fitted, 7), 2);
    EXPECT_EQ(fitted.empty(), name.empty());
  }
}

TEST(FigureStyle, TwentyExperimentsLookDifferent) {
  std::set<std::tuple<std::string, int>> in_colour;
  std::set<std::tuple<int, std::string>> in_grey;
  for (std::size_t e = 0; e < 20; ++e) {
    const Look look = look_of(e);
    EXPECT_TRUE(in_colour.emplace(look.colour, look.point).second) << e;
    EXPECT_TRUE(in_grey.emplace(look.point, look.dash).second) << e;
  }
}

TEST(FigureStyle, QuotedTextHasNoQuoteOfItsOwn) {
  EXPECT_EQ(gnuplot::quoted("a_b"), "'a_b'");
  EXPECT_EQ(gnuplot::quoted("'a'"), "''.apostrophe.'a'.apostrophe.''");
  EXPECT_EQ(gnuplot::quoted("a\n\tb\x7f"), "'a  b '");
  EXPECT_EQ(gnuplot::quoted("\xffx"), "'\uFFFDx'");
}

}  // namespace
}  // namespace engram::figure
