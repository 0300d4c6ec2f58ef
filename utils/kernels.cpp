#include "utils/kernels.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <omp.h>
#include <oneapi/dnnl/dnnl.h>
#include <vector>

#include <cblas.h>

#include "utils/error.h"
#include "utils/parallel.h"

namespace engram::kernels {
namespace {

CBLAS_TRANSPOSE flag(bool transpose) {
  return transpose ? CblasTrans : CblasNoTrans;
}

std::atomic<GemmLibrary> gemm_library{GemmLibrary::Best};

#ifndef ENGRAM_DOUBLE
/// Whether oneDNN multiplies. Measured on Zen 4, one thread (tests/perf/products.cpp): where b is
/// not transposed it reaches 98 % of the peak against 85 % of OpenBLAS; with b transposed it packs
/// more slowly and OpenBLAS leads.
bool prefers_onednn(bool transpose_b, int m, int n, int k) {
  const GemmLibrary library = gemm_library.load(std::memory_order_relaxed);
  if (library != GemmLibrary::Best) return library == GemmLibrary::OneDnn;
  return !transpose_b && n >= 16 && static_cast<double>(m) * n * k > 1e5;
}
#endif

void blas_gemm(bool ta, bool tb, int m, int n, int k, real alpha, const real* a, int lda,
               const real* b, int ldb, real beta, real* c, int ldc) {
#ifdef ENGRAM_DOUBLE
  cblas_dgemm(CblasRowMajor, flag(ta), flag(tb), m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
#else
  if (!prefers_onednn(tb, m, n, k)) {
    cblas_sgemm(CblasRowMajor, flag(ta), flag(tb), m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    return;
  }
  // oneDNN would start OpenMP threads of its own; here parallel_for is the only one who starts any.
  thread_local const bool alone = (omp_set_num_threads(1), true);
  ENGRAM_INVARIANT(alone);
  const dnnl_status_t status =
      dnnl_sgemm(ta ? 'T' : 'N', tb ? 'T' : 'N', m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
  ENGRAM_INVARIANT(status == dnnl_success);
#endif
}

/// Below this many multiply-adds a product is not worth cutting up.
constexpr double kSmallProduct = 4e6;
constexpr int kTile = 512;

/// Rows [first, last), columns [left, left + count) of y += row.
void add_row_to_tile(Mat y, int first, int last, int left, int count, const real* row) {
  for (int i = first; i < last; ++i) {
    real* out = y.row(i) + left;
#pragma omp simd
    for (int j = 0; j < count; ++j)
      out[j] += row[left + j];
  }
}

}  // namespace

void use_one_blas_thread() {
  openblas_set_num_threads(1);
}
const char* blas_core() {
  return openblas_get_corename();
}

void use_gemm_library(GemmLibrary library) {
  gemm_library = library;
}

void gemm(bool transpose_a, bool transpose_b, real alpha, CMat a, CMat b, real beta, Mat c,
          const real* row) {
  const int m = c.rows, n = c.cols, k = transpose_a ? a.rows : a.cols;
  ENGRAM_INVARIANT((transpose_a ? a.cols : a.rows) == m);
  ENGRAM_INVARIANT((transpose_b ? b.rows : b.cols) == n);
  ENGRAM_INVARIANT((transpose_b ? b.cols : b.rows) == k);
  if (m == 0 || n == 0) return;
  if (static_cast<double>(m) * n * k < kSmallProduct || std::max(m, n) <= kTile) {
    blas_gemm(transpose_a, transpose_b, m, n, k, alpha, a.data, a.cols, b.data, b.cols, beta,
              c.data, c.cols);
    if (row) add_row_to_tile(c, 0, m, 0, n, row);
    return;
  }
  const bool by_columns = n >= m;
  const int length = by_columns ? n : m;
  parallel_for((length + kTile - 1) / kTile, [&](int tile) {
    const int begin = tile * kTile, count = std::min(kTile, length - begin);
    const auto shift = [begin](CMat x, bool along_rows) {
      return x.data + (along_rows ? static_cast<std::size_t>(begin) * x.cols
                                  : static_cast<std::size_t>(begin));
    };
    if (by_columns)
      blas_gemm(transpose_a, transpose_b, m, count, k, alpha, a.data, a.cols, shift(b, transpose_b),
                b.cols, beta, c.data + begin, c.cols);
    else
      blas_gemm(transpose_a, transpose_b, count, n, k, alpha, shift(a, !transpose_a), a.cols,
                b.data, b.cols, beta, c.row(begin), c.cols);
    if (!row) return;
    if (by_columns)
      add_row_to_tile(c, 0, m, begin, count, row);
    else
      add_row_to_tile(c, begin, begin + count, 0, n, row);
  });
}

void clip(std::span<real> x, real most) {
  constexpr std::size_t kRun = 1 << 16;
  parallel_for(static_cast<int>((x.size() + kRun - 1) / kRun), [&](int run) {
    const std::size_t begin = static_cast<std::size_t>(run) * kRun;
    real* values = x.data() + begin;
    const std::size_t count = std::min(kRun, x.size() - begin);
#pragma omp simd
    for (std::size_t i = 0; i < count; ++i)
      values[i] = std::min(std::max(values[i], -most), most);
  });
}

void fill(std::span<real> x, real value) {
  constexpr std::size_t kRun = 1 << 16;
  parallel_for(static_cast<int>((x.size() + kRun - 1) / kRun), [&](int run) {
    const std::size_t begin = static_cast<std::size_t>(run) * kRun;
    std::fill_n(x.data() + begin, std::min(kRun, x.size() - begin), value);
  });
}

void add_row(Mat y, std::span<const real> row) {
  const int rows_per_run = std::max(1, (1 << 15) / std::max(1, y.cols));
  parallel_for((y.rows + rows_per_run - 1) / rows_per_run, [&](int run) {
    const int first = run * rows_per_run;
    add_row_to_tile(y, first, std::min(y.rows, first + rows_per_run), 0, y.cols, row.data());
  });
}

void scale_columns(Mat y, const real* scale, const real* row) {
  const int rows_per_run = std::max(1, (1 << 15) / std::max(1, y.cols));
  parallel_for((y.rows + rows_per_run - 1) / rows_per_run, [&](int run) {
    for (int i = run * rows_per_run; i < std::min(y.rows, (run + 1) * rows_per_run); ++i) {
      real* out = y.row(i);
#pragma omp simd
      for (int j = 0; j < y.cols; ++j)
        out[j] = out[j] * scale[j] + row[j];
    }
  });
}

void add_column_sums(CMat x, std::span<real> sums) {
  for (int i = 0; i < x.rows; ++i)
    axpy(1, {x.row(i), static_cast<std::size_t>(x.cols)}, sums.data());
}

void axpy(real alpha, std::span<const real> x, real* y) {
#pragma omp simd
  for (std::size_t i = 0; i < x.size(); ++i)
    y[i] += alpha * x[i];
}

bool all_finite(std::span<const real> values) {
  real probe = 0;  // x * 0 is 0 for finite x and NaN otherwise
#pragma omp simd reduction(+ : probe)
  for (std::size_t i = 0; i < values.size(); ++i)
    probe += values[i] * real{0};
  return probe == 0;
}

double softmax_cross_entropy(std::span<const real> logits, int target,
                             std::span<const std::uint8_t> mask, real scale, real* gradient) {
  const auto allowed = [mask](std::size_t c) { return mask.empty() || mask[c] != 0; };
  real top = -std::numeric_limits<real>::infinity();
  for (std::size_t c = 0; c < logits.size(); ++c)
    if (allowed(c)) top = std::max(top, logits[c]);
  double sum = 0;
  for (std::size_t c = 0; c < logits.size(); ++c) {
    gradient[c] = allowed(c) ? std::exp(logits[c] - top) : real{0};
    sum += static_cast<double>(gradient[c]);
  }
  const real factor = static_cast<real>(static_cast<double>(scale) / sum);
  for (std::size_t c = 0; c < logits.size(); ++c)
    gradient[c] *= factor;
  gradient[target] -= scale;
  return std::log(sum) - static_cast<double>(logits[static_cast<std::size_t>(target)] - top);
}

int argmax(std::span<const real> logits, std::span<const std::uint8_t> mask) {
  int best = -1;
  for (int c = 0; c < static_cast<int>(logits.size()); ++c) {
    if (!mask.empty() && mask[static_cast<std::size_t>(c)] == 0) continue;
    if (best < 0 || logits[static_cast<std::size_t>(c)] > logits[static_cast<std::size_t>(best)])
      best = c;
  }
  return best;
}

}  // namespace engram::kernels
