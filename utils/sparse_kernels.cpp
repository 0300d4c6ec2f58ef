// The vector code is compiled once per instruction set by Highway's foreach_target and chosen at
// run time, so one binary serves AVX2 and AVX-512.
#include "utils/sparse_kernels.h"

#include <algorithm>
#include <cstring>

#include "utils/error.h"
#include "utils/kernels.h"
#include "utils/parallel.h"
#include "utils/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "utils/sparse_kernels.cpp"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace engram::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<real>;
using V = hn::Vec<D>;
/// What a register holds. Arrays of sums are made of these: gcc leaves arrays of V in memory.
using Raw = decltype(V::raw);
HWY_INLINE V vector(Raw raw) {
  V v;
  v.raw = raw;
  return v;
}

/// Keeps the compiler from reading a vector from memory again for each of its uses, which the load
/// ports would pay for (measured: 1.3x).
HWY_INLINE void keep_in_register(V& v) {
#if HWY_TARGET <= HWY_AVX3
  asm("" : "+v"(v.raw));
#else
  asm("" : "+x"(v.raw));
#endif
}

/// A few columns of a row of s: kVectors vectors, of the last one only `some` lanes.
template <int kVectors, class Mask>
HWY_INLINE void row_columns(const SparseView& s, int r, const real* dense, std::size_t stride,
                            const real* start, const real* scale, real* out, Mask some) {
  const D d;
  const std::size_t n = hn::Lanes(d);
  const auto load = [&](const real* p, int v) HWY_ATTR {
    return v + 1 < kVectors ? hn::LoadU(d, p + v * n) : hn::MaskedLoad(some, d, p + v * n);
  };
  Raw sum[kVectors];
  for (int v = 0; v < kVectors; ++v)
    sum[v] = scale ? hn::Zero(d).raw : load(start, v).raw;
  for (std::int32_t j = s.begin[r]; j < s.begin[r + 1]; ++j) {
    const real* row = dense + static_cast<std::size_t>(s.index[j]) * stride;
    const V x = hn::Set(d, s.value[j]);
    for (int v = 0; v < kVectors; ++v)
      sum[v] = hn::MulAdd(x, load(row, v), vector(sum[v])).raw;
  }
  for (int v = 0; v < kVectors; ++v) {
    V result = vector(sum[v]);
    if (scale) result = hn::MulAdd(result, load(scale, v), load(start, v));
    if (v + 1 < kVectors)
      hn::StoreU(result, d, out + v * n);
    else
      hn::BlendedStore(result, some, d, out + v * n);
  }
}

/// The entries of one pattern of a group, over kVectors vectors of columns.
template <unsigned kPattern, int kVectors, class Load>
HWY_INLINE const real* pattern_columns(Raw (&sum)[GroupedRows::kRows][kVectors],
                                       const std::int32_t* index, const std::int32_t* end,
                                       const real* value, const real* dense, std::size_t stride,
                                       Load load) {
  const D d;
  const std::size_t n = hn::Lanes(d);
  for (; index != end; ++index) {
    const real* row = dense + static_cast<std::size_t>(*index) * stride;
    Raw x[GroupedRows::kRows];
    for (unsigned r = 0; r < GroupedRows::kRows; ++r)
      if ((kPattern >> r & 1) != 0) x[r] = hn::Set(d, *value++).raw;
    for (int v = 0; v < kVectors; ++v) {
      V w = load(row + v * n);
      if (__builtin_popcount(kPattern) > 1) keep_in_register(w);
      for (unsigned r = 0; r < GroupedRows::kRows; ++r)
        if ((kPattern >> r & 1) != 0)
          sum[r][v] = hn::MulAdd(vector(x[r]), w, vector(sum[r][v])).raw;
    }
  }
  return value;
}

template <int kVectors, class Load, class Store>
HWY_INLINE void group_columns(const GroupedRows& s, int g, int rows, const real* dense,
                              std::size_t stride, const real* const* start, const real* scale,
                              real* const* out, Load load, Store store) {
  const D d;
  const std::size_t n = hn::Lanes(d);
  Raw sum[GroupedRows::kRows][kVectors];
  for (int r = 0; r < GroupedRows::kRows; ++r)
    for (int v = 0; v < kVectors; ++v)
      sum[r][v] = scale ? hn::Zero(d).raw : load(start[r] + v * n).raw;
  const GroupedRows::Group& group = s.group(g);
  const real* value = s.value() + group.value;
  [&]<unsigned... p>(std::integer_sequence<unsigned, p...>) HWY_ATTR {
    ((value = pattern_columns<p + 1, kVectors>(sum, s.index() + group.begin[p + 1],
                                               s.index() + group.begin[p + 2], value, dense, stride,
                                               load)),
     ...);
  }
  (std::make_integer_sequence<unsigned, GroupedRows::kPatterns - 1>{});
  for (int r = 0; r < GroupedRows::kRows; ++r)  // constant bounds: sums must stay in registers
    for (int v = 0; v < kVectors; ++v)
      if (r < rows)
        store(scale ? hn::MulAdd(vector(sum[r][v]), load(scale + v * n), load(start[r] + v * n))
                    : vector(sum[r][v]),
              out[r] + v * n);
}

/// Calls columns(vectors, first column, load, store) until `count` columns are done: most in
/// blocks of kVectors vectors, the last ones in part of a vector.
template <int kVectors, class Columns>
HWY_INLINE void cover(int count, Columns columns) {
  const D d;
  const int n = static_cast<int>(hn::Lanes(d));
  const auto load = [d](const real* p) { return hn::LoadU(d, p); };
  const auto store = [d](V v, real* p) { hn::StoreU(v, d, p); };
  int at = 0;
  for (; at + kVectors * n <= count; at += kVectors * n)
    columns(std::integral_constant<int, kVectors>{}, at, load, store);
  for (; at + 2 * n <= count; at += 2 * n)
    columns(std::integral_constant<int, 2>{}, at, load, store);
  for (; at < count; at += n) {
    const auto some = hn::FirstN(d, static_cast<std::size_t>(std::min(n, count - at)));
    columns(
        std::integral_constant<int, 1>{}, at,
        [d, some](const real* p) { return hn::MaskedLoad(some, d, p); },
        [d, some](V v, real* p) { hn::BlendedStore(v, some, d, p); });
  }
}

/// Rows [begin, end) of s, columns [first, first + count). `start` null: from out itself.
void spmm_rows(const SparseView& s, int begin, int end, CMat dense, const real* start,
               const real* scale, Mat out, int first, int count) {
  const D d;
  const int n = static_cast<int>(hn::Lanes(d));
  const auto stride = static_cast<std::size_t>(dense.cols);
  for (int r = begin; r < end; ++r)
    for (int at = 0; at < count; at += 8 * n) {
      const int rest = std::min(8 * n, count - at), vectors = (rest + n - 1) / n;
      const auto some = hn::FirstN(d, static_cast<std::size_t>(rest - (vectors - 1) * n));
      real* const to = out.row(r) + first + at;
      const auto part = [&](auto k) HWY_ATTR {
        row_columns<decltype(k)::value>(s, r, dense.data + first + at, stride,
                                        start ? start + first + at : to,
                                        scale ? scale + first + at : nullptr, to, some);
      };
      switch (vectors) {  // one pass over the entries, whatever is left over
        case 1:
          part(std::integral_constant<int, 1>{});
          break;
        case 2:
          part(std::integral_constant<int, 2>{});
          break;
        case 3:
          part(std::integral_constant<int, 3>{});
          break;
        case 4:
          part(std::integral_constant<int, 4>{});
          break;
        case 5:
          part(std::integral_constant<int, 5>{});
          break;
        case 6:
          part(std::integral_constant<int, 6>{});
          break;
        case 7:
          part(std::integral_constant<int, 7>{});
          break;
        default:
          part(std::integral_constant<int, 8>{});
          break;
      }
    }
}

/// Groups [begin, end) of s, columns [first, first + count).
void spmm_groups(const GroupedRows& s, int begin, int end, CMat dense, const real* start,
                 const real* scale, Mat out, int first, int count) {
  constexpr int kVectors = HWY_TARGET <= HWY_AVX3 ? 6 : 2;  // as many sums as registers hold
  const auto stride = static_cast<std::size_t>(dense.cols);
  cover<kVectors>(count, [&](auto vectors, int at, auto load, auto store) {
    for (int g = begin; g < end; ++g) {
      const int rows = std::min(GroupedRows::kRows, out.rows - g * GroupedRows::kRows);
      real* to[GroupedRows::kRows];
      const real* from[GroupedRows::kRows];
      for (int r = 0; r < GroupedRows::kRows; ++r) {
        to[r] = out.row(g * GroupedRows::kRows + std::min(r, rows - 1)) + first + at;
        from[r] = start ? start + first + at : to[r];
      }
      group_columns<decltype(vectors)::value>(s, g, rows, dense.data + first + at, stride, from,
                                              scale ? scale + first + at : nullptr, to, load,
                                              store);
    }
  });
}

/// Sums of 16 lanes that do not depend on the vector width.
constexpr std::size_t kLanes = 16;

template <int kCount>
void dots(const real* HWY_RESTRICT a, const real* const* b, std::size_t length, real* out) {
  constexpr int kParts = static_cast<int>(kLanes / HWY_LANES(real));
  const D d;
  const std::size_t n = hn::Lanes(d);
  V sum[kCount][kParts];
  for (auto& parts : sum)
    for (V& part : parts)
      part = hn::Zero(d);
  std::size_t i = 0;
  for (; i + kLanes <= length; i += kLanes)
    for (int p = 0; p < kParts; ++p) {
      const V x = hn::LoadU(d, a + i + p * n);
      for (int c = 0; c < kCount; ++c)
        sum[c][p] = hn::MulAdd(x, hn::LoadU(d, b[c] + i + p * n), sum[c][p]);
    }
  for (int p = 0; p < kParts && i < length; ++p, i += n) {
    const auto some = hn::FirstN(d, std::min(n, length - i));
    const V x = hn::MaskedLoad(some, d, a + i);
    for (int c = 0; c < kCount; ++c)
      sum[c][p] = hn::MulAdd(x, hn::MaskedLoad(some, d, b[c] + i), sum[c][p]);
  }
  for (int c = 0; c < kCount; ++c) {
    HWY_ALIGN real lane[kLanes];
    for (int p = 0; p < kParts; ++p)
      hn::Store(sum[c][p], d, lane + p * n);
    for (std::size_t half = kLanes / 2; half > 0; half /= 2)
      for (std::size_t l = 0; l < half; ++l)
        lane[l] += lane[l + half];
    out[c] = lane[0];
  }
}

/// out(j) <- <a, b row index[j]> for j in [0, count), four at a time.
void dots_of_row(const real* a, CMat b, const std::int32_t* index, int count, real* out) {
  const auto length = static_cast<std::size_t>(b.cols);
  int j = 0;
  for (; j + 4 <= count; j += 4) {
    const real* rows[4] = {b.row(index[j]), b.row(index[j + 1]), b.row(index[j + 2]),
                           b.row(index[j + 3])};
    dots<4>(a, rows, length, out + j);
  }
  for (; j < count; ++j) {
    const real* rows[1] = {b.row(index[j])};
    dots<1>(a, rows, length, out + j);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace engram::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace engram::kernels {
namespace {

HWY_EXPORT(spmm_rows);
HWY_EXPORT(spmm_groups);
HWY_EXPORT(dots_of_row);

/// Rows of `dense` that are met together: a tile of their columns stays in the second-level cache.
constexpr int kBlockRows = 1024;
/// Columns and sparse rows of one task of the thread pool.
constexpr int kTileColumns = 192, kTileRows = 256;
/// Rows of weights that one task of sddmm keeps in the second-level cache, in numbers.
constexpr int kTileWeights = 1 << 17;
/// Fewer entries in a row, or fewer columns, than this are not worth grouping.
constexpr std::size_t kGroupedEntries = 12;
constexpr int kGroupedColumns = 512;

}  // namespace

const char* simd_target() {
  return hwy::TargetName(
      static_cast<std::int64_t>(static_cast<std::uint64_t>(hwy::SupportedTargets()) &
                                -static_cast<std::uint64_t>(hwy::SupportedTargets())));
}

void spmm(const SparseView& s, CMat dense, const real* start, bool add, Mat out,
          const real* scale) {
  ENGRAM_INVARIANT(!scale || (start && !add));
  if (scale && dense.rows > kBlockRows) {
    spmm(s, dense, nullptr, false, out);
    scale_columns(out, scale, start);
    return;
  }
  thread_local std::vector<real> zeros;
  if (!add && !start) {
    const auto width = static_cast<std::size_t>(out.cols);
    if (zeros.size() < width) zeros.assign(width, 0);
    start = zeros.data();
  }
  if (add) start = nullptr;
  const auto for_each_tile = [&](auto body) {  // (first row, last row, first column, columns)
    const int across = (out.cols + kTileColumns - 1) / kTileColumns;
    const int down = (s.rows + kTileRows - 1) / kTileRows;
    parallel_for(across * down, [&](int tile) {
      const int first = tile / down * kTileColumns, top = tile % down * kTileRows;
      body(top, std::min(s.rows, top + kTileRows), first, std::min(kTileColumns, out.cols - first));
    });
  };
  if (out.cols < kGroupedColumns ||
      s.entries() < kGroupedEntries * static_cast<std::size_t>(s.rows)) {
    for_each_tile([&, start = start](int top, int bottom, int first, int count) {
      HWY_DYNAMIC_DISPATCH(spmm_rows)(s, top, bottom, dense, start, scale, out, first, count);
    });
    return;
  }
  thread_local GroupedRows mine;
  GroupedRows& groups = mine;  // of this thread, not of the one that runs a tile
  for (int block = 0; block < dense.rows; block += kBlockRows, start = nullptr) {
    groups.assign(s, block, std::min(dense.rows, block + kBlockRows));
    for_each_tile([&, start = start](int top, int bottom, int first, int count) {
      constexpr int kGroup = GroupedRows::kRows;
      HWY_DYNAMIC_DISPATCH(spmm_groups)
      (groups, top / kGroup, (bottom + kGroup - 1) / kGroup, dense, start, scale, out, first,
       count);
    });
  }
}

void sddmm(CMat a, CMat w, const ActiveSet& active, Mat out) {
  // Weights are the larger side: a tile of them meets all examples before the next one comes.
  const int rows = std::max(8, kTileWeights / std::max(1, w.cols));
  const int tiles = (w.rows + rows - 1) / rows;
  parallel_for(tiles, [&](int tile) {
    thread_local std::vector<real> dot;
    for (int b = 0; b < a.rows; ++b) {
      const auto units = active.row(b);
      const auto begin = std::lower_bound(units.begin(), units.end(), tile * rows);
      const auto end = std::lower_bound(begin, units.end(), (tile + 1) * rows);
      const auto count = static_cast<std::size_t>(end - begin);
      if (count == 0) continue;
      dot.reserve(static_cast<std::size_t>(rows)), dot.resize(count);
      HWY_DYNAMIC_DISPATCH(dots_of_row)
      (a.row(b), w, &*begin, static_cast<int>(count), dot.data());
      real* to = out.row(b);
      for (std::size_t j = 0; j < count; ++j)
        to[begin[static_cast<std::ptrdiff_t>(j)]] = dot[j];
    }
  });
}

void sddmm(CMat a, CMat b, const SparseView& pattern, bool add, real* value) {
  constexpr int kRows = 16;
  parallel_for((pattern.rows + kRows - 1) / kRows, [&](int tile) {
    thread_local std::vector<real> dot;
    for (int r = tile * kRows; r < std::min(pattern.rows, (tile + 1) * kRows); ++r) {
      const std::int32_t begin = pattern.begin[r], count = pattern.begin[r + 1] - begin;
      real* to = value + begin;
      if (add) {
        dot.reserve(static_cast<std::size_t>(b.rows)), dot.resize(static_cast<std::size_t>(count));
        to = dot.data();
      }
      HWY_DYNAMIC_DISPATCH(dots_of_row)(a.row(r), b, pattern.index + begin, count, to);
      for (std::int32_t j = 0; add && j < count; ++j)
        value[begin + j] += dot[static_cast<std::size_t>(j)];
    }
  });
}

void scattered_backward(CMat dy, const ActiveSet& above, CMat w, const ActiveSet& below, Mat out) {
  constexpr int kRows = 8;
  parallel_for((dy.rows + kRows - 1) / kRows, [&](int tile) {
    for (int b = tile * kRows; b < std::min(dy.rows, (tile + 1) * kRows); ++b) {
      const real* error = dy.row(b);
      const auto units = above.row(b);
      for (const std::int32_t i : below.row(b)) {
        const real* weights = w.row(i);
        real sum = 0;
        for (const std::int32_t o : units)
          sum += error[o] * weights[o];
        out.row(b)[i] = sum;
      }
    }
  });
}

void transpose(CMat x, Mat out) {
  constexpr int kTile = 32;
  const int across = (x.cols + kTile - 1) / kTile;
  parallel_for(across, [&](int tile) {
    const int first = tile * kTile, last = std::min(x.cols, first + kTile);
    for (int top = 0; top < x.rows; top += kTile)
      for (int c = first; c < last; ++c) {
        real* to = out.row(c);
        for (int r = top; r < std::min(x.rows, top + kTile); ++r)
          to[r] = x.row(r)[c];
      }
  });
}

}  // namespace engram::kernels
#endif
