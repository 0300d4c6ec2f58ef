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

/// The active inputs of one image that are not zero: those of pixel p from start[p] to
/// start[p + 1]. Vectors may be read beyond the last entry.
struct ActivePixels {
  const std::int32_t* units;
  const real* values;
  const std::int32_t* start;
  std::int32_t* rows;  ///< room for those of one place: where the weights of each begin
  real* inputs;        ///< and their values
};

}  // namespace engram::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace engram::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using Tag = hn::ScalableTag<real>;
using IntTag = hn::Rebind<std::int32_t, Tag>;
using Vec = hn::Vec<Tag>;

/// Lists the active inputs of a place: where their weights begin, and their values. They lie in
/// one run for each line of the kernel; whole vectors are copied, since most runs are short.
HWY_INLINE int ListPlace(const Window& w, const ActivePixels& active, int outputs, int oy, int ox) {
  const Tag d;
  const IntTag di;
  const std::int32_t lanes = static_cast<std::int32_t>(hn::Lanes(d));
  const int left = ox * w.stride - w.pad, top = oy * w.stride - w.pad;
  const int first = left < 0 ? 0 : left;
  const int end = left + w.kernel_w > w.width ? w.width : left + w.kernel_w;
  int count = 0;
  for (int ky = 0; ky < w.kernel_h && first < end; ++ky) {
    const int row = top + ky;
    if (row < 0 || row >= w.height) continue;
    // Row of the weights that a unit meets = unit + shift: both run over pixels and channels.
    const int shift = (ky * w.kernel_w - row * w.width - left) * w.channels;
    const std::int32_t begin = active.start[row * w.width + first];
    const std::int32_t stop = active.start[row * w.width + end];
    for (std::int32_t e = begin; e < stop; e += lanes) {
      const auto rows = hn::Add(hn::LoadU(di, active.units + e), hn::Set(di, shift));
      hn::StoreU(hn::Mul(rows, hn::Set(di, outputs)), di, active.rows + count + (e - begin));
      hn::StoreU(hn::LoadU(d, active.values + e), d, active.inputs + count + (e - begin));
    }
    count += stop - begin;
  }
  return count;
}

/// kVecs vectors of outputs of one place.
template <int kVecs, bool kWhole>
HWY_INLINE void PlaceColumns(const ActivePixels& active, int count, const real* weights,
                             const real* bias, hn::Mask<Tag> mask, real* y) {
  const Tag d;
  const std::ptrdiff_t lanes = static_cast<std::ptrdiff_t>(hn::Lanes(d));
  const auto load = [&](const real* from) HWY_ATTR {
    return kWhole ? hn::LoadU(d, from) : hn::MaskedLoad(mask, d, from);
  };
  Vec sum[kVecs];
  HWY_UNROLL(8)
  for (int v = 0; v < kVecs; ++v)
    sum[v] = bias ? load(bias + v * lanes) : hn::Zero(d);
  for (int e = 0; e < count; ++e) {
    const Vec value = hn::Set(d, active.inputs[e]);
    const real* weight = weights + active.rows[e];
    HWY_UNROLL(8)
    for (int v = 0; v < kVecs; ++v)
      sum[v] = hn::MulAdd(value, load(weight + v * lanes), sum[v]);
  }
  HWY_UNROLL(8)
  for (int v = 0; v < kVecs; ++v)
    if (kWhole)
      hn::StoreU(sum[v], d, y + v * lanes);
    else
      hn::BlendedStore(sum[v], mask, d, y + v * lanes);
}

void ForwardImage(const Window& w, const ActivePixels& active, const real* weights, int outputs,
                  const real* bias, real* y) {
  const Tag d;
  const int lanes = static_cast<int>(hn::Lanes(d)), out_h = w.out_h(), out_w = w.out_w();
  const auto mask = hn::FirstN(d, static_cast<std::size_t>(outputs % lanes));
  for (int oy = 0; oy < out_h; ++oy)
    for (int ox = 0; ox < out_w; ++ox, y += outputs) {
      const int count = ListPlace(w, active, outputs, oy, ox);
      const auto start = [&](int c) HWY_ATTR { return bias ? bias + c : nullptr; };
      int c = 0;
      for (; c + 8 * lanes <= outputs; c += 8 * lanes)
        PlaceColumns<8, true>(active, count, weights + c, start(c), mask, y + c);
      for (; c + 4 * lanes <= outputs; c += 4 * lanes)
        PlaceColumns<4, true>(active, count, weights + c, start(c), mask, y + c);
      for (; c + lanes <= outputs; c += lanes)
        PlaceColumns<1, true>(active, count, weights + c, start(c), mask, y + c);
      if (c < outputs) PlaceColumns<1, false>(active, count, weights + c, start(c), mask, y + c);
    }
}

}  // namespace HWY_NAMESPACE
}  // namespace engram::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace engram::kernels {
namespace {

HWY_EXPORT(ForwardImage);

/// At least `count` elements of the `most` that an image may need: room for those is taken at once,
/// since the number of active units differs from image to image.
template <class T>
T* room(std::vector<T>& memory, std::size_t count, std::size_t most) {
  memory.reserve(most);
  if (memory.size() < count) memory.resize(count);
  return memory.data();
}

/// The active inputs of an image; kept per thread.
ActivePixels index_pixels(const Window& w, const real* x, std::span<const std::int32_t> active) {
  constexpr std::size_t kSlack = 16;  // of vectors that are read or written beyond the end
  thread_local std::vector<std::int32_t> integers;
  thread_local std::vector<real> reals;
  const int pixels = w.height * w.width;
  const std::size_t patch = static_cast<std::size_t>(w.patch()) + kSlack;
  const std::size_t starts = static_cast<std::size_t>(pixels) + 1, all = active.size() + kSlack;
  const std::size_t most = static_cast<std::size_t>(pixels) * w.channels + kSlack;
  std::int32_t* const rows = room(integers, patch + starts + all, patch + starts + most);
  std::int32_t* const from = rows + patch;
  std::int32_t* const unit = from + starts;
  real* const inputs = room(reals, patch + all, patch + most);
  real* const value = inputs + patch;
  std::size_t u = 0;
  std::int32_t e = 0;
  for (int p = 0; p < pixels; ++p) {
    from[p] = e;
    for (; u < active.size() && active[u] < (p + 1) * w.channels; ++u) {
      unit[e] = active[u], value[e] = x[active[u]];
      e += value[e] != 0;
    }
  }
  from[pixels] = e;
  return {unit, value, from, rows, inputs};
}

/// The active errors of an image that are not zero (dropout above leaves some), place by place.
/// The weight that an error meets at an input is weights[offset + what depends on the input], so
/// inner loops need no geometry. Weights lie channel by channel, [channels, taps, outputs]: a
/// channel's then fit into the first-level cache, while rows of all taps of one channel in the
/// usual order fall on few of its sets.
struct Errors {
  std::vector<std::int32_t> start, offset;
  std::vector<real> value;

  void assign(const Window& w, int outputs, const real* dy, std::span<const std::int32_t> units) {
    const int places = w.out_h() * w.out_w();
    start.resize(static_cast<std::size_t>(places) + 1);
    const std::size_t most = static_cast<std::size_t>(places) * outputs;
    std::int32_t* const from = start.data();
    std::int32_t* const to = room(offset, units.size(), most);
    real* const v = room(value, units.size(), most);
    std::size_t u = 0;
    std::int32_t e = 0;
    for (int p = 0; p < places; ++p) {
      from[p] = e;
      const int before = p * outputs + p % w.out_w() * w.stride * outputs;
      for (; u < units.size() && units[u] < (p + 1) * outputs; ++u) {
        v[e] = dy[units[u]], to[e] = units[u] - before;
        e += v[e] != 0;
      }
    }
    from[places] = e;
  }

  /// Calls body(base, first, last) for the lines of places that read this unit of the input: entry
  /// e in [first, last) meets it at weight base + offset[e].
  template <class Body>
  void for_lines(const Window& w, int outputs, std::int32_t unit, const Body& body) const {
    const int pixel = unit / w.channels, channel = unit % w.channels;
    const int y = pixel / w.width + w.pad, x = pixel % w.width + w.pad;
    const int left = first_place(x, w.kernel_w, w.stride);
    const int right = std::min(w.out_w(), x / w.stride + 1);
    const int top = first_place(y, w.kernel_h, w.stride);
    const int bottom = std::min(w.out_h(), y / w.stride + 1);
    if (left >= right) return;
    const std::int32_t* const from = start.data();
    for (int oy = top; oy < bottom; ++oy) {
      const int ky = y - oy * w.stride;
      const std::ptrdiff_t row =
          static_cast<std::ptrdiff_t>(channel * w.kernel_h + ky) * w.kernel_w + x;
      body(row * outputs, from[oy * w.out_w() + left], from[oy * w.out_w() + right]);
    }
  }
  /// The first place whose window reaches pixel x (counted from the edge of the padding).
  static int first_place(int x, int kernel, int stride) {
    return x < kernel ? 0 : (x - kernel) / stride + 1;
  }
};

/// The active units of an image and their values in the order of their channels. Values are read
/// here and not where they are met, which would wait for memory every time.
struct ChannelUnits {
  std::size_t count = 0;
  std::vector<std::int32_t> unit, next;
  std::vector<real> value;

  /// `most`: units of an image.
  void assign(const real* x, std::span<const std::int32_t> active, int channels, std::size_t most) {
    count = active.size();
    room(unit, count, most), room(value, count, most);
    next.assign(static_cast<std::size_t>(channels) + 1, 0);
    for (const std::int32_t u : active)
      ++next[static_cast<std::size_t>(u % channels) + 1];
    for (std::size_t c = 1; c < next.size(); ++c)
      next[c] += next[c - 1];
    for (const std::int32_t u : active) {
      const auto at = static_cast<std::size_t>(next[static_cast<std::size_t>(u % channels)]++);
      unit[at] = u, value[at] = x[u];
    }
  }
};

}  // namespace

void active_conv_forward(const Window& w, CMat x, const ActiveSet& below, CMat weights,
                         std::span<const real> bias, Mat y) {
  parallel_for(x.rows, [&](int b) {
    const ActivePixels active = index_pixels(w, x.row(b), below.row(b));
    HWY_DYNAMIC_DISPATCH(ForwardImage)
    (w, active, weights.data, weights.cols, bias.data(), y.row(b));
  });
}

void active_conv_backward(const Window& w, CMat dy, const ActiveSet& above, CMat weights,
                          const ActiveSet& below, Mat dx) {
  thread_local Scratch memory;
  const int outputs = weights.cols, taps = w.kernel_h * w.kernel_w;
  real* const by_channel = memory.get(weights.size());
  parallel_for(w.channels, [&](int c) {
    for (int tap = 0; tap < taps; ++tap)
      std::copy_n(weights.row(tap * w.channels + c), outputs,
                  by_channel + (static_cast<std::ptrdiff_t>(c) * taps + tap) * outputs);
  });
  parallel_for(dy.rows, [&](int b) {
    thread_local Errors errors;
    thread_local ChannelUnits units;
    real* const out = dx.row(b);
    std::fill_n(out, dx.cols, real{0});
    errors.assign(w, outputs, dy.row(b), above.row(b));
    units.assign(out, below.row(b), w.channels, static_cast<std::size_t>(dx.cols));
    const real* const error = errors.value.data();
    const std::int32_t* const offset = errors.offset.data();
    for (std::size_t u = 0; u < units.count; ++u) {
      const std::int32_t unit = units.unit[u];
      real sum[4] = {};  // chains of sums that do not wait for one another
      errors.for_lines(w, outputs, unit, [&](std::ptrdiff_t base, int first, int last) {
        const real* const from = by_channel + base;
        int e = first;
        for (; e + 4 <= last; e += 4)
          for (int i = 0; i < 4; ++i)
            sum[i] = std::fma(error[e + i], from[offset[e + i]], sum[i]);
        for (int i = 0; e < last; ++e, ++i)
          sum[i] = std::fma(error[e], from[offset[e]], sum[i]);
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
    thread_local Errors errors;
    thread_local ChannelUnits units;
    real* const sum = sums + static_cast<std::size_t>(group) * dw.size();
    std::fill_n(sum, dw.size(), real{0});
    for (int b = group * each; b < std::min(x.rows, (group + 1) * each); ++b) {
      errors.assign(w, dw.cols, dy.row(b), above.row(b));
      units.assign(x.row(b), below.row(b), w.channels, static_cast<std::size_t>(x.cols));
      const real* const error = errors.value.data();
      const std::int32_t* const offset = errors.offset.data();
      for (std::size_t u = 0; u < units.count; ++u) {
        const real value = units.value[u];
        if (value == 0) continue;
        errors.for_lines(w, dw.cols, units.unit[u], [&](std::ptrdiff_t base, int first, int last) {
          real* const to = sum + base;
          for (int e = first; e < last; ++e)
            to[offset[e]] = std::fma(value, error[e], to[offset[e]]);
        });
      }
    }
  });
  add_groups(sums, groups, w.channels, add, dw);
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
