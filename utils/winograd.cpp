#include "utils/winograd.h"

#include <algorithm>

#include "utils/panel_product.h"
#include "utils/parallel.h"
#include "utils/scratch.h"
#include "utils/sparse_kernels.h"
#include "utils/winograd_tiles.h"

namespace engram::kernels {
namespace {

constexpr int kLine = 16;  // channels of a tile are padded to a multiple of this

std::ptrdiff_t round_up(std::ptrdiff_t n, std::ptrdiff_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

/// Tiles over the places of the output; they start where the output starts.
TileGrid output_grid(const Window& w, int outputs) {
  const int step = kWinogradTile + 1 - w.kernel_h;
  TileGrid g;
  g.height = w.out_h(), g.width = w.out_w(), g.channels = outputs, g.kernel = w.kernel_h;
  g.tiles_y = (w.out_h() + step - 1) / step, g.tiles_x = (w.out_w() + step - 1) / step;
  return g;
}
/// The same tiles over the pixels that they read.
TileGrid input_grid(const Window& w) {
  TileGrid g = output_grid(w, w.channels);
  g.height = w.height, g.width = w.width, g.origin = -w.pad;
  return g;
}
int tiles_per_image(const TileGrid& g) {
  return g.tiles_y * g.tiles_x;
}

/// Images that are transformed and multiplied together: enough tiles for the small products to
/// run at full speed, few enough that they stay in cache. Depends on the shape alone.
int images_per_block(const TileGrid& g, int batch, int tiles) {
  return std::clamp(tiles / tiles_per_image(g), 1, std::max(1, batch));
}

/// Parts lie one odd line apart, so that they do not all fall on the same cache sets.
Tiles layout(real* memory, int tiles, int channels) {
  Tiles t{memory, 0, round_up(channels, kLine)};
  t.part = t.tile * tiles + kLine;
  return t;
}
std::size_t numbers(const Tiles& t) {
  return static_cast<std::size_t>(t.part) * kWinogradParts;
}
Tiles from_tile(Tiles t, int tile) {
  t.data += tile * t.tile;
  return t;
}

/// Transformed weights, packed for panel_product: [part][panel][row][column within the panel].
struct Packed {
  real* data = nullptr;
  std::ptrdiff_t part = 0, panel = 0, row = 0;
};
/// `w` has kernel * kernel blocks of `rows` rows.
Packed expand(int kernel, CMat w, int rows, Scratch& memory) {
  Packed p;
  p.row = panel_width(), p.panel = p.row * rows;
  p.part = p.panel * ((w.cols + p.row - 1) / p.row);
  p.data = memory.get(static_cast<std::size_t>(p.part) * kWinogradParts);
  parallel_for(rows, [&](int r) {
    expand_kernel(kernel, w.row(r), static_cast<std::ptrdiff_t>(rows) * w.cols, w.cols,
                  p.data + r * p.row, p.part, p.panel);
  });
  return p;
}

/// out[part] = in[part] packed[part] for all 64 parts.
void multiply(Tiles in, const Packed& packed, int tiles, int inner, int outputs, Tiles out) {
  PanelProduct p;
  p.a_row = in.tile, p.b_inner = packed.row, p.b_panel = packed.panel, p.c_row = out.tile;
  p.rows = tiles, p.cols = outputs, p.inner = inner;
  for (int part = 0; part < kWinogradParts; ++part) {
    p.a = in.data + part * in.part, p.b = packed.data + part * packed.part;
    p.c = out.data + part * out.part;
    panel_product(p);
  }
}

/// For every block of images: gather(image, tiles) its tiles, multiply, scatter(image, tiles).
template <class Gather, class Scatter>
void through_tiles(const TileGrid& g, int batch, const Packed& packed, int inner, int outputs,
                   const Gather& gather, const Scatter& scatter) {
  constexpr int kTiles = 64;  // measured: 25 to 100 are alike on 64 and 128 channels, 200 is slower
  const int block = images_per_block(g, batch, kTiles), each = tiles_per_image(g);
  parallel_for((batch + block - 1) / block, [&](int b) {
    thread_local Scratch memory;
    const int begin = b * block, count = std::min(block, batch - begin);
    Tiles in = layout(nullptr, block * each, inner), out = layout(nullptr, block * each, outputs);
    in.data = memory.get(numbers(in) + numbers(out)), out.data = in.data + numbers(in);
    for (int i = 0; i < count; ++i)
      gather(begin + i, from_tile(in, i * each));
    multiply(in, packed, count * each, inner, outputs, out);
    for (int i = 0; i < count; ++i)
      scatter(begin + i, from_tile(out, i * each));
  });
}

}  // namespace

bool winograd_suits(const Window& w, int outputs) {
  if (w.stride != 1 || w.kernel_h != w.kernel_w || !winograd_knows(w.kernel_h)) return false;
  constexpr int kEnoughChannels = 8;  // fewer do not pay for the transforms
  if (w.channels < kEnoughChannels || outputs < kEnoughChannels) return false;
  const double direct = 1.0 * w.out_h() * w.out_w() * w.kernel_h * w.kernel_w;
  return direct > 1.5 * kWinogradParts * tiles_per_image(output_grid(w, outputs));
}

void winograd_forward(const Window& w, CMat x, CMat weights, std::span<const real> bias, Mat y) {
  thread_local Scratch memory;
  const TileGrid in = input_grid(w), out = output_grid(w, weights.cols);
  const Packed packed = expand(w.kernel_h, weights, w.channels, memory);
  through_tiles(
      in, x.rows, packed, w.channels, weights.cols,
      [&](int image, Tiles tiles) { tiles_of_input(in, x.row(image), tiles); },
      [&](int image, Tiles tiles) { output_of_tiles(out, tiles, bias.data(), y.row(image)); });
}

void winograd_backward(const Window& w, CMat dy, CMat weights, Mat dx) {
  thread_local Scratch memory, turned;
  const TileGrid in = input_grid(w), out = output_grid(w, weights.cols);
  // Weights with input channels last: [kernel * kernel * outputs, channels].
  Mat transposed{turned.get(weights.size()), w.kernel_h * w.kernel_w * weights.cols, w.channels};
  parallel_for(w.kernel_h * w.kernel_w, [&](int tap) {
    transpose({weights.row(tap * w.channels), w.channels, weights.cols},
              {transposed.row(tap * weights.cols), weights.cols, w.channels});
  });
  const Packed packed = expand(w.kernel_h, transposed, weights.cols, memory);
  through_tiles(
      out, dy.rows, packed, weights.cols, w.channels,
      [&](int image, Tiles tiles) { tiles_of_error(out, dy.row(image), tiles); },
      [&](int image, Tiles tiles) {
        std::fill_n(dx.row(image), dx.cols, real{0});
        input_error_of_tiles(in, tiles, dx.row(image));
      });
}

void winograd_gradient(const Window& w, CMat x, CMat dy, bool add, Mat dw) {
  // Groups of images have a sum each, as many as fit into this many numbers. A group transforms a
  // block of images at a time and then multiplies part by part; when there is but one group, these
  // two loops run in parallel, otherwise the groups do.
  constexpr int kTiles = 64;  // measured, as above
  constexpr std::size_t kSums = 5 << 20;
  constexpr int kGroups = 8;
  thread_local Scratch sums_memory;
  const int outputs = dw.cols;
  const TileGrid in = input_grid(w), out = output_grid(w, outputs);
  const int each = tiles_per_image(in), block = images_per_block(in, x.rows, kTiles);
  Tiles first = layout(nullptr, w.channels, outputs);
  const int most = static_cast<int>(std::clamp<std::size_t>(kSums / numbers(first), 1, kGroups));
  const int images = (x.rows + most - 1) / most, groups = (x.rows + images - 1) / images;
  first.data = sums_memory.get(numbers(first) * static_cast<std::size_t>(groups));
  parallel_for(groups, [&](int group) {
    thread_local Scratch memory;
    Tiles sum = first;
    sum.data += static_cast<std::size_t>(group) * numbers(first);
    Tiles pre = layout(nullptr, block * each, w.channels);
    Tiles post = layout(nullptr, block * each, outputs);
    pre.data = memory.get(numbers(pre) + numbers(post)), post.data = pre.data + numbers(pre);
    const int end = std::min(x.rows, (group + 1) * images);
    for (int begin = group * images; begin < end; begin += block) {
      const int count = std::min(block, end - begin);
      parallel_for(2 * count, [&](int task) {
        const int i = task / 2;
        if (task % 2 == 0)
          tiles_of_input(in, x.row(begin + i), from_tile(pre, i * each));
        else
          tiles_of_error(out, dy.row(begin + i), from_tile(post, i * each));
      });
      parallel_for(kWinogradParts, [&](int part) {
        PanelProduct p;
        p.a = pre.data + part * pre.part, p.a_row = 1, p.a_inner = pre.tile;
        p.b = post.data + part * post.part, p.b_inner = post.tile, p.b_panel = panel_width();
        p.c = sum.data + part * sum.part, p.c_row = sum.tile;
        p.rows = w.channels, p.cols = outputs, p.inner = count * each;
        p.add = begin > group * images;
        panel_product(p);
      });
    }
  });
  parallel_for(w.channels, [&](int c) {
    real* const sum = first.data + c * first.tile;
    for (int group = 1; group < groups; ++group)
      for (int part = 0; part < kWinogradParts; ++part) {
        real* const to = sum + part * first.part;
        axpy(1,
             {to + static_cast<std::size_t>(group) * numbers(first),
              static_cast<std::size_t>(outputs)},
             to);
      }
    collapse_kernel(w.kernel_h, sum, first.part, outputs, dw.row(c),
                    static_cast<std::ptrdiff_t>(w.channels) * outputs, add);
  });
}

}  // namespace engram::kernels
