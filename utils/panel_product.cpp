#include "utils/panel_product.h"

#include "utils/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "utils/panel_product.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace engram::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using Tag = hn::ScalableTag<real>;
using Vec = hn::Vec<Tag>;
using Mask = hn::Mask<Tag>;

/// Two vectors a row fill the registers: 12 x 2 sums of 32 registers, 6 x 2 of 16.
constexpr int kRows = HWY_TARGET <= HWY_AVX3 ? 12 : 6;

int Width() {
  return 2 * static_cast<int>(hn::Lanes(Tag()));
}

/// kCount rows from row i on, of one panel. Not kWhole: the masks say which columns exist.
template <int kCount, bool kWhole>
HWY_INLINE void Tile(const PanelProduct& p, int i, int column, const real* HWY_RESTRICT b,
                     Mask first, Mask second) {
  const Tag d;
  const std::ptrdiff_t lanes = static_cast<std::ptrdiff_t>(hn::Lanes(d));
  const auto load = [&](const real* from, Mask mask) HWY_ATTR {
    return kWhole ? hn::LoadU(d, from) : hn::MaskedLoad(mask, d, from);
  };
  Vec left[kCount], right[kCount];
  real* const c = p.c + i * p.c_row + column;
  HWY_UNROLL(16)
  for (int r = 0; r < kCount; ++r) {
    const real* from = p.add ? c + r * p.c_row : (p.start ? p.start + column : nullptr);
    left[r] = from ? load(from, first) : hn::Zero(d);
    right[r] = from ? load(from + lanes, second) : hn::Zero(d);
  }
  const real* a_outer = p.a + i * p.a_row;
  for (int s = 0; s < p.outer; ++s, a_outer += p.a_outer) {
    const real* HWY_RESTRICT from_a = a_outer;
    const real* HWY_RESTRICT from_b = b + s * p.b_outer;
    for (int k = 0; k < p.inner; ++k, from_a += p.a_inner, from_b += p.b_inner) {
      const Vec b_left = load(from_b, first), b_right = load(from_b + lanes, second);
      HWY_UNROLL(16)
      for (int r = 0; r < kCount; ++r) {
        const Vec value = hn::Set(d, from_a[r * p.a_row]);
        left[r] = hn::MulAdd(value, b_left, left[r]);
        right[r] = hn::MulAdd(value, b_right, right[r]);
      }
    }
  }
  HWY_UNROLL(16)
  for (int r = 0; r < kCount; ++r) {
    real* to = c + r * p.c_row;
    if (kWhole) {
      hn::StoreU(left[r], d, to), hn::StoreU(right[r], d, to + lanes);
    } else {
      hn::BlendedStore(left[r], first, d, to), hn::BlendedStore(right[r], second, d, to + lanes);
    }
  }
}

/// Rows from i on in tiles of kCount, the rest in smaller ones.
template <int kCount, bool kWhole>
HWY_INLINE void Rows(const PanelProduct& p, int i, int column, const real* b, Mask first,
                     Mask second) {
  for (; i + kCount <= p.rows; i += kCount)
    Tile<kCount, kWhole>(p, i, column, b, first, second);
  if constexpr (kCount > 1) {
    if (i < p.rows)
      Rows<kCount == 12 ? 8 : (kCount == 8 ? 6 : kCount - 1), kWhole>(p, i, column, b, first,
                                                                      second);
  }
}

void Product(const PanelProduct& p) {
  const Tag d;
  const int lanes = static_cast<int>(hn::Lanes(d)), width = 2 * lanes;
  for (int column = 0; column < p.cols; column += width) {
    const real* b = p.b + (column / width) * p.b_panel;
    const int left = p.cols - column;
    const Mask first = hn::FirstN(d, static_cast<std::size_t>(left < lanes ? left : lanes));
    const int more = left < lanes ? 0 : left - lanes;
    const Mask second = hn::FirstN(d, static_cast<std::size_t>(more < lanes ? more : lanes));
    if (left >= width)
      Rows<kRows, true>(p, 0, column, b, first, second);
    else
      Rows<kRows, false>(p, 0, column, b, first, second);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace engram::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace engram::kernels {
HWY_EXPORT(Product);
HWY_EXPORT(Width);

void panel_product(const PanelProduct& product) {
  HWY_DYNAMIC_DISPATCH(Product)(product);
}
int panel_width() {
  return HWY_DYNAMIC_DISPATCH(Width)();
}

}  // namespace engram::kernels
#endif
