// Normal numbers in bulk, by Box and Muller (1958) on vectors of floats. Noise for every unit of a
// network in every step would cost as much as its products if each number were drawn alone.
#include <algorithm>

#include "utils/parallel.h"
#include "utils/rng.h"
#include "utils/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "utils/rng_normals.cpp"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include <hwy/contrib/math/math-inl.h>

HWY_BEFORE_NAMESPACE();
namespace engram {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// count / 2 pairs: words[i] gives the radius and words[count / 2 + i] the angle of values i and
/// count / 2 + i. `count` is a multiple of 32.
void box_muller(const std::uint32_t* words, std::size_t count, float deviation, float* values) {
  const hn::ScalableTag<float> d;
  const hn::RebindToSigned<decltype(d)> di;
  const std::size_t half = count / 2;
  const auto unit = hn::Set(d, 0x1p-24f);
  // The upper 24 bits as a number in [0, 2^24), which a float holds exactly.
  const auto uniform = [&](const std::uint32_t* from) HWY_ATTR {
    const auto bits = hn::LoadU(hn::RebindToUnsigned<decltype(d)>(), from);
    return hn::ConvertTo(d, hn::BitCast(di, hn::ShiftRight<8>(bits)));
  };
  for (std::size_t i = 0; i < half; i += hn::Lanes(d)) {
    // From (0, 1], so that the logarithm is finite.
    const auto u = hn::Mul(hn::Add(uniform(words + i), hn::Set(d, 1.f)), unit);
    const auto radius =
        hn::Mul(hn::Set(d, deviation), hn::Sqrt(hn::Mul(hn::Set(d, -2.f), hn::Log(d, u))));
    // From [-pi, pi): the functions are most exact near 0.
    const auto turn = hn::Sub(hn::Mul(uniform(words + half + i), unit), hn::Set(d, 0.5f));
    const auto angle = hn::Mul(turn, hn::Set(d, 6.2831853f));
    hn::StoreU(hn::Mul(radius, hn::Cos(d, angle)), d, values + i);
    hn::StoreU(hn::Mul(radius, hn::Sin(d, angle)), d, values + half + i);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace engram
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace engram {

HWY_EXPORT(box_muller);

void Rng::normals(double deviation, std::span<real> out) const {
  constexpr std::size_t kRun = 4096;
  parallel_for(static_cast<int>((out.size() + kRun - 1) / kRun), [&](int run) {
    std::uint32_t drawn[kRun];
    float values[kRun];
    const std::size_t begin = static_cast<std::size_t>(run) * kRun;
    words(begin / 4, kRun / 4, drawn);
    HWY_DYNAMIC_DISPATCH(box_muller)(drawn, kRun, static_cast<float>(deviation), values);
    std::copy_n(values, std::min(kRun, out.size() - begin), out.data() + begin);
  });
}

}  // namespace engram
#endif
