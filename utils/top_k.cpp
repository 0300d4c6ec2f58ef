// Scores are compared by integer keys. Positive floats are their own keys, so as long as the k-th
// largest is positive (nearly always), the raw bits will do; otherwise everything is done again
// with keys that order all floats.
//
// Small groups: the next smaller of the distinct values is found until k are reached, one pass over
// a few registers each. Large groups: the k-th largest of the maxima of runs is a lower bound that
// is close (few winners share a run), found by halving an interval; what reaches it is collected,
// and halving goes on among those few hundred until exactly k are left.
#include "utils/top_k.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <vector>

#include "utils/error.h"
#include "utils/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "utils/top_k.cpp"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include "utils/top_k_keys-inl.h"

HWY_BEFORE_NAMESPACE();
namespace engram::kernels {
namespace HWY_NAMESPACE {

/// A group of kVectors vectors (the last one perhaps not full). What a vector holds is kept as Raw:
/// gcc leaves arrays of VK in memory.
template <int kVectors, bool kAllFloats, bool kBoosted>
HWY_INLINE bool small_group(const real* x, const real* boost, std::size_t n, std::size_t k,
                            int first, std::int32_t* winners, real* y) {
  const D d;
  const DK dk;
  const VK lowest = hn::Set(dk, kLowest);
  using Raw = decltype(VK::raw);
  Raw key[kVectors];
  const auto at = [&key](int v) HWY_ATTR {
    VK out;
    out.raw = key[v];
    return out;
  };
  for (int v = 0; v < kVectors; ++v)
    key[v] = keys<kAllFloats>(x + v * kLanes, kBoosted ? boost + v * kLanes : nullptr,
                              v + 1 < kVectors ? kLanes : n - v * kLanes)
                 .raw;
  VK best = at(0);
  for (int v = 1; v < kVectors; ++v)
    best = hn::Max(best, at(v));
  VK bar = max_of_lanes(best);
  // The next smaller value, k - 1 times; with all floats fewer times if some are equal.
  const auto reached = [&](VK than) HWY_ATTR {
    std::size_t sum = 0;
    for (int v = 0; v < kVectors; ++v)
      sum += hn::CountTrue(dk, reaches(at(v), than));
    return sum;
  };
  std::size_t count = kAllFloats ? reached(bar) : 1, above = 0;
  while (count < k) {
    best = lowest;
    for (int v = 0; v < kVectors; ++v)
      best = hn::Max(best, hn::IfThenElse(hn::Gt(bar, at(v)), at(v), lowest));
    bar = max_of_lanes(best);
    if constexpr (kAllFloats)
      above = count, count = reached(bar);
    else
      ++count;
  }
  if constexpr (!kAllFloats)
    if (hn::GetLane(bar) <= 0 || reached(bar) != k) return false;
  std::size_t ties = k - above;  // of those that are equal the first ones win
  const bool tied = kAllFloats && count > k;
  for (int v = 0; v < kVectors; ++v) {
    M in = reaches(at(v), bar);
    if (tied) {
      const M equal = first_lanes(hn::Eq(at(v), bar), ties);
      ties -= hn::CountTrue(dk, equal);
      in = hn::Or(hn::Gt(at(v), bar), equal);
    }
    const std::size_t from = v * kLanes;
    winners += append_lanes(dk, in, first + static_cast<int>(from), winners);
    if (y == nullptr) continue;
    const hn::Mask<D> on = hn::RebindMask(d, in);
    if (v + 1 < kVectors || n - from >= kLanes)
      hn::StoreU(hn::IfThenElseZero(on, hn::LoadU(d, x + from)), d, y + from);
    else
      hn::BlendedStore(hn::MaskedLoad(on, d, x + from), hn::FirstN(d, n - from), d, y + from);
  }
  return true;
}

/// How many of the keys reach the bar. `count` is a multiple of kLanes.
HWY_INLINE std::size_t reaching(const Key* key, std::size_t count, Key bar) {
  const DK dk;
  const VK b = hn::Set(dk, bar);
  std::size_t sum = 0;
  for (std::size_t i = 0; i < count; i += kLanes)
    sum += hn::CountTrue(dk, reaches(hn::Load(dk, key + i), b));
  return sum;
}

struct Bound {
  Key bar;
  std::size_t reached;  ///< keys >= bar
};
/// A bar that at least k and, if ties allow, at most k + slack keys reach; none below `lowest`.
/// When fewer than k reach `lowest`, that is the bar.
HWY_INLINE Bound bound(const Key* key, std::size_t count, std::size_t k, std::size_t slack,
                       Key lowest) {
  const DK dk;
  VK best = hn::Set(dk, kLowest);
  for (std::size_t i = 0; i < count; i += kLanes)
    best = hn::Max(best, hn::Load(dk, key + i));
  const Key top = hn::GetLane(max_of_lanes(best));
  if (top <= lowest) return {lowest, reaching(key, count, lowest)};
  using U = hwy::MakeUnsigned<Key>;  // differences of keys may not fit into a key
  const auto below = [](Key a, U step) { return static_cast<Key>(static_cast<U>(a) - step); };
  const U range = static_cast<U>(top) - static_cast<U>(lowest);
  U high = 0, low = 0;  // distances from the top: fewer than k reach `high`, at least k `low`
  Bound found{top, reaching(key, count, top)};
  if (found.reached >= k) return found;
  constexpr U kLongest = std::numeric_limits<U>::max();
  for (U step = static_cast<U>(kFirstStep);; step += std::min(step, kLongest - step)) {
    low = step < range - high ? high + step : range;
    found = {below(top, low), reaching(key, count, below(top, low))};
    if (found.reached >= k || low == range) break;
    high = low;
  }
  while (found.reached > k + slack && low - high > 1) {
    const U middle = high + (low - high) / 2;
    const std::size_t reached = reaching(key, count, below(top, middle));
    if (reached >= k)
      low = middle, found = {below(top, middle), reached};
    else
      high = middle;
  }
  return found;
}

/// Memory of one thread; only grows.
struct Scratch {
  std::vector<Key> memory;
  Key *best, *key, *index;
  void reserve(std::size_t n) {
    const std::size_t part = (n + 3 * kLanes) / kLanes * kLanes;
    if (memory.size() < 3 * part + kLanes) memory.resize(3 * part + kLanes);
    const auto at = reinterpret_cast<std::uintptr_t>(memory.data());
    constexpr std::uintptr_t kAlign = kLanes * sizeof(Key);
    best = memory.data() + ((kAlign - at % kAlign) % kAlign) / sizeof(Key);
    key = best + part, index = key + part;
  }
};

/// The winners of a large group, or false when that takes all floats.
template <bool kAllFloats>
bool large_group(const real* x, const real* boost, std::size_t n, std::size_t k, int first,
                 std::int32_t* winners, Scratch& scratch) {
  const DK dk;
  const std::size_t vectors = (n + kLanes - 1) / kLanes;
  const auto load = [&](std::size_t v) HWY_ATTR {
    const std::size_t at = v * kLanes;
    return keys<kAllFloats>(x + at, boost == nullptr ? nullptr : boost + at, n - at);
  };
  // Runs so short that winners seldom share one.
  const std::size_t run = std::clamp<std::size_t>(n / (4 * k), 1, 16);
  Key* const best = scratch.best;
  std::size_t runs = 0;  // vectors of maxima
  for (std::size_t v = 0; v < vectors; v += run, ++runs) {
    VK top = load(v);
    for (std::size_t w = v + 1; w < std::min(v + run, vectors); ++w)
      top = hn::Max(top, load(w));
    hn::Store(top, dk, best + runs * kLanes);
  }
  const Key lowest = kAllFloats ? kLowest + 1 : Key{1};
  const Bound rough = bound(best, runs * kLanes, k, run == 1 ? 0 : k / 4 + 2, lowest);
  if (rough.reached < k) return false;

  // What reaches the bound, in order.
  const VK bar = hn::Set(dk, rough.bar);
  const bool rare = 8 * k < n / kLanes;  // most vectors hold none: worth a branch
  Key *key = scratch.key, *index = scratch.index;
  for (std::size_t r = 0; r < runs; ++r) {
    if (rare && hn::AllFalse(dk, reaches(hn::Load(dk, best + r * kLanes), bar))) continue;
    for (std::size_t v = r * run; v < std::min((r + 1) * run, vectors); ++v) {
      const VK all = load(v);
      const M in = reaches(all, bar);
      if (rare && hn::AllFalse(dk, in)) continue;
      hn::StoreU(hn::Compress(all, in), dk, key);
      hn::StoreU(hn::Compress(count_from(dk, static_cast<int>(v * kLanes)), in), dk, index);
      const std::size_t count = hn::CountTrue(dk, in);
      key += count, index += count;
    }
  }
  const auto candidates = static_cast<std::size_t>(key - scratch.key);
  hn::StoreU(hn::Set(dk, kLowest), dk, key);
  const std::size_t padded = (candidates + kLanes - 1) / kLanes * kLanes;
  const Bound exact =
      candidates == k ? Bound{rough.bar, k} : bound(scratch.key, padded, k, 0, rough.bar);
  const std::size_t ties = exact.reached - k;  // of the equal ones, that many at the end lose
  auto equal = ties == 0 ? 0 : std::count(scratch.key, key, exact.bar);
  for (std::size_t i = 0, w = 0; w < k; ++i) {
    winners[w] = first + static_cast<std::int32_t>(scratch.index[i]);
    bool wins = scratch.key[i] >= exact.bar;
    if (ties > 0 && scratch.key[i] == exact.bar) wins = equal-- > static_cast<std::ptrdiff_t>(ties);
    w += wins;
  }
  return true;
}

template <bool kBoosted>
void small_groups(const real* x, std::size_t groups, const Contest& c, std::int32_t* winners,
                  real* y) {
  const auto n = static_cast<std::size_t>(c.size), k = static_cast<std::size_t>(c.k);
  const auto each = [&](auto vectors) HWY_ATTR {
    constexpr int kVectors = decltype(vectors)::value;
    for (std::size_t g = 0; g < groups; ++g) {
      const int first = static_cast<int>(g * n);
      const real* const from = x + g * n;
      real* const to = y == nullptr ? nullptr : y + g * n;
      std::int32_t* const out = winners + g * k;
      if (!small_group<kVectors, false, kBoosted>(from, c.boost, n, k, first, out, to))
        small_group<kVectors, true, kBoosted>(from, c.boost, n, k, first, out, to);
    }
  };
  const std::size_t vectors = (n + kLanes - 1) / kLanes;
  if (vectors <= 1) return each(std::integral_constant<int, 1>());
  if (vectors == 2) return each(std::integral_constant<int, 2>());
  if (vectors == 3) return each(std::integral_constant<int, 3>());
  if (vectors == 4) return each(std::integral_constant<int, 4>());
  if (vectors == 5) return each(std::integral_constant<int, 5>());
  if (vectors == 6) return each(std::integral_constant<int, 6>());
  if (vectors == 7) return each(std::integral_constant<int, 7>());
  each(std::integral_constant<int, 8>());
}

void groups(std::span<const real> x, const Contest& c, std::int32_t* winners, real* y) {
  const auto n = static_cast<std::size_t>(c.size), k = static_cast<std::size_t>(c.k);
  const std::size_t count = x.size() / n;
  constexpr std::size_t kFew = 8;  // more winners are found faster by halving
  if (k <= kFew && n <= 8 * kLanes) {
    if (c.boost == nullptr)
      small_groups<false>(x.data(), count, c, winners, y);
    else
      small_groups<true>(x.data(), count, c, winners, y);
    return;
  }
  thread_local Scratch scratch;
  scratch.reserve(n);
  if (y != nullptr) std::fill_n(y, x.size(), real{0});
  for (std::size_t g = 0; g < count; ++g, winners += k) {
    const int first = static_cast<int>(g * n);
    const real* const from = x.data() + g * n;
    if (!large_group<false>(from, c.boost, n, k, first, winners, scratch))
      large_group<true>(from, c.boost, n, k, first, winners, scratch);
    if (y != nullptr)
      for (std::size_t w = 0; w < k; ++w)
        y[winners[w]] = x[static_cast<std::size_t>(winners[w])];
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace engram::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace engram::kernels {

HWY_EXPORT(groups);

void top_k(std::span<const real> x, const Contest& contest, std::int32_t* winners, real* y) {
  ENGRAM_INVARIANT(0 < contest.k && contest.k <= contest.size);
  ENGRAM_INVARIANT(x.size() % static_cast<std::size_t>(contest.size) == 0);
  HWY_DYNAMIC_DISPATCH(groups)(x, contest, winners, y);
}

}  // namespace engram::kernels
#endif
