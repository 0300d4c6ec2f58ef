#include "utils/conv_direct.h"

#include <algorithm>

#include "utils/panel_product.h"
#include "utils/parallel.h"
#include "utils/scratch.h"
#include "utils/sparse_kernels.h"

namespace engram::kernels {
namespace {

/// An image with its padding, without a copy when there is none.
struct Framed {
  const real* data;
  std::ptrdiff_t row;  ///< numbers from one line of pixels to the next
};
Framed frame(const Window& w, const real* image, Scratch& memory) {
  const std::ptrdiff_t line = static_cast<std::ptrdiff_t>(w.width) * w.channels;
  if (w.pad == 0) return {image, line};
  const std::ptrdiff_t edge = static_cast<std::ptrdiff_t>(w.pad) * w.channels;
  const std::ptrdiff_t row = line + 2 * edge;
  const auto size = static_cast<std::size_t>(row * (w.height + 2 * w.pad));
  real* to = memory.get(size);
  std::fill_n(to, size, real{0});
  for (int y = 0; y < w.height; ++y)
    std::copy_n(image + y * line, line, to + (y + w.pad) * row + edge);
  return {to, row};
}

/// The columns of w in panels, as panel_product reads them best.
const real* pack(CMat w, Scratch& memory) {
  const int width = panel_width(), panels = (w.cols + width - 1) / width;
  const auto size = static_cast<std::size_t>(width) * static_cast<std::size_t>(w.rows);
  real* const packed = memory.get(size * static_cast<std::size_t>(panels));
  parallel_for(panels, [&](int p) {
    const int count = std::min(width, w.cols - p * width);
    for (int r = 0; r < w.rows; ++r)
      std::copy_n(w.row(r) + p * width, count, packed + p * size + r * width);
  });
  return packed;
}

/// image += the patches of one line of places: the adjoint of reading them.
void add_patches(const Window& w, int oy, const real* patches, real* image) {
  const int run = w.kernel_w * w.channels;
  for (int ox = 0; ox < w.out_w(); ++ox)
    for (int ky = 0; ky < w.kernel_h; ++ky, patches += run) {
      const int y = oy * w.stride - w.pad + ky, x = ox * w.stride - w.pad;
      if (y < 0 || y >= w.height) continue;
      const int first = std::max(0, -x), last = std::min(w.kernel_w, w.width - x);
      if (last <= first) continue;
      const auto count = static_cast<std::size_t>((last - first) * w.channels);
      axpy(1, {patches + first * w.channels, count},
           image + (y * w.width + x + first) * w.channels);
    }
}

}  // namespace

void direct_forward(const Window& w, CMat x, CMat weights, std::span<const real> bias, Mat y) {
  thread_local Scratch packed_memory;
  const real* const packed = pack(weights, packed_memory);
  parallel_for(x.rows, [&](int b) {
    thread_local Scratch memory;
    const Framed in = frame(w, x.row(b), memory);
    PanelProduct p;
    p.a_row = static_cast<std::ptrdiff_t>(w.stride) * w.channels, p.a_outer = in.row;
    p.b = packed, p.b_inner = panel_width(), p.b_panel = p.b_inner * weights.rows;
    p.outer = w.kernel_h, p.inner = w.kernel_w * w.channels, p.b_outer = p.b_inner * p.inner;
    p.rows = w.out_w(), p.cols = weights.cols, p.c_row = weights.cols, p.start = bias.data();
    for (int oy = 0; oy < w.out_h(); ++oy) {
      p.a = in.data + oy * w.stride * in.row;
      p.c = y.row(b) + static_cast<std::ptrdiff_t>(oy) * w.out_w() * weights.cols;
      panel_product(p);
    }
  });
}

void direct_backward(const Window& w, CMat dy, CMat weights, Mat dx) {
  thread_local Scratch turned_memory, packed_memory;
  const int outputs = weights.cols, fan_in = weights.rows;
  const Mat turned{turned_memory.get(weights.size()), outputs, fan_in};
  transpose(weights, turned);
  const real* const packed = pack(turned, packed_memory);
  parallel_for(dy.rows, [&](int b) {
    thread_local Scratch memory;
    real* const patches =
        memory.get(static_cast<std::size_t>(w.out_w()) * static_cast<std::size_t>(fan_in));
    std::fill_n(dx.row(b), dx.cols, real{0});
    PanelProduct p;
    p.a_row = outputs, p.b = packed, p.b_inner = panel_width(), p.b_panel = p.b_inner * outputs;
    p.rows = w.out_w(), p.cols = fan_in, p.inner = outputs, p.c = patches, p.c_row = fan_in;
    for (int oy = 0; oy < w.out_h(); ++oy) {
      p.a = dy.row(b) + static_cast<std::ptrdiff_t>(oy) * w.out_w() * outputs;
      panel_product(p);
      add_patches(w, oy, patches, dx.row(b));
    }
  });
}

void direct_gradient(const Window& w, CMat x, CMat dy, bool add, Mat dw) {
  // Groups of images have a sum each, as many as fit into this many numbers; one line of the kernel
  // is a task of its own when that leaves few groups.
  constexpr std::size_t kSums = 1 << 21;
  constexpr int kGroups = 16, kFewGroups = 8;
  thread_local Scratch sums_memory;
  const int most = static_cast<int>(std::clamp<std::size_t>(kSums / dw.size(), 1, kGroups));
  const int each = (x.rows + most - 1) / most, groups = (x.rows + each - 1) / each;
  const int parts = groups < kFewGroups ? w.kernel_h : 1;
  real* const sums = sums_memory.get(dw.size() * static_cast<std::size_t>(groups));
  const int outputs = dw.cols, run = w.kernel_w * w.channels;
  parallel_for(groups * parts, [&](int task) {
    thread_local Scratch memory;
    const int group = task / parts, part = task % parts;
    const int end = std::min(x.rows, (group + 1) * each);
    for (int b = group * each; b < end; ++b) {
      const Framed in = frame(w, x.row(b), memory);
      PanelProduct p;
      p.a_row = 1, p.a_outer = w.stride * in.row, p.a_inner = w.stride * w.channels;
      p.b = dy.row(b), p.b_outer = static_cast<std::ptrdiff_t>(w.out_w()) * outputs;
      p.b_inner = outputs, p.b_panel = panel_width();
      p.rows = run, p.cols = outputs, p.c_row = outputs, p.outer = w.out_h(), p.inner = w.out_w();
      p.add = b > group * each;
      for (int ky = part; ky < w.kernel_h; ky += parts) {
        p.a = in.data + ky * in.row;
        p.c = sums + static_cast<std::size_t>(group) * dw.size() +
              static_cast<std::ptrdiff_t>(ky) * run * outputs;
        panel_product(p);
      }
    }
  });
  add_groups(sums, groups, dw.rows, add, dw);
}

void add_groups(real* sums, int groups, int channels, bool add, Mat dw) {
  const int taps = dw.rows / channels;
  parallel_for(dw.rows, [&](int r) {
    const auto count = static_cast<std::size_t>(dw.cols);
    real* const sum = sums + static_cast<std::size_t>(r) * count;
    for (int g = 1; g < groups; ++g)
      axpy(1, {sum + static_cast<std::size_t>(g) * dw.size(), count}, sum);
    real* const to = dw.row(r % taps * channels + r / taps);
    if (add)
      axpy(1, {sum, count}, to);
    else
      std::copy_n(sum, count, to);
  });
}

void sum_places(CMat dy, const ActiveSet& active, Mat sums) {
  parallel_for(dy.rows, [&](int b) {
    const std::span<real> to{sums.row(b), static_cast<std::size_t>(sums.cols)};
    std::fill(to.begin(), to.end(), real{0});
    if (active.known())
      for (const std::int32_t unit : active.row(b))
        to[static_cast<std::size_t>(unit % sums.cols)] += dy.row(b)[unit];
    else
      add_column_sums({dy.row(b), dy.cols / sums.cols, sums.cols}, to);
  });
}

}  // namespace engram::kernels
