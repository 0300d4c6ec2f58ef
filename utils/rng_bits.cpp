// Philox4x32-10 for many counters at once. A lane of 64 bits holds one 32-bit word of a counter in
// its low half; what stands in the high half does not matter, because products read low halves.
#include <algorithm>

#include "utils/rng.h"
#include "utils/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "utils/rng_bits.cpp"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace engram {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using D64 = hn::ScalableTag<std::uint64_t>;
using D32 = hn::ScalableTag<std::uint32_t>;
using D16 = hn::ScalableTag<std::uint16_t>;
using V64 = hn::Vec<D64>;
constexpr std::size_t kLanes = HWY_LANES(std::uint64_t);
constexpr int kChains = 4;  ///< independent, so that one multiplies while another waits

/// Makes kChains * kLanes blocks. Calls store(first block of a run, lower, upper) for runs of
/// kLanes: all words of their first and of their second half, in order.
template <class Store>
HWY_INLINE void philox_chains(std::uint64_t key, std::uint64_t first, Store store) {
  const D64 d;
  const auto product = [](V64 a, V64 b) HWY_ATTR {
    return hn::MulEven(hn::BitCast(D32(), a), hn::BitCast(D32(), b));
  };
  // Even lanes hold the first half of the counters, so that interleaving restores their order.
  HWY_ALIGN std::uint64_t offset[kLanes];
  for (std::size_t l = 0; l < kLanes; ++l)
    offset[l] = l / 2 + (l % 2) * kLanes / 2;
  V64 c0[kChains], c1[kChains], c2[kChains], c3[kChains];
  for (int i = 0; i < kChains; ++i) {
    c0[i] =
        hn::Add(hn::Load(d, offset), hn::Set(d, first + static_cast<std::uint64_t>(i) * kLanes));
    c1[i] = hn::ShiftRight<32>(c0[i]);
    c2[i] = c3[i] = hn::Zero(d);
  }
  const V64 m0 = hn::Set(d, 0xD2511F53u), m1 = hn::Set(d, 0xCD9E8D57u);
  std::uint32_t k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
    const V64 key0 = hn::Set(d, std::uint64_t{k0}), key1 = hn::Set(d, std::uint64_t{k1});
    for (int i = 0; i < kChains; ++i) {
      const V64 p0 = product(c0[i], m0), p1 = product(c2[i], m1);
      c0[i] = hn::Xor(hn::Xor(hn::ShiftRight<32>(p1), c1[i]), key0);
      c2[i] = hn::Xor(hn::Xor(hn::ShiftRight<32>(p0), c3[i]), key1);
      c1[i] = p1, c3[i] = p0;
    }
  }
  for (int i = 0; i < kChains; ++i) {
    const auto join = [](V64 low, V64 high) HWY_ATTR {
      return hn::BitCast(
          D64(), hn::OddEven(hn::BitCast(D32(), hn::ShiftLeft<32>(high)), hn::BitCast(D32(), low)));
    };
    const V64 front = join(c0[i], c1[i]), back = join(c2[i], c3[i]);
    store(static_cast<std::size_t>(i) * kLanes, hn::InterleaveLower(d, front, back),
          hn::InterleaveUpper(d, front, back));
  }
}

/// The coins of kChains * kLanes blocks.
HWY_INLINE void toss_chains(std::uint64_t key, std::uint64_t first, std::uint32_t threshold,
                            std::uint8_t* coins) {
  const D16 d16;
  const auto bar = hn::Set(d16, static_cast<std::uint16_t>(threshold - 1));
  philox_chains(key, first, [&](std::size_t block, V64 lower, V64 upper) HWY_ATTR {
    std::uint8_t bits[8];
    hn::StoreMaskBits(d16, hn::Gt(hn::BitCast(d16, lower), bar), bits);
    std::copy_n(bits, kLanes / 2, coins + block);
    hn::StoreMaskBits(d16, hn::Gt(hn::BitCast(d16, upper), bar), bits);
    std::copy_n(bits, kLanes / 2, coins + block + kLanes / 2);
  });
}

void toss_all(std::uint64_t key, std::uint64_t first, std::size_t count, std::uint32_t threshold,
              std::uint8_t* coins) {
  constexpr std::size_t kStep = kChains * kLanes;
  std::size_t done = 0;
  for (; done + kStep <= count; done += kStep)
    toss_chains(key, first + done, threshold, coins + done);
  if (done == count) return;
  std::uint8_t rest[kStep];
  toss_chains(key, first + done, threshold, rest);
  std::copy_n(rest, count - done, coins + done);
}

/// The words of kChains * kLanes blocks.
HWY_INLINE void word_chains(std::uint64_t key, std::uint64_t first, std::uint32_t* words) {
  const D32 d32;
  philox_chains(key, first, [&](std::size_t block, V64 lower, V64 upper) HWY_ATTR {
    hn::StoreU(hn::BitCast(d32, lower), d32, words + 4 * block);
    hn::StoreU(hn::BitCast(d32, upper), d32, words + 4 * block + 2 * kLanes);
  });
}

void all_words(std::uint64_t key, std::uint64_t first, std::size_t count, std::uint32_t* words) {
  constexpr std::size_t kStep = kChains * kLanes;
  std::size_t done = 0;
  for (; done + kStep <= count; done += kStep)
    word_chains(key, first + done, words + 4 * done);
  if (done == count) return;
  std::uint32_t rest[4 * kStep];
  word_chains(key, first + done, rest);
  std::copy_n(rest, 4 * (count - done), words + 4 * done);
}

}  // namespace HWY_NAMESPACE
}  // namespace engram
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace engram {

HWY_EXPORT(toss_all);
HWY_EXPORT(all_words);

void Rng::toss(std::uint64_t first, std::size_t count, std::uint32_t threshold,
               std::uint8_t* coins) const {
  HWY_DYNAMIC_DISPATCH(toss_all)(key_, first, count, threshold, coins);
}

void Rng::words(std::uint64_t first, std::size_t count, std::uint32_t* words) const {
  HWY_DYNAMIC_DISPATCH(all_words)(key_, first, count, words);
}

}  // namespace engram
#endif
