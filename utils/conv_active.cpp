#include "utils/conv_active.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "utils/conv_direct.h"
#include "utils/parallel.h"
#include "utils/scratch.h"
#include "utils/simd_targets.h"
#include "utils/sparse_kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "utils/conv_active.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#ifndef ENGRAM_CONV_ACTIVE_ONCE
#define ENGRAM_CONV_ACTIVE_ONCE
namespace engram::kernels {

/// The active units of one image; those of pixel p are units[start[p]] up to units[start[p + 1]].
struct ActivePixels {
  const std::int32_t* units;
  const std::int32_t* start;
};

/// Outputs that are computed together: their part of the weights stays in the second-level cache
/// while a group of images reads it.
constexpr int kSlab = 64;

}  // namespace engram::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace engram::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using Tag = hn::ScalableTag<real>;
using Vec = hn::Vec<Tag>;

/// kVecs vectors of outputs from `column` on, of one image.
template <int kVecs, bool kWhole>
HWY_INLINE void ForwardColumns(const Window& w, const real* x, const ActivePixels& active,
                               const real* weights, int outputs, const real* bias, int column,
                               hn::Mask<Tag> mask, real* y) {
  const Tag d;
  const std::ptrdiff_t lanes = static_cast<std::ptrdiff_t>(hn::Lanes(d));
  const auto load = [&](const real* from) HWY_ATTR {
    return kWhole ? hn::LoadU(d, from) : hn::MaskedLoad(mask, d, from);
  };
  const int out_h = w.out_h(), out_w = w.out_w();
  real* to = y + column;
  for (int oy = 0; oy < out_h; ++oy)
    for (int ox = 0; ox < out_w; ++ox, to += outputs) {
      Vec sum[kVecs];
      HWY_UNROLL(8)
      for (int v = 0; v < kVecs; ++v)
        sum[v] = bias ? load(bias + column + v * lanes) : hn::Zero(d);
      const int left = ox * w.stride - w.pad, top = oy * w.stride - w.pad;
      const int first = left < 0 ? 0 : left;
      const int end = left + w.kernel_w > w.width ? w.width : left + w.kernel_w;
      for (int ky = 0; ky < w.kernel_h && first < end; ++ky) {
        const int row = top + ky;
        if (row < 0 || row >= w.height) continue;
        // Row of the weights that a unit meets = unit + shift: both run over pixels and channels.
        const std::ptrdiff_t shift =
            static_cast<std::ptrdiff_t>(ky * w.kernel_w - row * w.width - left) * w.channels;
        const real* from = weights + shift * outputs + column;
        const std::int32_t stop = active.start[row * w.width + end];
        for (std::int32_t e = active.start[row * w.width + first]; e < stop; ++e) {
          const std::ptrdiff_t unit = active.units[e];
          const Vec value = hn::Set(d, x[unit]);
          const real* weight = from + unit * outputs;
          HWY_UNROLL(8)
          for (int v = 0; v < kVecs; ++v)
            sum[v] = hn::MulAdd(value, load(weight + v * lanes), sum[v]);
        }
      }
      HWY_UNROLL(8)
      for (int v = 0; v < kVecs; ++v)
        if (kWhole)
          hn::StoreU(sum[v], d, to + v * lanes);
        else
          hn::BlendedStore(sum[v], mask, d, to + v * lanes);
    }
}

/// Outputs [column, column + kSlab) of one image.
void ForwardSlab(const Window& w, const real* x, const ActivePixels& active, const real* weights,
                 int outputs, const real* bias, int column, real* y) {
  const Tag d;
  const int lanes = static_cast<int>(hn::Lanes(d));
  const int end = column + kSlab < outputs ? column + kSlab : outputs;
  const auto mask = hn::FirstN(d, static_cast<std::size_t>((end - column) % lanes));
  for (; column + 4 * lanes <= end; column += 4 * lanes)
    ForwardColumns<4, true>(w, x, active, weights, outputs, bias, column, mask, y);
  for (; column + lanes <= end; column += lanes)
    ForwardColumns<1, true>(w, x, active, weights, outputs, bias, column, mask, y);
  if (column < end) ForwardColumns<1, false>(w, x, active, weights, outputs, bias, column, mask, y);
}

}  // namespace HWY_NAMESPACE
}  // namespace engram::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace engram::kernels {
namespace {

HWY_EXPORT(ForwardSlab);

/// Where the units of every pixel start; kept per thread.
ActivePixels index_pixels(std::span<const std::int32_t> units, int pixels, int channels) {
  thread_local std::vector<std::int32_t> start;
  start.resize(static_cast<std::size_t>(pixels) + 1);
  std::size_t e = 0;
  for (int p = 0; p <= pixels; ++p) {
    while (e < units.size() && units[e] < p * channels)
      ++e;
    start[p] = static_cast<std::int32_t>(e);
  }
  return {units.data(), start.data()};
}

/// The active errors of an image that are not zero (dropout above leaves some), place by place. The
/// weight that an error meets at an input is weights[offset + what depends on the input], so inner
/// loops need no geometry.
class Errors {
 public:
  Errors(const Window& w, int outputs, const real* dy, std::span<const std::int32_t> units) {
    thread_local std::vector<std::int32_t> starts, offsets;
    thread_local std::vector<real> values;
    const int places = w.out_h() * w.out_w();
    starts.resize(static_cast<std::size_t>(places) + 1);
    offsets.resize(units.size() + 1), values.resize(units.size() + 1);
    start_ = starts.data();
    std::int32_t* const offset = offsets.data();
    real* const value = values.data();
    std::size_t u = 0;
    std::int32_t e = 0;
    for (int p = 0; p < places; ++p) {
      starts[static_cast<std::size_t>(p)] = e;
      const int column = p % w.out_w() * w.stride * w.channels * outputs;
      for (; u < units.size() && units[u] < (p + 1) * outputs; ++u) {
        value[e] = dy[units[u]], offset[e] = units[u] - p * outputs - column;
        e += value[e] != 0;
      }
    }
    starts[static_cast<std::size_t>(places)] = e;
    value_ = value, offset_ = offset;
  }

  /// Calls body(base, first, last) for the lines of places that read this unit of the input: entry
  /// e in [first, last) meets it at weight base + offset()[e].
  template <class Body>
  void for_lines(const Window& w, int outputs, std::int32_t unit, const Body& body) const {
    const int pixel = unit / w.channels, channel = unit % w.channels;
    const int y = pixel / w.width + w.pad, x = pixel % w.width + w.pad;
    const int left = first_place(x, w.kernel_w, w.stride);
    const int right = std::min(w.out_w(), x / w.stride + 1);
    const int top = first_place(y, w.kernel_h, w.stride);
    const int bottom = std::min(w.out_h(), y / w.stride + 1);
    if (left >= right) return;
    for (int oy = top; oy < bottom; ++oy) {
      const int ky = y - oy * w.stride;
      const std::ptrdiff_t row =
          static_cast<std::ptrdiff_t>(ky * w.kernel_w + x) * w.channels + channel;
      body(row * outputs, start_[oy * w.out_w() + left], start_[oy * w.out_w() + right]);
    }
  }
  const real* value() const { return value_; }
  const std::int32_t* offset() const { return offset_; }

 private:
  /// The first place whose window reaches pixel x (counted from the edge of the padding).
  static int first_place(int x, int kernel, int stride) {
    return x < kernel ? 0 : (x - kernel) / stride + 1;
  }
  const std::int32_t *start_, *offset_ = nullptr;
  const real* value_ = nullptr;
};

/// The units of an image in the order of their channels, so that what they meet of the weights (one
/// channel's) stays in the first-level cache; kept per thread.
std::span<const std::int32_t> by_channel(std::span<const std::int32_t> units, int channels) {
  thread_local std::vector<std::int32_t> sorted, next;
  sorted.resize(units.size());
  next.assign(static_cast<std::size_t>(channels) + 1, 0);
  for (const std::int32_t unit : units)
    ++next[static_cast<std::size_t>(unit % channels) + 1];
  for (std::size_t c = 1; c < next.size(); ++c)
    next[c] += next[c - 1];
  for (const std::int32_t unit : units)
    sorted[static_cast<std::size_t>(next[static_cast<std::size_t>(unit % channels)]++)] = unit;
  return sorted;
}

}  // namespace

void active_conv_forward(const Window& w, CMat x, const ActiveSet& below, CMat weights,
                         std::span<const real> bias, Mat y) {
  constexpr int kImages = 4;
  const int slabs = (weights.cols + kSlab - 1) / kSlab, groups = (x.rows + kImages - 1) / kImages;
  parallel_for(groups * slabs, [&](int task) {
    const int begin = task / slabs * kImages, column = task % slabs * kSlab;
    for (int b = begin; b < std::min(x.rows, begin + kImages); ++b) {
      const ActivePixels active = index_pixels(below.row(b), w.height * w.width, w.channels);
      HWY_DYNAMIC_DISPATCH(ForwardSlab)
      (w, x.row(b), active, weights.data, weights.cols, bias.data(), column, y.row(b));
    }
  });
}

void active_conv_backward(const Window& w, CMat dy, const ActiveSet& above, CMat weights,
                          const ActiveSet& below, Mat dx) {
  parallel_for(dy.rows, [&](int b) {
    const Errors errors(w, weights.cols, dy.row(b), above.row(b));
    const real* const value = errors.value();
    const std::int32_t* const offset = errors.offset();
    real* const out = dx.row(b);
    for (const std::int32_t unit : by_channel(below.row(b), w.channels)) {
      real sum[4] = {};  // chains of sums that do not wait for one another
      errors.for_lines(w, weights.cols, unit, [&](std::ptrdiff_t base, int first, int last) {
        const real* const from = weights.data + base;
        int e = first;
        for (; e + 4 <= last; e += 4)
          for (int i = 0; i < 4; ++i)
            sum[i] = std::fma(value[e + i], from[offset[e + i]], sum[i]);
        for (int i = 0; e < last; ++e, ++i)
          sum[i] = std::fma(value[e], from[offset[e]], sum[i]);
      });
      out[unit] = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    }
  });
}

void active_conv_gradient(const Window& w, CMat x, const ActiveSet& below, CMat dy,
                          const ActiveSet& above, bool add, Mat dw) {
  // Groups of images have a sum each, as many as fit into this many numbers.
  constexpr std::size_t kSums = 1 << 21;
  constexpr int kGroups = 8;
  thread_local Scratch memory;
  const int most = static_cast<int>(std::clamp<std::size_t>(kSums / dw.size(), 1, kGroups));
  const int each = (x.rows + most - 1) / most, groups = (x.rows + each - 1) / each;
  real* const sums = memory.get(dw.size() * static_cast<std::size_t>(groups));
  parallel_for(groups, [&](int group) {
    real* const sum = sums + static_cast<std::size_t>(group) * dw.size();
    std::fill_n(sum, dw.size(), real{0});
    const int end = std::min(x.rows, (group + 1) * each);
    for (int b = group * each; b < end; ++b) {
      const Errors errors(w, dw.cols, dy.row(b), above.row(b));
      const real* const error = errors.value();
      const std::int32_t* const offset = errors.offset();
      for (const std::int32_t unit : by_channel(below.row(b), w.channels)) {
        const real value = x.row(b)[unit];
        if (value == 0) continue;
        errors.for_lines(w, dw.cols, unit, [&](std::ptrdiff_t base, int first, int last) {
          real* const to = sum + base;
          for (int e = first; e < last; ++e)
            to[offset[e]] = std::fma(value, error[e], to[offset[e]]);
        });
      }
    }
  });
  add_groups(sums, groups, add, dw);
}

bool active_conv_spreads(const Window& w) {
  return w.stride == 1 && w.pad < w.kernel_h && w.pad < w.kernel_w && w.kernel_h == w.kernel_w;
}

void active_conv_spread(const Window& w, CMat dy, const ActiveSet& above, CMat weights, Mat dx) {
  // The convolution of dy with the kernel turned round, inputs and outputs exchanged.
  thread_local Scratch memory;
  const int outputs = weights.cols, taps = w.kernel_h * w.kernel_w;
  const Mat turned{memory.get(weights.size()), taps * outputs, w.channels};
  parallel_for(taps, [&](int tap) {
    transpose({weights.row(tap * w.channels), w.channels, outputs},
              {turned.row((taps - 1 - tap) * outputs), outputs, w.channels});
  });
  Window back;
  back.height = w.out_h(), back.width = w.out_w(), back.channels = outputs;
  back.kernel_h = w.kernel_h, back.kernel_w = w.kernel_w, back.pad = w.kernel_h - 1 - w.pad;
  active_conv_forward(back, dy, above, turned, {}, dx);
}

}  // namespace engram::kernels
#endif
