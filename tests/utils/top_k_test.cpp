// Winners against a full sort, on odd sizes, with ties, zeros of both signs and NaN.
#include "utils/top_k.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include "tests/utils/simd_levels.h"
#include "utils/rng.h"

namespace engram {
namespace {

using testing::with_every_simd_level;

std::vector<std::int32_t> by_sorting(const std::vector<real>& x, int size, int k,
                                     const std::vector<real>& boost) {
  std::vector<std::int32_t> winners;
  for (std::size_t first = 0; first < x.size(); first += static_cast<std::size_t>(size)) {
    std::vector<real> score(x.begin() + static_cast<std::ptrdiff_t>(first),
                            x.begin() + static_cast<std::ptrdiff_t>(first) + size);
    for (std::size_t i = 0; i < boost.size(); ++i)
      score[i] *= boost[i];
    const auto above = [&](std::int32_t i, std::int32_t j) {  // NaN by its sign above or below all
      const real a = score[static_cast<std::size_t>(i)], b = score[static_cast<std::size_t>(j)];
      const auto rank = [](real v) { return std::isnan(v) ? (std::signbit(v) ? -1 : 1) : 0; };
      return rank(a) != rank(b) ? rank(a) > rank(b) : a > b;
    };
    std::vector<std::int32_t> order(static_cast<std::size_t>(size));
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), above);
    std::sort(order.begin(), order.begin() + k);
    for (int w = 0; w < k; ++w)
      winners.push_back(static_cast<std::int32_t>(first) + order[static_cast<std::size_t>(w)]);
  }
  return winners;
}

void expect_winners(const std::vector<real>& x, int size, int k, const std::vector<real>& boost) {
  const auto expected = by_sorting(x, size, k, boost);
  for (const bool copy : {false, true}) {
    std::vector<std::int32_t> got(expected.size() + kernels::kWinnersSlack, -1);
    std::vector<real> y(x.size(), -7);
    kernels::top_k(x, {size, k, boost.empty() ? nullptr : boost.data()}, got.data(),
                   copy ? y.data() : nullptr);
    got.resize(expected.size());
    ASSERT_EQ(got, expected) << k << " of " << size;
    if (!copy) continue;
    std::vector<real> values(x.size(), 0);
    for (const std::int32_t w : expected)
      values[static_cast<std::size_t>(w)] = x[static_cast<std::size_t>(w)];
    for (std::size_t i = 0; i < x.size(); ++i)
      ASSERT_TRUE(y[i] == values[i] || std::isnan(values[i])) << i << ", " << k << " of " << size;
  }
}

/// Calls body(size, k) for sizes around the widths of vectors.
void for_odd_sizes(const std::function<void(int, int)>& body) {
  for (const int n :
       {1, 2, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 96, 127, 128, 129, 200, 1000, 4000})
    for (const int k : {1, 2, 3, 4, 8, 9, 16, 17, 50, 102, n / 2, n - 1, n})
      if (k > 0 && k <= n) body(n, k);
}

using Make = std::function<real(Rng&)>;
void check(const Make& make, bool boosted = false) {
  with_every_simd_level([&] {
    for_odd_sizes([&](int n, int k) {
      Rng rng(static_cast<std::uint64_t>(n * 1000 + k));
      const int groups = n < 200 ? 3 : 1;
      std::vector<real> x(static_cast<std::size_t>(n * groups)), boost;
      for (real& v : x)
        v = make(rng);
      for (int i = 0; boosted && i < n; ++i)
        boost.push_back(static_cast<real>(std::exp(-rng.uniform())));
      expect_winners(x, n, k, boost);
    });
  });
}

TEST(TopK, EqualsAFullSort) {
  check([](Rng& rng) { return static_cast<real>(rng.normal()); });
}
TEST(TopK, RanksByBoostedScores) {
  check([](Rng& rng) { return static_cast<real>(rng.normal()); }, true);
}
TEST(TopK, BreaksTiesByLowestIndexAndTakesBothZerosForEqual) {
  check([](Rng& rng) { return static_cast<real>(std::round(rng.normal() * 2)); });
  check([](Rng& rng) { return rng.uniform() < 0.5 ? real{0} : -real{0}; });
}
TEST(TopK, TakesTheFirstWhenAllAreEqual) {
  for (const real all : {real{3}, real{0}, real{-2}})
    check([all](Rng&) { return all; });
}
TEST(TopK, RanksNegativeScores) {
  check([](Rng& rng) { return static_cast<real>(-std::abs(rng.normal()) - 1); });
  check([](Rng& rng) { return static_cast<real>(std::min(0.0, rng.normal() - 1.5)); }, true);
}
TEST(TopK, RanksRectifiedScores) {
  check([](Rng& rng) { return static_cast<real>(std::max(0.0, rng.normal() - 1.5)); });
}
TEST(TopK, PutsNaNBeforeOrBehindAllNumbersByItsSign) {
  check([](Rng& rng) {
    const double u = rng.uniform();
    const auto nan = std::numeric_limits<real>::quiet_NaN();
    return u < 0.02 ? nan : u < 0.04 ? std::copysign(nan, real{-1}) : static_cast<real>(u - 0.5);
  });
  check([](Rng&) { return std::numeric_limits<real>::quiet_NaN(); });
}
TEST(TopK, RanksTheExtremesOfFloats) {
  check([](Rng& rng) {
    using Limits = std::numeric_limits<real>;
    const real extremes[] = {Limits::infinity(),   -Limits::infinity(), Limits::max(),
                             Limits::lowest(),     Limits::min(),       Limits::denorm_min(),
                             -Limits::denorm_min()};
    return extremes[rng.below(7)];
  });
}

}  // namespace
}  // namespace engram
