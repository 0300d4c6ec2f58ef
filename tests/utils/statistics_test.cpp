// Against textbook values, against counting by brute force, and (statistics_scipy_test.cpp) against
// SciPy.
#include "utils/statistics.h"

#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include <gtest/gtest.h>

namespace engram::stats {
namespace {

using Values = std::vector<double>;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinite = std::numeric_limits<double>::infinity();

/// Extra hours of sleep under two drugs, first minus second (Student 1908; Cushny & Peebles 1905).
const Values kSleep{-1.2, -2.4, -1.3, -1.3, 0.0, -1.0, -1.8, -0.8, -4.6, -1.4};

/// Wilcoxon's two-sided p by trying all assignments of signs.
double p_by_enumeration(const Values& differences) {
  Values d;
  for (const double x : differences)
    if (x != 0) d.push_back(x);
  Values ranks;
  for (const double x : d) {
    double below = 0, equal = 0;
    for (const double y : d)
      below += std::abs(y) < std::abs(x), equal += std::abs(y) == std::abs(x);
    ranks.push_back(below + (equal + 1) / 2);
  }
  double observed = 0;
  for (std::size_t i = 0; i < d.size(); ++i)
    observed += d[i] > 0 ? ranks[i] : 0;
  double at_most = 0, at_least = 0;
  const std::size_t all = std::size_t{1} << d.size();
  for (std::size_t signs = 0; signs < all; ++signs) {
    double w = 0;
    for (std::size_t i = 0; i < d.size(); ++i)
      w += (signs >> i & 1) ? ranks[i] : 0;
    at_most += w <= observed, at_least += w >= observed;
  }
  return std::min(1.0, 2 * std::min(at_most, at_least) / static_cast<double>(all));
}

void expect_unknown(const Interval& i) {
  EXPECT_TRUE(std::isnan(i.low) && std::isnan(i.high)) << i.low << " to " << i.high;
}

TEST(Statistics, MeanAndSpreadOfEqualValuesAreExact) {
  const Values same(7, 0.1);  // whose plain sum divided by 7 is not 0.1
  EXPECT_EQ(mean(same), 0.1);
  EXPECT_EQ(sd(same), 0.0);
  EXPECT_DOUBLE_EQ(mean(Values{2, 4, 4, 4, 5, 5, 7, 9}), 5);
  EXPECT_DOUBLE_EQ(sd(Values{2, 4, 4, 4, 5, 5, 7, 9}), std::sqrt(32.0 / 7));
}

TEST(Statistics, StudentsSleepDataGiveTheTextbookFigures) {
  const auto t = paired_t(kSleep);
  EXPECT_NEAR(t.statistic, -4.0621, 5e-5);
  EXPECT_NEAR(t.p, 0.002833, 5e-7);
  EXPECT_EQ(t.n, 10);
  const Interval i = t_interval(kSleep);
  EXPECT_NEAR(i.low, -2.4598858, 5e-8);
  EXPECT_NEAR(i.high, -0.7001142, 5e-8);
}

TEST(Statistics, TIntervalsFollowTheLevel) {
  // Mean 3, SD sqrt(2.5), n = 5; 2.7764 and 4.6041 are the quantiles of t with 4 degrees of
  // freedom.
  const Values five{1, 2, 3, 4, 5};
  EXPECT_NEAR(t_interval(five, 0.95).high, 3 + 2.776445 * std::sqrt(0.5), 1e-6);
  EXPECT_NEAR(t_interval(five, 0.99).low, 3 - 4.604095 * std::sqrt(0.5), 1e-6);
}

TEST(Statistics, WilcoxonAgreesWithItsTables) {
  // n = 10, T = 8 is the textbook's limit for 5 %: 25 of 1024 assignments reach 8 or less.
  const Values ten{-1, 2, 3, 4, 5, 6, -7, 8, 9, 10};
  const auto w = wilcoxon_signed_rank(ten);
  EXPECT_EQ(w.statistic, 47);
  EXPECT_TRUE(w.exact);
  EXPECT_DOUBLE_EQ(w.p, 50.0 / 1024);
  EXPECT_DOUBLE_EQ(wilcoxon_signed_rank(Values{1, 2, 3, 4, 5}).p, 0.0625) << "the least with five";
  EXPECT_DOUBLE_EQ(wilcoxon_signed_rank(Values{-1, -2, -3, -4, -5, -6}).p, 0.03125);
}

TEST(Statistics, WilcoxonWithTiesAndZerosAgreesWithEnumeration) {
  EXPECT_DOUBLE_EQ(wilcoxon_signed_rank(kSleep).p, 2.0 / 512) << "nine differences, all negative";
  EXPECT_EQ(wilcoxon_signed_rank(kSleep).n, 9);
  Rng rng(3);
  for (int round = 0; round < 60; ++round) {
    Values d(1 + rng.below(11));
    const double grid = 1 + rng.below(6);  // few different magnitudes: many ties and zeros
    for (double& x : d)
      x = std::round(rng.uniform(-grid, grid + 1));
    const auto w = wilcoxon_signed_rank(d);
    if (w.n == 0) continue;
    EXPECT_NEAR(w.p, p_by_enumeration(d), 1e-14) << ::testing::PrintToString(d);
  }
}

TEST(Statistics, WilcoxonCountsFiftyExactlyAndApproximatesMore) {
  Rng rng(5);
  Values d;
  for (int i = 0; i < 50; ++i)
    d.push_back(rng.normal() + 0.3);
  const auto fifty = wilcoxon_signed_rank(d);
  d.push_back(1e-9);  // the least rank
  const auto more = wilcoxon_signed_rank(d);
  EXPECT_TRUE(fifty.exact);
  EXPECT_FALSE(more.exact);
  EXPECT_NEAR(more.p, fifty.p, 0.1 * fifty.p);

  // With ties: the variance of W is a quarter of the sum of the squared ranks.
  Values tied;
  for (int i = 0; i < 80; ++i)
    tied.push_back((i % 8 + 1) * (i % 3 == 0 ? -1 : 1));
  double w = 0, squares = 0, sum = 0;
  for (const double x : tied) {
    const double rank = 10 * (std::abs(x) - 1) + 5.5;  // ten of each magnitude
    w += x > 0 ? rank : 0, squares += rank * rank, sum += rank;
  }
  const double z = (std::abs(w - sum / 2) - 0.5) / std::sqrt(squares / 4);
  EXPECT_NEAR(wilcoxon_signed_rank(tied).p, std::erfc(z / std::sqrt(2.0)), 1e-12);
}

TEST(Statistics, HolmCorrectsStepByStepAndNeverReorders) {
  // 0.005 * 4, 0.01 * 3, 0.03 * 2, and 0.04 may not end up below the one before.
  const Values corrected = holm(Values{0.01, 0.04, 0.03, 0.005});
  const Values by_hand{0.03, 0.06, 0.06, 0.02};
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_DOUBLE_EQ(corrected[i], by_hand[i]) << i;
  EXPECT_EQ(holm(Values{0.7, 0.6}), (Values{1, 1}));
  EXPECT_EQ(holm(Values{0.2}), Values{0.2});
  EXPECT_TRUE(holm(Values{}).empty());
}

TEST(Statistics, HolmLeavesUnknownPValuesOutOfTheCount) {
  const Values corrected = holm(Values{kNaN, 0.01, kNaN, 0.04});
  EXPECT_TRUE(std::isnan(corrected[0]) && std::isnan(corrected[2]));
  EXPECT_DOUBLE_EQ(corrected[1], 0.02);
  EXPECT_DOUBLE_EQ(corrected[3], 0.04);
}

TEST(Statistics, HedgesCorrectionShrinksTheEffect) {
  // Gamma(9/2) / (sqrt(9/2) Gamma(4)) with Gamma(9/2) = 105 sqrt(pi) / 16.
  const double correction = 105 * std::sqrt(std::acos(-1.0)) / 16 / (std::sqrt(4.5) * 6);
  EXPECT_NEAR(hedges_gz(kSleep), correction * mean(kSleep) / sd(kSleep), 1e-12);
  EXPECT_NEAR(hedges_gz(Values{1, 2, 3}), 2 / std::sqrt(std::acos(-1.0)), 1e-12)
      << "J(2) = 1 / sqrt(pi)";
}

TEST(Statistics, PairsNeededAgreeWithGPower) {
  // G*Power 3.1, "means: difference between two dependent means", two tails, alpha = 0.05.
  EXPECT_EQ(pairs_needed(1, 0.2), 199);
  EXPECT_EQ(pairs_needed(1, 0.5), 34);
  EXPECT_EQ(pairs_needed(1, 0.8), 15);
  EXPECT_EQ(pairs_needed(1, 1), 10);
  EXPECT_EQ(pairs_needed(1, 0.5, 0.05, 0.9), 44);
  EXPECT_EQ(pairs_needed(1, 0.5, 0.05, 0.95), 54);
  EXPECT_EQ(pairs_needed(0.03, 0.015), 34) << "only the quotient counts";
}

TEST(Statistics, PairsNeededKnowItsLimits) {
  for (const double effect : {12.0, 1e2, 1e4, 1e8})
    EXPECT_EQ(pairs_needed(1, effect), 2) << effect;
  EXPECT_EQ(pairs_needed(1, 1e-9), 1'000'000);
  EXPECT_EQ(pairs_needed(1, 0.1, 0.3, 0.3), 2) << "both tails: a test at 0.3 has that power";
  for (const double unknown : {0.0, -1.0, kNaN, kInfinite}) {
    EXPECT_EQ(pairs_needed(unknown, 1), 0) << unknown;
    EXPECT_EQ(pairs_needed(1, unknown), 0) << unknown;
  }
  int last = 2;
  for (const double effect : {5.0, 2.0, 1.5, 1.2, 0.7, 0.3, 0.1, 0.03}) {
    EXPECT_GE(pairs_needed(1, effect), last) << effect;
    last = pairs_needed(1, effect);
  }
}

TEST(Statistics, BcaRepeatsToTheBit) {
  const Interval a = bca_interval(kSleep, 0.95, 2000, Rng(1).fork("x"));
  const Interval b = bca_interval(kSleep, 0.95, 2000, Rng(1).fork("x"));
  EXPECT_EQ(std::bit_cast<std::uint64_t>(a.low), std::bit_cast<std::uint64_t>(b.low));
  EXPECT_EQ(std::bit_cast<std::uint64_t>(a.high), std::bit_cast<std::uint64_t>(b.high));
  const Interval other = bca_interval(kSleep, 0.95, 2000, Rng(2).fork("x"));
  EXPECT_NE(a.low, other.low);
}

TEST(Statistics, BcaTurnsWithItsValues) {
  Values turned, moved;
  for (const double x : kSleep)
    turned.push_back(-x), moved.push_back(3 * x + 100);
  for (const int resamples : {7, 5000}) {  // few ones show how values between draws are found
    const Interval straight = bca_interval(kSleep, 0.9, resamples, Rng(1));
    const Interval mirrored = bca_interval(turned, 0.9, resamples, Rng(1));
    EXPECT_NEAR(straight.low, -mirrored.high, 1e-9);
    EXPECT_NEAR(straight.high, -mirrored.low, 1e-9);
    const Interval shifted = bca_interval(moved, 0.9, resamples, Rng(1));
    EXPECT_NEAR(shifted.low, 3 * straight.low + 100, 1e-9);
    EXPECT_NEAR(shifted.high, 3 * straight.high + 100, 1e-9);
  }
}

TEST(Statistics, BcaLeansTowardsTheLongTail) {
  const Values skewed{0.1, 0.2, 0.2, 0.3, 0.4, 0.5, 0.6, 0.9, 1.5, 4.0};
  const Interval i = bca_interval(skewed, 0.95, 20'000, Rng(1));
  EXPECT_GT(i.high - mean(skewed), 1.3 * (mean(skewed) - i.low));
  const Interval wide = bca_interval(skewed, 0.99, 20'000, Rng(1));
  EXPECT_LT(wide.low, i.low);
  EXPECT_GT(wide.high, i.high);
}

TEST(Statistics, BcaStaysWithinTwoValues) {
  for (const int resamples : {1, 2, 10, 1000}) {
    const Interval i = bca_interval(Values{1, 2}, 0.95, resamples, Rng(1));
    EXPECT_LE(1, i.low);
    EXPECT_LE(i.low, i.high);
    EXPECT_LE(i.high, 2);
  }
}

TEST(Statistics, SaysUnknownWhereNothingCanBeKnown) {
  for (const Values& v : {Values{}, Values{1}, Values{2, 2, 2}, Values{0, 0}, Values{1, kNaN, 3},
                          Values{1, kInfinite, 3}, Values{kNaN}}) {
    SCOPED_TRACE(::testing::PrintToString(v));
    expect_unknown(t_interval(v));
    expect_unknown(bca_interval(v, 0.95, 100, Rng(1)));
    EXPECT_TRUE(std::isnan(paired_t(v).p));
    EXPECT_TRUE(std::isnan(paired_t(v).statistic));
    EXPECT_TRUE(std::isnan(hedges_gz(v)));
  }
  EXPECT_TRUE(std::isnan(mean(Values{})));
  EXPECT_TRUE(std::isnan(mean(Values{1, kNaN})));
  EXPECT_TRUE(std::isnan(sd(Values{1})));
  EXPECT_TRUE(std::isnan(hedges_gz(Values{1, 2}))) << "no correction exists for two";
}

TEST(Statistics, WilcoxonNeedsADifference) {
  for (const Values& v : {Values{}, Values{0, 0, 0}, Values{1, kNaN}}) {
    EXPECT_TRUE(std::isnan(wilcoxon_signed_rank(v).p));
    EXPECT_EQ(wilcoxon_signed_rank(v).n, 0);
  }
  EXPECT_EQ(wilcoxon_signed_rank(Values{-3}).p, 1.0);
  EXPECT_EQ(wilcoxon_signed_rank(Values{2, 2, 2}).p, 0.25) << "needs no spread";
}

}  // namespace
}  // namespace engram::stats
