#include "utils/options.h"

#include <array>
#include <bit>
#include <cmath>

#include <gtest/gtest.h>

#include "utils/rng.h"

namespace engram {
enum class Shade { Light, Dark };
template <>
struct Choices<Shade> {
  static constexpr std::array<std::string_view, 2> names{"light", "dark"};
};

namespace {

TEST(Options, ReadEverySpellingOfABool) {
  for (const char* text : {"true", "True", "TRUE", "yes", "On", "1"}) {
    bool value = false;
    EXPECT_TRUE(option::parse(text, value)) << text;
    EXPECT_TRUE(value) << text;
  }
  for (const char* text : {"false", "False", "NO", "off", "0"}) {
    bool value = true;
    EXPECT_TRUE(option::parse(text, value)) << text;
    EXPECT_FALSE(value) << text;
  }
}

TEST(Options, RefuseWhatIsNoBool) {
  bool value = true;
  for (const char* text : {"", "2", "tru", "truee", "y", "true "})
    EXPECT_FALSE(option::parse(text, value)) << text;
  EXPECT_TRUE(value);
}

TEST(Options, RefuseWhatIsNoInteger) {
  int value = 7;
  for (const char* text : {"", "-", "3.0", "1e3", "3 ", " 3", "3x", "0x10", "2147483648", "nan"})
    EXPECT_FALSE(option::parse(text, value)) << text;
  EXPECT_EQ(value, 7);
  EXPECT_TRUE(option::parse("-2147483648", value));
  EXPECT_EQ(value, std::numeric_limits<int>::min());
}

TEST(Options, ReadSeedsOf64Bits) {
  std::uint64_t value = 7;
  EXPECT_TRUE(option::parse("18446744073709551615", value));
  EXPECT_EQ(value, std::numeric_limits<std::uint64_t>::max());
  EXPECT_FALSE(option::parse("18446744073709551616", value));
  EXPECT_FALSE(option::parse("-1", value));
}

TEST(Options, RefuseWhatIsNoFiniteNumber) {
  double value = 7;
  for (const char* text :
       {"", ".", "nan", "-nan", "inf", "-inf", "infinity", "1e999", "1,5", "0.5x", "0.5 ", "0x1p3"})
    EXPECT_FALSE(option::parse(text, value)) << text;
  EXPECT_EQ(value, 7);
}

TEST(Options, ReadNumbersInAnyUsualNotation) {
  double value = 0;
  EXPECT_TRUE(option::parse("1e-3", value));
  EXPECT_EQ(value, 0.001);
  EXPECT_TRUE(option::parse("-.5", value));
  EXPECT_EQ(value, -0.5);
  EXPECT_TRUE(option::parse("400", value));
  EXPECT_EQ(value, 400.0);
}

TEST(Options, PrintNumbersThatReadBackToTheSameBits) {
  Rng rng(3);
  for (int i = 0; i < 20000; ++i) {
    const std::uint64_t bits = std::uint64_t{rng.bits32()} << 32 | rng.bits32();
    const double value = std::bit_cast<double>(bits);
    // Numbers below the smallest normal one are left out: no option means them.
    if (!std::isnormal(value)) continue;
    double back = 0;
    ASSERT_TRUE(option::parse(option::print(value), back)) << option::print(value);
    ASSERT_EQ(std::bit_cast<std::uint64_t>(back), bits);
  }
}

TEST(Options, PrintTheShortestText) {
  EXPECT_EQ(option::print(0.1), "0.1");
  EXPECT_EQ(option::print(400.0), "400");
  EXPECT_EQ(option::print(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(option::print(true), "true");
  EXPECT_EQ(option::print(-3), "-3");
}

TEST(Options, ReadAndPrintLists) {
  std::vector<int> widths{1};
  EXPECT_TRUE(option::parse(" 400 ,400,10 ", widths));
  EXPECT_EQ(widths, (std::vector<int>{400, 400, 10}));
  EXPECT_EQ(option::print(widths), "400, 400, 10");
  std::vector<std::string> names;
  EXPECT_TRUE(option::parse("ewc,er", names));
  EXPECT_EQ(names, (std::vector<std::string>{"ewc", "er"}));
  EXPECT_EQ(option::print(names), "ewc, er");
  std::vector<double> rates;
  EXPECT_TRUE(option::parse("0.5, 1e-1", rates));
  EXPECT_EQ(option::print(rates), "0.5, 0.1");
}

TEST(Options, TakeEmptyTextForAnEmptyList) {
  std::vector<std::string> names{"left over"};
  EXPECT_TRUE(option::parse("", names));
  EXPECT_TRUE(names.empty());
  std::vector<int> widths{1};
  EXPECT_TRUE(option::parse("  ", widths));
  EXPECT_TRUE(widths.empty());
  EXPECT_EQ(option::print(widths), "");
}

TEST(Options, RefuseListsWithGapsAndKeepTheOldValue) {
  std::vector<int> widths{1, 2};
  for (const char* text : {"400,", ",400", "400,,10", ",", "400 10", "400, x"})
    EXPECT_FALSE(option::parse(text, widths)) << text;
  EXPECT_EQ(widths, (std::vector<int>{1, 2}));
}

TEST(Options, ReadChoicesByName) {
  Shade shade = Shade::Light;
  EXPECT_TRUE(option::parse("dark", shade));
  EXPECT_EQ(shade, Shade::Dark);
  EXPECT_FALSE(option::parse("drak", shade));
  EXPECT_EQ(option::print(Shade::Dark), "dark");
  EXPECT_EQ(option::type_name<Shade>(), "light | dark");
}

TEST(Options, WriteAnEmptyOptionalAsAuto) {
  std::optional<int> value = 3;
  EXPECT_TRUE(option::parse("auto", value));
  EXPECT_FALSE(value.has_value());
  EXPECT_EQ(option::print(value), "auto");
  EXPECT_TRUE(option::parse("12", value));
  EXPECT_EQ(value, 12);
  EXPECT_FALSE(option::parse("automatic", value));
  EXPECT_EQ(option::type_name<std::optional<int>>(), "auto | integer");
}

TEST(Ranges, KnowTheirEnds) {
  const Range half_open = Range::at_least(0).below(1);
  EXPECT_TRUE(half_open.contains(0));
  EXPECT_TRUE(half_open.contains(0.999));
  EXPECT_FALSE(half_open.contains(1));
  EXPECT_FALSE(half_open.contains(-1e-300));
  EXPECT_FALSE(Range::above(0).contains(0));
  EXPECT_TRUE(Range::fraction().contains(1));
  EXPECT_FALSE(Range::any().contains(std::nan("")));
}

TEST(Ranges, DescribeThemselves) {
  EXPECT_EQ(Range::at_least(0).below(1).text(), "in [0, 1)");
  EXPECT_EQ(Range::above(0).at_most(0.5).text(), "in (0, 0.5]");
  EXPECT_EQ(Range::above(0).text(), "> 0");
  EXPECT_EQ(Range::at_least(1).text(), ">= 1");
  EXPECT_EQ(Range::any().below(3).text(), "< 3");
  EXPECT_EQ(Range::any().at_most(3).text(), "<= 3");
  EXPECT_EQ(Range::any().text(), "");
}

TEST(Ranges, HoldForEveryNumberOfAListAndOnlyForNumbers) {
  const Range positive = Range::above(0);
  EXPECT_TRUE(option::within(std::vector<int>{1, 2}, positive));
  EXPECT_FALSE(option::within(std::vector<int>{1, 0}, positive));
  EXPECT_FALSE(option::within(std::vector<double>{-0.5}, positive));
  EXPECT_TRUE(option::within(std::optional<int>{}, positive));
  EXPECT_FALSE(option::within(std::optional<int>{0}, positive));
  EXPECT_TRUE(option::within(false, positive));
  EXPECT_TRUE(option::within(std::string("0"), positive));
}

struct Sample {
  int tasks = 10;
  double rate = 0.5;
  std::optional<double> decay;
  template <class V>
  void describe(V&& v) {
    v("tasks|num_batch|experiences", tasks, Range::at_least(1), "how many tasks");
    v("rate", rate, "a number");
    v("decay", decay, "another");
  }
};

TEST(Options, AreListedWithDefaultsAliasesAndRanges) {
  const auto options = list_options<Sample>();
  ASSERT_EQ(options.size(), 3u);
  EXPECT_EQ(options[0].key, "tasks");
  EXPECT_EQ(options[0].aliases, (std::vector<std::string>{"num_batch", "experiences"}));
  EXPECT_EQ(options[0].type, "integer");
  EXPECT_EQ(options[0].value, "10");
  EXPECT_EQ(options[0].range, ">= 1");
  EXPECT_EQ(options[0].help, "how many tasks");
  EXPECT_EQ(options[1].value, "0.5");
  EXPECT_EQ(options[1].range, "");
  EXPECT_EQ(options[2].value, "auto");
  EXPECT_EQ(options[2].type, "auto | number");
}

}  // namespace
}  // namespace engram
