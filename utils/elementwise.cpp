#include "utils/elementwise.h"

#include "utils/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "utils/elementwise.cpp"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include "utils/append_lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace engram::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<real>;
using DI = hn::RebindToSigned<D>;
using V = hn::Vec<D>;
constexpr std::size_t kLanes = HWY_LANES(real);

/// Calls body(begin, load, store) for all vectors of n elements; those of the last one that are
/// beyond the end are loaded as 0 and not stored.
template <class Body>
HWY_INLINE void for_vectors(std::size_t n, Body body) {
  const D d;
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    body(
        i, [d](const real* p) HWY_ATTR { return hn::LoadU(d, p); },
        [d](V v, real* p) HWY_ATTR { hn::StoreU(v, d, p); });
  if (i == n) return;
  const hn::Mask<D> some = hn::FirstN(d, n - i);
  body(
      i, [d, some](const real* p) HWY_ATTR { return hn::MaskedLoad(some, d, p); },
      [d, some](V v, real* p) HWY_ATTR { hn::BlendedStore(v, some, d, p); });
}

void relu_of(std::span<const real> x, real* y) {
  for_vectors(x.size(), [&](std::size_t i, auto load, auto store) HWY_ATTR {
    const V v = load(x.data() + i);  // NaN becomes 0, as in x > 0 ? x : 0
    store(hn::IfThenElseZero(hn::Gt(v, hn::Zero(D())), v), y + i);
  });
}

int relu_list(std::span<const real> x, real* y, std::int32_t* units) {
  std::int32_t* next = units;
  for_vectors(x.size(), [&](std::size_t i, auto load, auto store) HWY_ATTR {
    const V v = load(x.data() + i);
    const hn::Mask<D> positive = hn::Gt(v, hn::Zero(D()));
    store(hn::IfThenElseZero(positive, v), y + i);
    next += append_lanes(DI(), hn::RebindMask(DI(), positive), static_cast<int>(i), next);
  });
  return static_cast<int>(next - units);
}

void relu_back(std::span<const real> y, const real* dy, real* dx) {
  for_vectors(y.size(), [&](std::size_t i, auto load, auto store) HWY_ATTR {
    store(hn::IfThenElseZero(hn::Gt(load(y.data() + i), hn::Zero(D())), load(dy + i)), dx + i);
  });
}

int nonzero_list(std::span<const real> x, std::int32_t* units) {
  std::int32_t* next = units;
  for_vectors(x.size(), [&](std::size_t i, auto load, auto) HWY_ATTR {
    const hn::Mask<D> some = hn::Not(hn::Eq(load(x.data() + i), hn::Zero(D())));  // NaN too
    next += append_lanes(DI(), hn::RebindMask(DI(), some), static_cast<int>(i), next);
  });
  return static_cast<int>(next - units);
}

void scaled_where_kept(std::span<const real> x, const std::uint8_t* bits, real scale, real* y) {
  const V factor = hn::Set(D(), scale);
  for_vectors(x.size(), [&](std::size_t i, auto load, auto store) HWY_ATTR {
    hn::Mask<D> kept;
    if constexpr (kLanes >= 8) {
      kept = hn::LoadMaskBits(D(), bits + i / 8);
    } else {  // doubles on AVX2: half a byte
      const auto nibble = static_cast<std::uint8_t>(bits[i / 8] >> (i % 8));
      kept = hn::LoadMaskBits(D(), &nibble);
    }
    store(hn::IfThenElseZero(kept, hn::Mul(load(x.data() + i), factor)), y + i);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace engram::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace engram::kernels {

HWY_EXPORT(relu_of);
HWY_EXPORT(relu_list);
HWY_EXPORT(relu_back);
HWY_EXPORT(nonzero_list);
HWY_EXPORT(scaled_where_kept);

void relu(std::span<const real> x, real* y) {
  HWY_DYNAMIC_DISPATCH(relu_of)(x, y);
}
int relu_listed(std::span<const real> x, real* y, std::int32_t* units) {
  return HWY_DYNAMIC_DISPATCH(relu_list)(x, y, units);
}
void relu_backward(std::span<const real> y, const real* dy, real* dx) {
  HWY_DYNAMIC_DISPATCH(relu_back)(y, dy, dx);
}
int list_nonzero(std::span<const real> x, std::int32_t* units) {
  return HWY_DYNAMIC_DISPATCH(nonzero_list)(x, units);
}
void scale_kept(std::span<const real> x, const std::uint8_t* bits, real scale, real* y) {
  HWY_DYNAMIC_DISPATCH(scaled_where_kept)(x, bits, scale, y);
}

}  // namespace engram::kernels
#endif
