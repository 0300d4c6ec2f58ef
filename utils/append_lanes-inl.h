// Lists of indices from vector masks. Compiled once per instruction set (Highway's pattern for
// headers), so the guard lets it in once for each.
#if defined(ENGRAM_APPEND_LANES_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef ENGRAM_APPEND_LANES_INL
#undef ENGRAM_APPEND_LANES_INL
#else
#define ENGRAM_APPEND_LANES_INL
#endif

#include <cstddef>
#include <cstdint>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace engram::kernels::HWY_NAMESPACE {

/// first, first + 1, ... (Highway 1.0's Iota goes through memory each time, which stalls.)
template <class DI>
HWY_INLINE hwy::HWY_NAMESPACE::Vec<DI> count_from(DI di, int first) {
  namespace hn = hwy::HWY_NAMESPACE;
  using T = hn::TFromD<DI>;
  alignas(64) static constexpr T kLane[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return hn::Add(hn::Load(di, kLane), hn::Set(di, static_cast<T>(first)));
}

/// Appends first + lane for the set lanes of a mask of 32 or 64 bit integers. Returns how many; may
/// overwrite a whole vector of entries. (Storing just the set lanes is slow on Zen 4.)
template <class DI>
HWY_INLINE std::size_t append_lanes(DI di, hwy::HWY_NAMESPACE::Mask<DI> mask, int first,
                                    std::int32_t* out) {
  namespace hn = hwy::HWY_NAMESPACE;
  using T = hn::TFromD<DI>;
  const auto lanes = hn::Compress(count_from(di, first), mask);
  if constexpr (sizeof(T) == 4) {
    hn::StoreU(lanes, di, out);
  } else {  // doubles are for tests: no need to be fast
    HWY_ALIGN T lane[HWY_LANES(T)];
    hn::Store(lanes, di, lane);
    for (const T l : lane)
      *out++ = static_cast<std::int32_t>(l);
  }
  return hn::CountTrue(di, mask);
}

}  // namespace engram::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
