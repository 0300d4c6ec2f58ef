#include "utils/conv_grouped.h"

#include <algorithm>

#include "utils/conv_direct.h"
#include "utils/parallel.h"
#include "utils/scratch.h"

namespace engram::kernels {
namespace {

/// Calls body(place, pixel, tap) wherever tap `tap` of the window at `place` lies in the image.
template <class Body>
void for_each_tap(const Window& w, const Body& body) {
  for (int oy = 0, place = 0; oy < w.out_h(); ++oy) {
    const int top = oy * w.stride - w.pad;
    const int first_y = std::max(0, -top), last_y = std::min(w.kernel_h, w.height - top);
    for (int ox = 0; ox < w.out_w(); ++ox, ++place) {
      const int left = ox * w.stride - w.pad;
      const int first_x = std::max(0, -left), last_x = std::min(w.kernel_w, w.width - left);
      for (int ky = first_y; ky < last_y; ++ky)
        for (int kx = first_x; kx < last_x; ++kx)
          body(place, (top + ky) * w.width + left + kx, ky * w.kernel_w + kx);
    }
  }
}

/// How channels and outputs are divided.
struct Groups {
  Groups(const Window& w, int groups, int output_count)
      : count(groups),
        channels(w.channels),
        outputs(output_count),
        below(w.channels / groups),
        above(output_count / groups) {}
  bool depthwise() const { return below == 1 && above == 1; }
  /// Calls body(channel, row within a tap's rows of w, first output) for every channel.
  template <class Body>
  void for_each_channel(const Body& body) const {
    for (int g = 0; g < count; ++g)
      for (int i = 0; i < below; ++i)
        body(g * below + i, i, g * above);
  }
  int count, channels, outputs, below, above;
};

void forward_image(const Window& w, const Groups& g, const real* x, CMat weights, real* y) {
  if (g.depthwise()) {
    for_each_tap(w, [&](int place, int pixel, int tap) {
      const real *in = x + pixel * g.channels, *factor = weights.row(tap);
      real* const out = y + place * g.channels;
#pragma omp simd
      for (int c = 0; c < g.channels; ++c)
        out[c] += in[c] * factor[c];
    });
    return;
  }
  for_each_tap(w, [&](int place, int pixel, int tap) {
    g.for_each_channel([&](int channel, int row, int first) {
      const real in = x[pixel * g.channels + channel];
      const real* const factor = weights.row(tap * g.below + row) + first;
      real* const out = y + place * g.outputs + first;
#pragma omp simd
      for (int o = 0; o < g.above; ++o)
        out[o] += in * factor[o];
    });
  });
}

void backward_image(const Window& w, const Groups& g, const real* dy, CMat weights, real* dx) {
  if (g.depthwise()) {
    for_each_tap(w, [&](int place, int pixel, int tap) {
      const real *error = dy + place * g.channels, *factor = weights.row(tap);
      real* const out = dx + pixel * g.channels;
#pragma omp simd
      for (int c = 0; c < g.channels; ++c)
        out[c] += error[c] * factor[c];
    });
    return;
  }
  for_each_tap(w, [&](int place, int pixel, int tap) {
    g.for_each_channel([&](int channel, int row, int first) {
      const real* const error = dy + place * g.outputs + first;
      const real* const factor = weights.row(tap * g.below + row) + first;
      real sum = 0;
      for (int o = 0; o < g.above; ++o)
        sum += error[o] * factor[o];
      dx[pixel * g.channels + channel] += sum;
    });
  });
}

void add_gradient(const Window& w, const Groups& g, const real* x, const real* dy, Mat dw) {
  if (g.depthwise()) {
    for_each_tap(w, [&](int place, int pixel, int tap) {
      const real *in = x + pixel * g.channels, *error = dy + place * g.channels;
      real* const out = dw.row(tap);
#pragma omp simd
      for (int c = 0; c < g.channels; ++c)
        out[c] += in[c] * error[c];
    });
    return;
  }
  for_each_tap(w, [&](int place, int pixel, int tap) {
    g.for_each_channel([&](int channel, int row, int first) {
      const real in = x[pixel * g.channels + channel];
      const real* const error = dy + place * g.outputs + first;
      real* const out = dw.row(tap * g.below + row) + first;
#pragma omp simd
      for (int o = 0; o < g.above; ++o)
        out[o] += in * error[o];
    });
  });
}

}  // namespace

void grouped_forward(const Window& w, int groups, CMat x, CMat weights, std::span<const real> bias,
                     Mat y) {
  const Groups g(w, groups, weights.cols);
  parallel_for(x.rows, [&](int b) {
    for (real* place = y.row(b); place < y.row(b) + y.cols; place += g.outputs)
      std::copy(bias.begin(), bias.end(), place);
    forward_image(w, g, x.row(b), weights, y.row(b));
  });
}

void grouped_backward(const Window& w, int groups, CMat dy, CMat weights, Mat dx) {
  const Groups g(w, groups, weights.cols);
  parallel_for(dy.rows, [&](int b) {
    std::fill_n(dx.row(b), dx.cols, real{0});
    backward_image(w, g, dy.row(b), weights, dx.row(b));
  });
}

void grouped_gradient(const Window& w, int groups, CMat x, CMat dy, bool add, Mat dw) {
  constexpr int kMost = 16;  // sums side by side; by the batch alone, so that the bits are
  thread_local Scratch memory;
  const Groups g(w, groups, dw.cols);
  const int each = (x.rows + kMost - 1) / kMost, parts = (x.rows + each - 1) / each;
  real* const sums = memory.get(dw.size() * static_cast<std::size_t>(parts));
  parallel_for(parts, [&](int part) {
    const Mat sum{sums + static_cast<std::size_t>(part) * dw.size(), dw.rows, dw.cols};
    std::fill_n(sum.data, sum.size(), real{0});
    for (int b = part * each; b < std::min(x.rows, (part + 1) * each); ++b)
      add_gradient(w, g, x.row(b), dy.row(b), sum);
  });
  add_groups(sums, parts, dw.rows, add, dw);
}

}  // namespace engram::kernels
