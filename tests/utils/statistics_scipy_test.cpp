// The same numbers through SciPy (statistics_reference.py); a few seconds, for its bootstraps.
#include <cmath>
#include <cstdlib>
#include <map>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/utils/temp_folder.h"
#include "utils/statistics.h"

namespace engram::stats {
namespace {

using Values = std::vector<double>;

constexpr const char* kPython = "/usr/bin/python3";
constexpr int kResamples = 100'000;

Values drawn(int n, std::uint64_t seed, double (*value)(Rng&)) {
  Rng rng(seed);
  Values out;
  for (int i = 0; i < n; ++i)
    out.push_back(value(rng));
  return out;
}

const std::map<std::string, Values>& questions() {
  static const std::map<std::string, Values> kQuestions{
      {"sleep", {-1.2, -2.4, -1.3, -1.3, 0.0, -1.0, -1.8, -0.8, -4.6, -1.4}},
      {"few", {0.061, 0.048, 0.072, 0.055, 0.039}},
      {"tied", {1, -2, 2, 3, 3, -1, 4, 4, 4, 0, 5, -3}},
      {"normal", drawn(60, 1, [](Rng& rng) { return rng.normal() + 0.2; })},
      {"skewed", drawn(25, 2, [](Rng& rng) { return -std::log(1 - rng.uniform()); })}};
  return kQuestions;
}

TEST(StatisticsAgainstScipy, AgreesInEveryFigure) {
  const std::string python = kPython;
  if (std::system((python + " -c 'import scipy' 2>/dev/null").c_str()) != 0)
    GTEST_SKIP() << kPython << " has no SciPy: install python3-scipy";
  const TempFolder folder;
  std::string asked;
  for (const auto& [name, d] : questions())
    asked += fmt::format("{} {}\n", name, fmt::join(d, " "));
  folder.write("questions", asked);
  const std::string command =
      python + " '" ENGRAM_SOURCE_DIR "/tests/utils/statistics_reference.py' '" +
      (folder / "questions").string() + "' '" + (folder / "answers").string() + "'";
  ASSERT_EQ(std::system(command.c_str()), 0);
  std::map<std::string, double> answers;  // by "name figure"
  std::istringstream lines(TempFolder::read(folder / "answers"));
  std::string whose, figure, number;
  while (lines >> whose >> figure >> number)
    answers[whose + " " + figure] = std::stod(number);

  for (const auto& [name, d] : questions()) {
    SCOPED_TRACE(name);
    const auto scipy = [&, who = name](const char* what) { return answers.at(who + " " + what); };
    const double spread = sd(d);
    EXPECT_NEAR(paired_t(d).statistic, scipy("t"), 1e-9);
    EXPECT_NEAR(paired_t(d).p, scipy("t_p"), 1e-9);
    EXPECT_NEAR(t_interval(d).low, scipy("t_low"), 1e-9);
    EXPECT_NEAR(t_interval(d).high, scipy("t_high"), 1e-9);
    EXPECT_NEAR(wilcoxon_signed_rank(d).p, scipy("wilcoxon_p"), 1e-9);
    EXPECT_NEAR(hedges_gz(d), scipy("hedges_gz"), 1e-9);
    EXPECT_EQ(pairs_needed(spread, 0.5 * spread + 0.1), std::lround(scipy("pairs")));
    // Two bootstraps of so many draws differ by about 0.01 standard errors of the mean; of five
    // values there are so few different means that a quantile may jump to the next one.
    const double noise =
        (d.size() > 5 ? 0.06 : 0.12) * spread / std::sqrt(static_cast<double>(d.size()));
    const Interval bca = bca_interval(d, 0.95, kResamples, Rng(0).fork("bca"));
    EXPECT_NEAR(bca.low, scipy("bca_low"), noise);
    EXPECT_NEAR(bca.high, scipy("bca_high"), noise);
    if (name == "skewed") {
      EXPECT_GT(bca.low - scipy("percentile_low"), noise) << "the plain interval would not do";
      EXPECT_GT(bca.high - scipy("percentile_high"), noise);
    }
  }
}

}  // namespace
}  // namespace engram::stats
