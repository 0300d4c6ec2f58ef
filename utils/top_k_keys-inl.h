// Scores as integer keys, for top_k.cpp. Compiled once per instruction set (Highway's pattern for
// headers), so the guard lets it in once for each.
#if defined(ENGRAM_TOP_K_KEYS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef ENGRAM_TOP_K_KEYS_INL
#undef ENGRAM_TOP_K_KEYS_INL
#else
#define ENGRAM_TOP_K_KEYS_INL
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <hwy/highway.h>
#include <limits>

#include "utils/append_lanes-inl.h"
#include "utils/real.h"

HWY_BEFORE_NAMESPACE();
namespace engram::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<real>;
using Key = hwy::MakeSigned<real>;
using DK = hn::RebindToSigned<D>;
using V = hn::Vec<D>;
using VK = hn::Vec<DK>;
using M = hn::Mask<DK>;
constexpr std::size_t kLanes = HWY_LANES(real);
constexpr Key kLowest = std::numeric_limits<Key>::min();  ///< below every key: fills up vectors

/// Distance of keys that is half an octave: where a search begins to look for a bound.
constexpr Key kFirstStep = Key{1} << (std::numeric_limits<real>::digits - 2);

/// The keys of x[0 .. left), kLowest in lanes beyond.
template <bool kAllFloats>
HWY_INLINE VK keys(const real* x, const real* boost, std::size_t left) {
  const D d;
  const DK dk;
  const bool whole = left >= kLanes;
  const hn::Mask<D> some = hn::FirstN(d, std::min(left, kLanes));
  V v = whole ? hn::LoadU(d, x) : hn::MaskedLoad(some, d, x);
  if (boost != nullptr)
    v = hn::Mul(v, whole ? hn::LoadU(d, boost) : hn::MaskedLoad(some, d, boost));
  VK key = hn::BitCast(dk, v);
  if constexpr (kAllFloats) {  // negative floats count down from zero
    const VK sign = hn::BroadcastSignBit(key);
    key = hn::Sub(hn::Xor(hn::And(key, hn::Set(dk, std::numeric_limits<Key>::max())), sign), sign);
  }
  return whole ? key : hn::IfThenElse(hn::RebindMask(dk, some), key, hn::Set(dk, kLowest));
}

/// Where key >= bar (> kLowest).
HWY_INLINE M reaches(VK key, VK bar) {
  return hn::Gt(key, hn::Sub(bar, hn::Set(DK(), Key{1})));
}

/// The largest key, in all lanes.
template <class Keys>
HWY_INLINE Keys max_of_lanes(Keys v) {
#if HWY_TARGET <= HWY_AVX3
  v = hn::Max(v, hn::ReverseBlocks(DK(), v));
#endif
  v = hn::Max(v, hn::SwapAdjacentBlocks(v));
  if constexpr (sizeof(Key) == 4) {
    v = hn::Max(v, hn::Shuffle1032(v));
    return hn::Max(v, hn::Shuffle2301(v));
  } else {
    return hn::Max(v, hn::Shuffle01(v));
  }
}

/// The lowest `count` lanes of a mask.
HWY_INLINE M first_lanes(M mask, std::size_t count) {
  const DK dk;
  HWY_ALIGN Key lane[kLanes];
  hn::Store(hn::VecFromMask(dk, mask), dk, lane);
  for (Key& l : lane)
    if (l != 0 && count-- == 0) {
      std::fill(&l, lane + kLanes, Key{0});
      break;
    }
  return hn::MaskFromVec(hn::Load(dk, lane));
}

}  // namespace HWY_NAMESPACE
}  // namespace engram::kernels
HWY_AFTER_NAMESPACE();

#endif
