#include "utils/winograd_tiles.h"

#include "utils/panel_product.h"
#include "utils/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "utils/winograd_tiles.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "utils/winograd_transforms-inl.h"

HWY_BEFORE_NAMESPACE();
namespace engram::kernels {
namespace HWY_NAMESPACE {

/// A part of the channels: a whole vector, or the rest of them under a mask.
struct Channels {
  int begin;
  bool whole;
  hn::Mask<Tag> mask;
  HWY_INLINE Vec Load(const real* from) const {
    return whole ? hn::LoadU(Tag(), from) : hn::MaskedLoad(mask, Tag(), from);
  }
  HWY_INLINE void Store(Vec v, real* to) const {
    if (whole)
      hn::StoreU(v, Tag(), to);
    else
      hn::BlendedStore(v, mask, Tag(), to);
  }
};
template <class Body>
HWY_INLINE void ForChannels(int count, const Body& body) {
  const Tag d;
  const int lanes = static_cast<int>(hn::Lanes(d));
  for (int c = 0; c < count; c += lanes) {
    const int left = count - c < lanes ? count - c : lanes;
    body(Channels{c, left == lanes, hn::FirstN(d, static_cast<std::size_t>(left))});
  }
}

/// Applies a one-dimensional transform to both dimensions of a square: load(y, x) gives a vector,
/// store(y, x, v) takes one.
template <class Transform, class Load, class Store>
HWY_INLINE void Square(const Load& load, const Store& store) {
  const Tag d;
  constexpr int kFrom = Transform::kFrom, kTo = Transform::kTo;
  HWY_ALIGN real mid[8 * 8 * HWY_MAX_BYTES / sizeof(real)];
  const std::size_t lanes = hn::Lanes(d);
  Vec from[8], to[8];
  for (int x = 0; x < kFrom; ++x) {
    HWY_UNROLL(8)
    for (int y = 0; y < kFrom; ++y)
      from[y] = load(y, x);
    Transform::Apply(from, to);
    HWY_UNROLL(8)
    for (int y = 0; y < kTo; ++y)
      hn::Store(to[y], d, mid + static_cast<std::size_t>(y * 8 + x) * lanes);
  }
  for (int y = 0; y < kTo; ++y) {
    HWY_UNROLL(8)
    for (int x = 0; x < kFrom; ++x)
      from[x] = hn::Load(d, mid + static_cast<std::size_t>(y * 8 + x) * lanes);
    Transform::Apply(from, to);
    HWY_UNROLL(8)
    for (int x = 0; x < kTo; ++x)
      store(y, x, to[x]);
  }
}

/// Calls body(tile, top, left, inside): whether its `size` x `size` pixels all exist.
template <class Body>
HWY_INLINE void ForTiles(const TileGrid& g, int size, const Body& body) {
  const int step = kWinogradTile + 1 - g.kernel;
  for (int ty = 0, tile = 0; ty < g.tiles_y; ++ty)
    for (int tx = 0; tx < g.tiles_x; ++tx, ++tile) {
      const int top = g.origin + ty * step, left = g.origin + tx * step;
      const bool inside = top >= 0 && left >= 0 && top + size <= g.height && left + size <= g.width;
      body(tile, top, left, inside);
    }
}
HWY_INLINE bool Exists(const TileGrid& g, int y, int x) {
  return y >= 0 && y < g.height && x >= 0 && x < g.width;
}
HWY_INLINE std::ptrdiff_t Offset(const TileGrid& g, int y, int x) {
  return (static_cast<std::ptrdiff_t>(y) * g.width + x) * g.channels;
}

template <class Transform>
HWY_INLINE void ImageToTiles(const TileGrid& g, const real* image, Tiles out) {
  ForTiles(g, Transform::kFrom, [&](int tile, int top, int left, bool inside) HWY_ATTR {
    const std::ptrdiff_t corner = Offset(g, top, left);
    ForChannels(g.channels, [&](const Channels& part) HWY_ATTR {
      real* to = out.data + tile * out.tile + part.begin;
      const auto load = [&](int y, int x) HWY_ATTR {
        if (!inside && !Exists(g, top + y, left + x)) return hn::Zero(Tag());
        return part.Load(image + corner + Offset(g, y, x) + part.begin);
      };
      const auto store = [&](int y, int x, Vec v)
                             HWY_ATTR { hn::StoreU(v, Tag(), to + (y * 8 + x) * out.part); };
      Square<Transform>(load, store);
    });
  });
}

template <class Transform, bool kAdd>
HWY_INLINE void TilesToImage(const TileGrid& g, Tiles in, const real* bias, real* image) {
  ForTiles(g, Transform::kTo, [&](int tile, int top, int left, bool inside) HWY_ATTR {
    const std::ptrdiff_t corner = Offset(g, top, left);
    ForChannels(g.channels, [&](const Channels& part) HWY_ATTR {
      const real* from = in.data + tile * in.tile + part.begin;
      const Vec shift = bias ? part.Load(bias + part.begin) : hn::Zero(Tag());
      const auto load = [&](int y, int x)
                            HWY_ATTR { return hn::LoadU(Tag(), from + (y * 8 + x) * in.part); };
      const auto store = [&](int y, int x, Vec v) HWY_ATTR {
        if (!inside && !Exists(g, top + y, left + x)) return;
        real* to = image + corner + Offset(g, y, x) + part.begin;
        part.Store(hn::Add(v, kAdd ? part.Load(to) : shift), to);
      };
      Square<Transform>(load, store);
    });
  });
}

void TilesOfInput(const TileGrid& g, const real* image, Tiles out) {
  ImageToTiles<InputToParts>(g, image, out);
}
void TilesOfError(const TileGrid& g, const real* image, Tiles out) {
  if (g.kernel == 3)
    ImageToTiles<ErrorToParts<6>>(g, image, out);
  else
    ImageToTiles<ErrorToParts<4>>(g, image, out);
}
void OutputOfTiles(const TileGrid& g, Tiles in, const real* bias, real* image) {
  if (g.kernel == 3)
    TilesToImage<PartsToOutput<6>, false>(g, in, bias, image);
  else
    TilesToImage<PartsToOutput<4>, false>(g, in, bias, image);
}
void InputErrorOfTiles(const TileGrid& g, Tiles in, real* image) {
  TilesToImage<PartsToInput, true>(g, in, nullptr, image);
}

template <int kKernel>
HWY_INLINE void Expand(const real* w, std::ptrdiff_t tap_stride, int columns, real* out,
                       std::ptrdiff_t part, std::ptrdiff_t panel) {
  const int width = 2 * static_cast<int>(hn::Lanes(Tag()));
  ForChannels(columns, [&](const Channels& some) HWY_ATTR {
    real* to = out + (some.begin / width) * panel + some.begin % width;
    const auto load = [&](int y, int x) HWY_ATTR {
      return some.Load(w + (y * kKernel + x) * tap_stride + some.begin);
    };
    const auto store = [&](int y, int x, Vec v)
                           HWY_ATTR { hn::StoreU(v, Tag(), to + (y * 8 + x) * part); };
    Square<KernelToParts<kKernel>>(load, store);
  });
}
void ExpandKernel(int kernel, const real* w, std::ptrdiff_t tap_stride, int columns, real* out,
                  std::ptrdiff_t part, std::ptrdiff_t panel) {
  if (kernel == 3)
    Expand<3>(w, tap_stride, columns, out, part, panel);
  else
    Expand<5>(w, tap_stride, columns, out, part, panel);
}

template <int kKernel>
HWY_INLINE void Collapse(const real* in, std::ptrdiff_t part, int columns, real* gradient,
                         std::ptrdiff_t tap_stride, bool add) {
  ForChannels(columns, [&](const Channels& some) HWY_ATTR {
    const auto load = [&](int y, int x)
                          HWY_ATTR { return some.Load(in + (y * 8 + x) * part + some.begin); };
    const auto store = [&](int y, int x, Vec v) HWY_ATTR {
      real* to = gradient + (y * kKernel + x) * tap_stride + some.begin;
      some.Store(add ? hn::Add(v, some.Load(to)) : v, to);
    };
    Square<PartsToKernel<kKernel>>(load, store);
  });
}
void CollapseKernel(int kernel, const real* in, std::ptrdiff_t part, int columns, real* gradient,
                    std::ptrdiff_t tap_stride, bool add) {
  if (kernel == 3)
    Collapse<3>(in, part, columns, gradient, tap_stride, add);
  else
    Collapse<5>(in, part, columns, gradient, tap_stride, add);
}

}  // namespace HWY_NAMESPACE
}  // namespace engram::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace engram::kernels {
HWY_EXPORT(TilesOfInput);
HWY_EXPORT(TilesOfError);
HWY_EXPORT(OutputOfTiles);
HWY_EXPORT(InputErrorOfTiles);
HWY_EXPORT(ExpandKernel);
HWY_EXPORT(CollapseKernel);

void tiles_of_input(const TileGrid& grid, const real* image, Tiles out) {
  HWY_DYNAMIC_DISPATCH(TilesOfInput)(grid, image, out);
}
void tiles_of_error(const TileGrid& grid, const real* image, Tiles out) {
  HWY_DYNAMIC_DISPATCH(TilesOfError)(grid, image, out);
}
void output_of_tiles(const TileGrid& grid, Tiles in, const real* bias, real* image) {
  HWY_DYNAMIC_DISPATCH(OutputOfTiles)(grid, in, bias, image);
}
void input_error_of_tiles(const TileGrid& grid, Tiles in, real* image) {
  HWY_DYNAMIC_DISPATCH(InputErrorOfTiles)(grid, in, image);
}
void expand_kernel(int kernel, const real* w, std::ptrdiff_t tap_stride, int columns, real* out,
                   std::ptrdiff_t part, std::ptrdiff_t panel) {
  HWY_DYNAMIC_DISPATCH(ExpandKernel)(kernel, w, tap_stride, columns, out, part, panel);
}
void collapse_kernel(int kernel, const real* in, std::ptrdiff_t part, int columns, real* gradient,
                     std::ptrdiff_t tap_stride, bool add) {
  HWY_DYNAMIC_DISPATCH(CollapseKernel)(kernel, in, part, columns, gradient, tap_stride, add);
}

}  // namespace engram::kernels
#endif
