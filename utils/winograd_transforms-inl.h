// The six one-dimensional transforms of winograd_tiles.h on vectors of channels. Points p and -p
// share their even and odd halves. Included once per SIMD target.
#include <hwy/highway.h>

#include "utils/real.h"

HWY_BEFORE_NAMESPACE();
namespace engram::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using Tag = hn::ScalableTag<real>;
using Vec = hn::Vec<Tag>;

constexpr double kPoint[3] = {1, 2, 0.5};
/// 1 / product of the distances to the other points, for points +-kPoint[i].
constexpr double kWeight[3] = {-2. / 9, 1. / 90, 32. / 45};

constexpr double Power(double x, int n) {
  return n == 0 ? 1 : x * Power(x, n - 1);
}
HWY_INLINE Vec Const(double x) {
  return hn::Set(Tag(), static_cast<real>(x));
}
/// sum + x * v, without a product where x is one.
HWY_INLINE Vec Plus(Vec sum, double x, Vec v) {
  return x == 1 ? hn::Add(sum, v) : hn::MulAdd(Const(x), v, sum);
}

/// Bᵀ: values at 8 places to their 8 parts. Row j holds the coefficients of the product of
/// (x - p) over all points but its own.
struct InputToParts {
  static constexpr int kFrom = 8, kTo = 8;
  static HWY_INLINE void Apply(const Vec* d, Vec* w) {
    w[0] = Plus(hn::Sub(d[0], d[6]), 5.25, hn::Sub(d[4], d[2]));
    w[7] = Plus(hn::Sub(d[7], d[1]), 5.25, hn::Sub(d[3], d[5]));
    const Vec even1 = Plus(hn::Add(d[2], d[6]), -4.25, d[4]);
    const Vec odd1 = Plus(hn::Add(d[1], d[5]), -4.25, d[3]);
    const Vec even2 = Plus(Plus(d[6], 0.25, d[2]), -1.25, d[4]);
    const Vec odd2 = Plus(Plus(hn::Mul(Const(0.5), d[1]), -2.5, d[3]), 2, d[5]);
    const Vec even3 = Plus(Plus(d[6], 4, d[2]), -5, d[4]);
    const Vec odd3 = Plus(Plus(hn::Mul(Const(2), d[1]), -2.5, d[3]), 0.5, d[5]);
    w[1] = hn::Add(even1, odd1), w[2] = hn::Sub(even1, odd1);
    w[3] = hn::Add(even2, odd2), w[4] = hn::Sub(even2, odd2);
    w[5] = hn::Add(even3, odd3), w[6] = hn::Sub(even3, odd3);
  }
};

/// B, its transpose.
struct PartsToInput {
  static constexpr int kFrom = 8, kTo = 8;
  static HWY_INLINE void Apply(const Vec* w, Vec* d) {
    const Vec s1 = hn::Add(w[1], w[2]), t1 = hn::Sub(w[1], w[2]);
    const Vec s2 = hn::Add(w[3], w[4]), t2 = hn::Sub(w[3], w[4]);
    const Vec s3 = hn::Add(w[5], w[6]), t3 = hn::Sub(w[5], w[6]);
    d[0] = w[0];
    d[1] = Plus(Plus(hn::Sub(t1, w[7]), 0.5, t2), 2, t3);
    d[2] = Plus(Plus(Plus(s1, -5.25, w[0]), 0.25, s2), 4, s3);
    d[3] = Plus(Plus(hn::Mul(Const(5.25), w[7]), -4.25, t1), -2.5, hn::Add(t2, t3));
    d[4] = Plus(Plus(Plus(hn::Mul(Const(5.25), w[0]), -4.25, s1), -1.25, s2), -5, s3);
    d[5] = Plus(Plus(Plus(t1, -5.25, w[7]), 2, t2), 0.5, t3);
    d[6] = hn::Add(hn::Sub(s1, w[0]), hn::Add(s2, s3));
    d[7] = w[7];
  }
};

/// Aᵀ: 8 parts to kCount places; row i holds the points to the power i.
template <int kCount>
struct PartsToOutput {
  static constexpr int kFrom = 8, kTo = kCount;
  static HWY_INLINE void Apply(const Vec* w, Vec* y) {
    const Vec half[2][3] = {
        {hn::Add(w[1], w[2]), hn::Add(w[3], w[4]), hn::Add(w[5], w[6])},
        {hn::Sub(w[1], w[2]), hn::Sub(w[3], w[4]), hn::Sub(w[5], w[6])},
    };
    HWY_UNROLL(8)
    for (int i = 0; i < kCount; ++i) {
      const Vec* h = half[i % 2];
      Vec sum = i == 0 ? hn::Add(w[0], h[0]) : h[0];
      sum = Plus(Plus(sum, Power(kPoint[1], i), h[1]), Power(kPoint[2], i), h[2]);
      y[i] = i == kCount - 1 ? hn::Add(sum, w[7]) : sum;
    }
  }
};

/// A, its transpose.
template <int kCount>
struct ErrorToParts {
  static constexpr int kFrom = kCount, kTo = 8;
  static HWY_INLINE void Apply(const Vec* y, Vec* w) {
    w[0] = y[0], w[7] = y[kCount - 1];
    HWY_UNROLL(3)
    for (int p = 0; p < 3; ++p) {
      Vec even = y[0], odd = hn::Mul(Const(kPoint[p]), y[1]);
      HWY_UNROLL(8)
      for (int i = 2; i < kCount; ++i)
        (i % 2 ? odd : even) = Plus(i % 2 ? odd : even, Power(kPoint[p], i), y[i]);
      w[1 + 2 * p] = hn::Add(even, odd), w[2 + 2 * p] = hn::Sub(even, odd);
    }
  }
};

/// G: kCount taps of a kernel to 8 parts.
template <int kCount>
struct KernelToParts {
  static constexpr int kFrom = kCount, kTo = 8;
  static HWY_INLINE void Apply(const Vec* g, Vec* w) {
    ErrorToParts<kCount>::Apply(g, w);  // the same powers, then weighted
    HWY_UNROLL(8)
    for (int j = 1; j < 7; ++j)
      w[j] = hn::Mul(Const(kWeight[(j - 1) / 2]), w[j]);
  }
};

/// Gᵀ, its transpose.
template <int kCount>
struct PartsToKernel {
  static constexpr int kFrom = 8, kTo = kCount;
  static HWY_INLINE void Apply(const Vec* w, Vec* g) {
    Vec weighted[8] = {w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7]};
    HWY_UNROLL(8)
    for (int j = 1; j < 7; ++j)
      weighted[j] = hn::Mul(Const(kWeight[(j - 1) / 2]), w[j]);
    PartsToOutput<kCount>::Apply(weighted, g);
  }
};

}  // namespace HWY_NAMESPACE
}  // namespace engram::kernels
HWY_AFTER_NAMESPACE();
