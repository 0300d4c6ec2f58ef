// Passes over activations against one element at a time, on odd sizes.
#include "utils/elementwise.h"

#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "tests/utils/simd_levels.h"
#include "utils/rng.h"

namespace engram {
namespace {

constexpr std::size_t kSizes[] = {0, 1, 3, 7, 8, 9, 15, 16, 17, 31, 63, 64, 65, 1000, 4000};

/// Normal numbers with zeros of both signs and NaN among them.
std::vector<real> odd_values(std::size_t n, std::uint64_t seed) {
  Rng rng(seed);
  std::vector<real> v(n);
  for (real& x : v) {
    const std::uint32_t kind = rng.below(10);
    x = kind == 0   ? real{0}
        : kind == 1 ? -real{0}
        : kind == 2 ? std::numeric_limits<real>::quiet_NaN()
                    : static_cast<real>(rng.normal());
  }
  return v;
}

void for_sizes(const std::function<void(std::size_t)>& body) {
  testing::with_every_simd_level([&] {
    for (const std::size_t n : kSizes)
      body(n);
  });
}

/// Checks that nothing was written behind the end.
struct Guarded {
  explicit Guarded(std::size_t n) : values(n + 1, -7) {}
  ~Guarded() { EXPECT_EQ(values.back(), -7); }
  std::vector<real> values;
};

TEST(Elementwise, ReluKeepsWhatIsPositiveAndListsIt) {
  for_sizes([](std::size_t n) {
    const auto x = odd_values(n, n);
    Guarded plain(n), listed(n);
    std::vector<std::int32_t> units(n + kernels::kListSlack), expected;
    kernels::relu(x, plain.values.data());
    const int count = kernels::relu_listed(x, listed.values.data(), units.data());
    for (std::size_t i = 0; i < n; ++i) {
      const real y = x[i] > 0 ? x[i] : real{0};
      if (x[i] > 0) expected.push_back(static_cast<std::int32_t>(i));
      ASSERT_EQ(plain.values[i], y);
      ASSERT_FALSE(std::signbit(plain.values[i]));
      ASSERT_EQ(listed.values[i], y);
    }
    units.resize(static_cast<std::size_t>(count));
    ASSERT_EQ(units, expected);
  });
}

TEST(Elementwise, ReluPassesErrorsWhereItsOutputIsPositive) {
  for_sizes([](std::size_t n) {
    const auto y = odd_values(n, n + 1);
    const std::vector<real> dy(n, 3);
    Guarded dx(n);
    kernels::relu_backward(y, dy.data(), dx.values.data());
    for (std::size_t i = 0; i < n; ++i)
      ASSERT_EQ(dx.values[i], y[i] > 0 ? 3 : 0);
  });
}

TEST(Elementwise, ListsWhatIsNotZero) {
  for_sizes([](std::size_t n) {
    const auto x = odd_values(n, n + 2);
    std::vector<std::int32_t> units(n + kernels::kListSlack), expected;
    for (std::size_t i = 0; i < n; ++i)
      if (x[i] != 0) expected.push_back(static_cast<std::int32_t>(i));
    units.resize(static_cast<std::size_t>(kernels::list_nonzero(x, units.data())));
    ASSERT_EQ(units, expected);
  });
}

TEST(Elementwise, ScalesWhatIsKept) {
  for_sizes([](std::size_t n) {
    const auto x = odd_values(n, n + 3);
    std::vector<std::uint8_t> bits(n / 8 + 2);
    Rng rng(n);
    for (auto& b : bits)
      b = static_cast<std::uint8_t>(rng.below(256));
    Guarded y(n);
    kernels::scale_kept(x, bits.data(), real{1.7f}, y.values.data());
    for (std::size_t i = 0; i < n; ++i) {
      const bool kept = (bits[i / 8] >> (i % 8)) & 1;
      const real expected = kept ? x[i] * real{1.7f} : real{0};
      ASSERT_TRUE(y.values[i] == expected || std::isnan(expected)) << i;
    }
  });
}

TEST(Elementwise, TossesTheCoinsOfTheBlocks) {
  const Rng rng = Rng(123456789012345u).fork("coins");
  for_sizes([&](std::size_t n) {
    for (const std::uint64_t first : {std::uint64_t{0}, std::uint64_t{5}, (std::uint64_t{1} << 32) - 7})
      for (const std::uint32_t threshold : {1u, 6554u, 32768u, 65535u, 65536u}) {
        std::vector<std::uint8_t> coins(n + 1, 77);
        rng.toss(first, n, threshold, coins.data());
        ASSERT_EQ(coins.back(), 77);
        for (std::size_t b = 0; b < n; ++b) {
          const auto block = rng.block(first + b);
          for (std::size_t i = 0; i < 8; ++i) {
            const std::uint32_t piece = (block[i / 2] >> (16 * (i % 2))) & 0xffffu;
            ASSERT_EQ((coins[b] >> i) & 1, piece >= threshold) << b << " " << i;
          }
        }
      }
  });
}

}  // namespace
}  // namespace engram
