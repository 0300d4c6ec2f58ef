// Normal numbers in bulk: their law, and that each depends on its place and the stream alone.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include <gtest/gtest.h>

#include "tests/utils/simd_levels.h"
#include "utils/parallel.h"
#include "utils/rng.h"

namespace engram {
namespace {

std::vector<real> normals(const Rng& rng, std::size_t count, double deviation = 1) {
  std::vector<real> out(count);
  rng.normals(deviation, out);
  return out;
}

/// Bounds are five standard errors.
TEST(Normals, HaveTheMomentsAndTailsOfTheirLaw) {
  constexpr std::size_t kDraws = 4'000'000;
  const double n = kDraws;
  const auto x = normals(Rng(3).fork("law"), kDraws);
  double moment[5] = {};
  std::size_t beyond[5] = {}, negative = 0;
  for (const real value : x) {
    const double v = static_cast<double>(value);
    for (int k = 1; k <= 4; ++k)
      moment[k] += std::pow(v, k) / n;
    for (int k = 1; k <= 4; ++k)
      beyond[k] += std::abs(v) > k;
    negative += v < 0;
  }
  EXPECT_NEAR(moment[1], 0, 5 / std::sqrt(n));
  EXPECT_NEAR(moment[2], 1, 5 * std::sqrt(2 / n));
  EXPECT_NEAR(moment[3], 0, 5 * std::sqrt(15 / n));
  EXPECT_NEAR(moment[4], 3, 5 * std::sqrt(96 / n));
  for (int k = 1; k <= 4; ++k) {
    const double p = std::erfc(k / std::numbers::sqrt2);
    EXPECT_NEAR(static_cast<double>(beyond[k]) / n, p, 5 * std::sqrt(p / n)) << k;
  }
  EXPECT_NEAR(static_cast<double>(negative) / n, 0.5, 2.5 / std::sqrt(n));
  const auto [least, most] = std::ranges::minmax(x);
  EXPECT_LT(least, -4.7);
  EXPECT_GT(most, 4.7);
}

TEST(Normals, DoNotFollowEachOther) {
  constexpr std::size_t kDraws = 1 << 20;
  const auto x = normals(Rng(4).fork("pairs"), kDraws),
             y = normals(Rng(4).fork("pairs", 1), kDraws);
  // 2048 places apart are the sine and the cosine of one angle.
  for (const std::size_t lag : {1u, 2u, 4u, 2048u, 4096u}) {
    double product = 0, squares = 0;
    for (std::size_t i = 0; i + lag < kDraws; ++i) {
      const double a = static_cast<double>(x[i]), b = static_cast<double>(x[i + lag]);
      product += a * b, squares += (a * a - 1) * (b * b - 1);
    }
    EXPECT_NEAR(product / kDraws, 0, 5 / std::sqrt(kDraws)) << lag;
    EXPECT_NEAR(squares / kDraws, 0, 10 / std::sqrt(kDraws)) << lag;
  }
  double across = 0;
  for (std::size_t i = 0; i < kDraws; ++i)
    across += static_cast<double>(x[i]) * static_cast<double>(y[i]);
  EXPECT_NEAR(across / kDraws, 0, 5 / std::sqrt(kDraws));
}

TEST(Normals, AreThoseOfBoxAndMullerInDoubles) {
  const Rng rng = Rng(5).fork("by hand");
  constexpr std::size_t kRun = 4096;
  std::vector<std::uint32_t> words(2 * kRun);
  rng.words(0, words.size() / 4, words.data());
  const auto x = normals(rng, 2 * kRun, 0.5);
  for (const std::size_t run : {0u, 1u})
    for (std::size_t i = 0; i < kRun / 2; ++i) {
      const std::size_t first = run * kRun + i, second = first + kRun / 2;
      const double radius =
          0.5 * std::sqrt(-2 * std::log((static_cast<double>(words[first] >> 8) + 1) / 0x1p24));
      const double angle =
          2 * std::numbers::pi * (static_cast<double>(words[second] >> 8) / 0x1p24 - 0.5);
      ASSERT_NEAR(static_cast<double>(x[first]), radius * std::cos(angle), 2e-6) << first;
      ASSERT_NEAR(static_cast<double>(x[second]), radius * std::sin(angle), 2e-6) << second;
    }
}

TEST(Normals, DependOnTheirPlaceAndNotOnHowManyThereAre) {
  const Rng rng = Rng(6).fork("places");
  const auto all = normals(rng, 20000);
  for (const std::size_t count : {0u, 1u, 5u, 31u, 2048u, 4095u, 4096u, 4097u, 12345u}) {
    const auto some = normals(rng, count);
    EXPECT_TRUE(std::equal(some.begin(), some.end(), all.begin())) << count;
  }
  EXPECT_FALSE(std::equal(all.begin(), all.begin() + 4096, all.begin() + 4096));
  EXPECT_NE(normals(Rng(6).fork("places", 1), 20000), all);
}

TEST(Normals, HaveTheSameBitsForAnyNumberOfThreadsAndInstructionSet) {
  const Rng rng = Rng(7).fork("threads");
  const auto alone = normals(rng, 100001);
  for (const int threads : {2, 3}) {
    set_threads(threads);
    EXPECT_EQ(normals(rng, 100001), alone) << threads << " threads";
  }
  set_threads(1);
  testing::with_every_simd_level([&] { EXPECT_EQ(normals(rng, 100001), alone); });
}

TEST(Normals, ScaleWithTheDeviation) {
  const Rng rng = Rng(8);
  const auto one = normals(rng, 5000), quarter = normals(rng, 5000, 0.25);
  for (std::size_t i = 0; i < one.size(); ++i)
    EXPECT_EQ(quarter[i], one[i] / 4);  // a power of two changes no digit
}

}  // namespace
}  // namespace engram
