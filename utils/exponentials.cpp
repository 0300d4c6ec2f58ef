#include "utils/exponentials.h"

#include <algorithm>

#include "utils/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "utils/exponentials.cpp"
// The order matters.
// clang-format off
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>
#include <hwy/contrib/math/math-inl.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace engram::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

void exp_of(std::span<const real> x, real shift, real* y) {
  const hn::ScalableTag<real> d;
  const auto by = hn::Set(d, shift);
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= x.size(); i += lanes)
    hn::StoreU(hn::Exp(d, hn::Sub(hn::LoadU(d, x.data() + i), by)), d, y + i);
  if (i == x.size()) return;
  const auto some = hn::FirstN(d, x.size() - i);
  const auto rest = hn::MaskedLoad(some, d, x.data() + i);
  hn::BlendedStore(hn::Exp(d, hn::Sub(rest, by)), some, d, y + i);
}

}  // namespace HWY_NAMESPACE
}  // namespace engram::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace engram::kernels {

HWY_EXPORT(exp_of);

void exponentials(std::span<const real> x, real shift, real* y) {
  HWY_DYNAMIC_DISPATCH(exp_of)(x, shift, y);
}

void softmax(std::span<const real> x, real* y) {
  if (x.empty()) return;
  exponentials(x, *std::max_element(x.begin(), x.end()), y);
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    sum += static_cast<double>(y[i]);
  const auto scale = static_cast<real>(1 / sum);
#pragma omp simd
  for (std::size_t i = 0; i < x.size(); ++i)
    y[i] *= scale;
}

}  // namespace engram::kernels
#endif
