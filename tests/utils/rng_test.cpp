#include "utils/rng.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/utils/simd_levels.h"
#include "utils/digest.h"

namespace engram {
namespace {

using Words = std::array<std::uint32_t, 4>;

/// Philox4x32-10 once more, straight from section 3 of Salmon et al. 2011, to reach the published
/// vectors whose counters Rng cannot express.
Words plain_philox(Words counter, std::uint32_t key0, std::uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t left = 0xD2511F53ULL * counter[0], right = 0xCD9E8D57ULL * counter[2];
    counter = {static_cast<std::uint32_t>(right >> 32) ^ counter[1] ^ key0,
               static_cast<std::uint32_t>(right),
               static_cast<std::uint32_t>(left >> 32) ^ counter[3] ^ key1,
               static_cast<std::uint32_t>(left)};
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  return counter;
}

TEST(Rng, MatchesTheKnownAnswersOfRandom123) {
  EXPECT_EQ(Rng(0).block(0), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  ASSERT_EQ(plain_philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, 0xffffffff, 0xffffffff),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  ASSERT_EQ(plain_philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0xa4093822, 0x299f31d0),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
  // Our own Philox is right, so it may judge the use of Random123: which half goes where.
  EXPECT_EQ(Rng(0x299f31d0'a4093822).block(0x85a308d3'243f6a88),
            plain_philox({0x243f6a88, 0x85a308d3, 0, 0}, 0xa4093822, 0x299f31d0));
}

TEST(Rng, HandsOutItsBlocksInOrder) {
  Rng rng(42);
  for (std::uint64_t counter = 0; counter < 5; ++counter)
    for (const std::uint32_t word : Rng(42).block(counter))
      EXPECT_EQ(rng.bits32(), word);
}

TEST(Rng, PeeksAtABlockWithoutMoving) {
  Rng rng(5), other(5);
  rng.block(17);
  EXPECT_EQ(rng.bits32(), other.bits32());
}

TEST(Rng, DrawsUniformNumbersInTheUnitInterval) {
  Rng rng(1);
  constexpr int kDraws = 100000, kBins = 50;
  std::array<int, kBins> counts{};
  for (int i = 0; i < kDraws; ++i) {
    const double x = rng.uniform();
    ASSERT_GE(x, 0.0);
    ASSERT_LT(x, 1.0);
    ++counts[static_cast<std::size_t>(x * kBins)];
  }
  double chi_squared = 0;
  for (const int count : counts)
    chi_squared += std::pow(count - kDraws / kBins, 2.0);
  chi_squared /= kDraws / kBins;
  EXPECT_LT(chi_squared, 95);  // 49 degrees of freedom: 0.9999 quantile
  EXPECT_GT(chi_squared, 20);  // 0.0001 quantile: too even is no chance either
}

TEST(Rng, UsesAll53BitsOfAUniformNumber) {
  Rng rng(1);
  bool has_lowest_bit = false;
  for (int i = 0; i < 100; ++i)
    has_lowest_bit |= std::fmod(rng.uniform() * 0x1.0p53, 2.0) == 1.0;
  EXPECT_TRUE(has_lowest_bit);
}

TEST(Rng, ScalesUniformNumbers) {
  Rng rng(2);
  double low = 10, high = -10;
  for (int i = 0; i < 10000; ++i) {
    const double x = rng.uniform(-2, 3);
    low = std::min(low, x), high = std::max(high, x);
  }
  EXPECT_GE(low, -2);
  EXPECT_LT(low, -1.99);
  EXPECT_LT(high, 3);
  EXPECT_GT(high, 2.99);
}

TEST(Rng, DrawsEveryNumberBelowTheBoundEquallyOften) {
  // The second bound is one where a plain modulo would draw the lowest third twice as often.
  Rng rng(7);
  std::array<int, 10> counts{};
  for (int i = 0; i < 100000; ++i)
    ++counts.at(rng.below(10));
  double chi_squared = 0;
  for (const int count : counts)
    chi_squared += std::pow(count - 10000, 2.0) / 10000;
  EXPECT_LT(chi_squared, 33.7);  // 9 degrees of freedom: 0.9999 quantile

  constexpr std::uint32_t kThreeQuarters = 0xC0000000u;
  std::array<int, 3> thirds{};
  for (int i = 0; i < 90000; ++i)
    ++thirds.at(rng.below(kThreeQuarters) / (kThreeQuarters / 3));
  chi_squared = 0;
  for (const int count : thirds)
    chi_squared += std::pow(count - 30000, 2.0) / 30000;
  EXPECT_LT(chi_squared, 18.4);  // 2 degrees of freedom: 0.9999 quantile
  EXPECT_EQ(rng.below(1), 0u);
}

TEST(Rng, RejectsTheDrawsThatWouldBiasAThird) {
  // n = 3 * 2^30: the products x * n have low halves k * 2^30, of which 0 is below the threshold
  // 2^32 mod n = 2^30, so a quarter of the words is drawn again: every fourth draw costs another.
  Rng rng(3), counting(3);
  std::uint64_t words = 0;
  constexpr int kDraws = 4000;
  for (int i = 0; i < kDraws; ++i)
    rng.below(0xC0000000u);
  const std::uint32_t mark = rng.bits32();
  while (counting.bits32() != mark)
    ASSERT_LT(++words, 8000u);
  EXPECT_NEAR(static_cast<double>(words), kDraws * 4 / 3, 150);
}

TEST(Rng, DrawsNormalNumbersWithTheRightMoments) {
  Rng rng(11);
  constexpr int kDraws = 200000;
  double sum = 0, squares = 0, fourth = 0;
  int within_one = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double x = rng.normal();
    ASSERT_TRUE(std::isfinite(x));
    sum += x, squares += x * x, fourth += x * x * x * x;
    within_one += std::abs(x) < 1;
  }
  EXPECT_NEAR(sum / kDraws, 0, 4 / std::sqrt(kDraws));
  EXPECT_NEAR(squares / kDraws, 1, 4 * std::sqrt(2.0 / kDraws));
  EXPECT_NEAR(fourth / kDraws, 3, 4 * std::sqrt(96.0 / kDraws));
  EXPECT_NEAR(within_one / double{kDraws}, 0.682689, 0.0045);
}

TEST(Rng, ShufflesWithoutLosingAnything) {
  Rng rng(4);
  for (const std::uint32_t n : {0u, 1u, 2u, 784u}) {
    std::vector<std::uint32_t> p = rng.permutation(n), sorted = p;
    std::sort(sorted.begin(), sorted.end());
    std::vector<std::uint32_t> all(n);
    std::iota(all.begin(), all.end(), 0u);
    EXPECT_EQ(sorted, all);
    if (n > 2) {
      EXPECT_NE(p, all);
    }
  }
}

TEST(Rng, MakesEveryOrderEquallyOften) {
  Rng rng(6);
  std::array<int, 24> counts{};
  for (int i = 0; i < 24000; ++i) {
    const auto p = rng.permutation(4);
    std::size_t rank = 0;  // Lehmer code
    for (std::size_t a = 0; a < 4; ++a) {
      std::size_t smaller = 0;
      for (std::size_t b = a + 1; b < 4; ++b)
        smaller += p[b] < p[a];
      rank = rank * (4 - a) + smaller;
    }
    ++counts.at(rank);
  }
  double chi_squared = 0;
  for (const int count : counts)
    chi_squared += std::pow(count - 1000, 2.0) / 1000;
  EXPECT_LT(chi_squared, 58);  // 23 degrees of freedom: 0.9999 quantile
}

TEST(Rng, ForksStreamsThatDependOnNameIndexAndSeedOnly) {
  const Rng root(1);
  Rng drained(1);
  for (int i = 0; i < 100; ++i)
    drained.bits32();
  EXPECT_EQ(root.fork("init", 3).block(0), drained.fork("init", 3).block(0));

  std::set<Words> seen;
  for (std::uint64_t seed = 0; seed < 10; ++seed)
    for (const char* name : {"init", "order", "data", "tini", ""})
      for (std::uint64_t index = 0; index < 20; ++index)
        seen.insert(Rng(seed).fork(name, index).block(0));
  EXPECT_EQ(seen.size(), 10u * 5 * 20);
  EXPECT_NE(root.fork("a").fork("b").block(0), root.fork("b").fork("a").block(0));
}

TEST(Rng, GivesTheWordsOfManyBlocksAtOnceOnEveryProcessor) {
  const Rng rng = Rng(123456789012345u).fork("words");
  testing::with_every_simd_level([&] {
    for (const std::size_t count : {0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 33, 100})
      for (const std::uint64_t first : {std::uint64_t{0}, std::uint64_t{5},
                                        (std::uint64_t{1} << 32) - 7, ~std::uint64_t{0} - 200}) {
        std::vector<std::uint32_t> words(4 * count + 1, 77), expected;
        rng.words(first, count, words.data());
        for (std::size_t b = 0; b < count; ++b)
          for (const std::uint32_t word : rng.block(first + b))
            expected.push_back(word);
        expected.push_back(77);  // nothing is written behind the end
        ASSERT_EQ(words, expected) << first << " " << count;
      }
  });
}

TEST(Rng, ForksStreamsThatDoNotFollowEachOther) {
  const Rng root(9);
  for (std::uint64_t index = 0; index < 8; ++index) {
    Rng one = root.fork("init", index), two = root.fork("init", index + 1);
    double product = 0;
    constexpr int kDraws = 20000;
    for (int i = 0; i < kDraws; ++i)
      product += (one.uniform() - 0.5) * (two.uniform() - 0.5) * 12;
    EXPECT_NEAR(product / kDraws, 0, 4.5 / std::sqrt(kDraws));
  }
}

std::string digest(const std::vector<std::uint32_t>& p) {
  std::string text;
  for (const std::uint32_t x : p)
    text += (text.empty() ? "" : ",") + std::to_string(x);
  return sha256(text);
}

// Made with numpy 1.24.2: np.random.seed(s); a = list(range(784)); np.random.shuffle(a);
// hashlib.sha256(",".join(map(str, a)).encode()).hexdigest()
TEST(NumpyPermutation, MatchesNumpyForTheFirstTenSeeds) {
  const auto p = numpy_legacy_permutation(0, 784);
  EXPECT_EQ(std::vector<std::uint32_t>(p.begin(), p.begin() + 6),
            (std::vector<std::uint32_t>{693, 85, 647, 392, 765, 14}));
  constexpr std::array<const char*, 10> kDigests{
      "2ed9b79de5785e86a7d92715884d149837d3bee030dd9ed8df4249c18ced1bef",
      "d842ea782a7a5a6bbdf744d57db8dfe521b72d3fb4277d7336d3034339a77977",
      "d43980c68a054ff0f24d2e6b3cc5a58ff0ea7e7104eea8bdbd12c2433c410fda",
      "f183a7f836562a85c2f215dfa0fe127dda6a490110423c4daa96a62716c098a6",
      "5e8302a1ac7d062c475c63a8aefe25827016e7b88ac4d77d11b88c0f7014ad14",
      "6492f5ab28dd7764413b4a13b3e5c382e3bf800d2d85150a6a8428b61cdb6171",
      "9951107ea23290f3bcb72bd91297c389fe8a9b9cf7ae031479829bbbb138bf09",
      "1ec6a2240c63eb8792f5744408a6f4acd05e8c1e4e3183aa70ea88769e8b0bec",
      "6e6c53b2495d25b26a58095b5cf3d2fb047d377fb680582f52f77e45654d84d8",
      "970f0dfdfeb1cf89e3eedaa4f4ac76079bffecb4c1b77deb5fd1f57db427900a"};
  for (std::uint32_t seed = 0; seed < kDigests.size(); ++seed)
    EXPECT_EQ(digest(numpy_legacy_permutation(seed, 784)), kDigests[seed]) << "seed " << seed;
}

TEST(NumpyPermutation, MatchesNumpyForOtherLengths) {  // seed 12345
  EXPECT_EQ(digest(numpy_legacy_permutation(12345, 1)),
            "5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9");
  EXPECT_EQ(digest(numpy_legacy_permutation(12345, 2)),
            "b0e4f9bb7b55e4b181760ae93c958c14b451a7556206dfa952d81f0f2165a9da");
  EXPECT_EQ(digest(numpy_legacy_permutation(12345, 17)),
            "7afd0dd7695d345418d0cb390632e435526ad5c0358972d7be2d0a6e4137e25f");
  EXPECT_EQ(digest(numpy_legacy_permutation(12345, 256)),
            "6fe38651c30878b47f168987b500e4146b5b4d15c190696352abc8ea7095142c");
  EXPECT_EQ(digest(numpy_legacy_permutation(12345, 1000)),
            "09f9026933140cf4745512c246859185ec08872ae33acd42419baeba4b468ff2");
  EXPECT_TRUE(numpy_legacy_permutation(12345, 0).empty());
}

}  // namespace
}  // namespace engram
