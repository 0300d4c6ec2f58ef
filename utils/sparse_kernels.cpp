// The vector code is compiled once per instruction set by Highway's foreach_target and chosen at
// run time, so one binary serves AVX2 and AVX-512.
#include "utils/sparse_kernels.h"

#include <algorithm>
#include <cstring>

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

/// One or two rows of s over kVectors * Lanes(d) columns; `from` and `to` cut the entries.
template <int kVectors>
void spmm_pair(const std::int32_t* HWY_RESTRICT index, const real* HWY_RESTRICT value, int a,
               int a_end, int b, int b_end, const real* HWY_RESTRICT dense, std::size_t stride,
               const real* start_a, const real* start_b, real* out_a, real* out_b) {
  const D d;
  const std::size_t n = hn::Lanes(d);
  V sum_a[kVectors], sum_b[kVectors];
  for (int v = 0; v < kVectors; ++v)
    sum_a[v] = hn::LoadU(d, start_a + v * n), sum_b[v] = hn::LoadU(d, start_b + v * n);
  const int both = std::min(a_end - a, b_end - b);
  for (int j = 0; j < both; ++j) {
    const real* row_a = dense + static_cast<std::size_t>(index[a + j]) * stride;
    const real* row_b = dense + static_cast<std::size_t>(index[b + j]) * stride;
    const V x_a = hn::Set(d, value[a + j]), x_b = hn::Set(d, value[b + j]);
    for (int v = 0; v < kVectors; ++v) {
      sum_a[v] = hn::MulAdd(x_a, hn::LoadU(d, row_a + v * n), sum_a[v]);
      sum_b[v] = hn::MulAdd(x_b, hn::LoadU(d, row_b + v * n), sum_b[v]);
    }
  }
  for (int j = a + both; j < a_end; ++j) {
    const real* row = dense + static_cast<std::size_t>(index[j]) * stride;
    const V x = hn::Set(d, value[j]);
    for (int v = 0; v < kVectors; ++v)
      sum_a[v] = hn::MulAdd(x, hn::LoadU(d, row + v * n), sum_a[v]);
  }
  for (int j = b + both; j < b_end; ++j) {
    const real* row = dense + static_cast<std::size_t>(index[j]) * stride;
    const V x = hn::Set(d, value[j]);
    for (int v = 0; v < kVectors; ++v)
      sum_b[v] = hn::MulAdd(x, hn::LoadU(d, row + v * n), sum_b[v]);
  }
  for (int v = 0; v < kVectors; ++v)
    hn::StoreU(sum_a[v], d, out_a + v * n), hn::StoreU(sum_b[v], d, out_b + v * n);
}

/// The last columns, fewer than a vector.
void spmm_rest(const std::int32_t* index, const real* value, int j, int end, const real* dense,
               std::size_t stride, const real* start, real* out, std::size_t columns) {
  const D d;
  const auto some = hn::FirstN(d, columns);
  V sum = hn::MaskedLoad(some, d, start);
  for (; j < end; ++j)
    sum = hn::MulAdd(hn::Set(d, value[j]),
                     hn::MaskedLoad(some, d, dense + static_cast<std::size_t>(index[j]) * stride),
                     sum);
  hn::BlendedStore(sum, some, d, out);
}

/// `cuts` [rows][blocks + 1]: where each row's entries enter a block of dense rows. `start` null:
/// from out itself. `first` column and `count` of them.
void spmm_tile(const SparseView& s, const std::int32_t* cuts, int blocks, int row_begin,
               int row_end, CMat dense, const real* start, Mat out, int first, int count) {
  const D d;
  const int n = static_cast<int>(hn::Lanes(d));
  const auto stride = static_cast<std::size_t>(dense.cols);
  for (int block = 0; block < blocks; ++block)
    for (int r = row_begin; r < row_end; r += 2) {
      const int q = std::min(r + 1, row_end - 1);  // a single last row is done twice, alike
      const std::int32_t* cut_r = cuts + static_cast<std::size_t>(r) * (blocks + 1) + block;
      const std::int32_t* cut_q = cuts + static_cast<std::size_t>(q) * (blocks + 1) + block;
      real* out_r = out.row(r) + first;
      real* out_q = out.row(q) + first;
      const bool from_start = start && block == 0;
      const auto pair = [&](auto vectors, int at) {
        constexpr int kVectors = decltype(vectors)::value;
        spmm_pair<kVectors>(s.index, s.value, cut_r[0], cut_r[1], cut_q[0], cut_q[1],
                            dense.data + first + at, stride,
                            from_start ? start + first + at : out_r + at,
                            from_start ? start + first + at : out_q + at, out_r + at, out_q + at);
      };
      int at = 0;
      if (q == r) {
        for (; at < count; at += std::min(n, count - at))
          spmm_rest(s.index, s.value, cut_r[0], cut_r[1], dense.data + first + at, stride,
                    from_start ? start + first + at : out_r + at, out_r + at,
                    static_cast<std::size_t>(std::min(n, count - at)));
        continue;
      }
      for (; at + 6 * n <= count; at += 6 * n)
        pair(std::integral_constant<int, 6>{}, at);
      for (; at + 3 * n <= count; at += 3 * n)
        pair(std::integral_constant<int, 3>{}, at);
      for (; at + n <= count; at += n)
        pair(std::integral_constant<int, 1>{}, at);
      if (at < count)
        for (const auto& [cut, o] : {std::pair{cut_r, out_r}, std::pair{cut_q, out_q}})
          spmm_rest(s.index, s.value, cut[0], cut[1], dense.data + first + at, stride,
                    from_start ? start + first + at : o + at, o + at,
                    static_cast<std::size_t>(count - at));
    }
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

HWY_EXPORT(spmm_tile);
HWY_EXPORT(dots_of_row);

/// Rows of `dense` whose tile of columns stays in the first-level cache.
constexpr int kBlockRows = 128;
/// Columns and sparse rows of one task of the thread pool.
constexpr int kTileColumns = 192, kTileRows = 256;

}  // namespace

const char* simd_target() {
  return hwy::TargetName(
      static_cast<std::int64_t>(static_cast<std::uint64_t>(hwy::SupportedTargets()) &
                                -static_cast<std::uint64_t>(hwy::SupportedTargets())));
}

void spmm(const SparseView& s, CMat dense, const real* start, bool add, Mat out) {
  const int blocks = std::max(1, (dense.rows + kBlockRows - 1) / kBlockRows);
  thread_local std::vector<std::int32_t> cuts;
  thread_local std::vector<real> zeros;
  cuts.resize(static_cast<std::size_t>(s.rows) * (blocks + 1));
  for (int r = 0; r < s.rows; ++r) {
    std::int32_t* cut = cuts.data() + static_cast<std::size_t>(r) * (blocks + 1);
    std::int32_t j = s.begin[r];
    for (int block = 0; block < blocks; ++block) {
      cut[block] = j;
      const int end = (block + 1) * kBlockRows;
      while (j < s.begin[r + 1] && s.index[j] < end)
        ++j;
    }
    cut[blocks] = s.begin[r + 1];
  }
  if (!add && !start) {
    if (zeros.size() < static_cast<std::size_t>(out.cols)) zeros.assign(out.cols, 0);
    start = zeros.data();
  }
  if (add) start = nullptr;
  const int across = (out.cols + kTileColumns - 1) / kTileColumns;
  const int down = (s.rows + kTileRows - 1) / kTileRows;
  const std::int32_t* const cut = cuts.data();
  parallel_for(across * down, [&](int tile) {
    const int first = tile / down * kTileColumns, top = tile % down * kTileRows;
    HWY_DYNAMIC_DISPATCH(spmm_tile)
    (s, cut, blocks, top, std::min(s.rows, top + kTileRows), dense, start, out, first,
     std::min(kTileColumns, out.cols - first));
  });
}

void sddmm(CMat a, CMat w, const ActiveSet& active, Mat out) {
  constexpr int kRows = 4;
  parallel_for((a.rows + kRows - 1) / kRows, [&](int tile) {
    thread_local std::vector<real> dot;
    for (int b = tile * kRows; b < std::min(a.rows, (tile + 1) * kRows); ++b) {
      const auto units = active.row(b);
      dot.resize(units.size());
      HWY_DYNAMIC_DISPATCH(dots_of_row)
      (a.row(b), w, units.data(), static_cast<int>(units.size()), dot.data());
      real* to = out.row(b);
      for (std::size_t j = 0; j < units.size(); ++j)
        to[units[j]] = dot[j];
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
      if (add) dot.resize(static_cast<std::size_t>(count)), to = dot.data();
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
