// Products that skip what is zero. Two kernels carry them all: a sparse matrix times dense rows
// (spmm), and dense inner products wanted only at given places (sddmm). A layer with few active
// inputs is spmm over its weights; its weight gradient is spmm of the transposed inputs over the
// errors; errors wanted only at active inputs are sddmm; sparse weights are spmm over the
// transposed batch. Where both sides are a handful of units, the scattered kernels touch just
// those.
//
// Each equals its dense twin (kernels::gemm) up to rounding. Every sum runs over ascending indices
// with fused multiply-adds (sddmm: in 16 partial sums), whatever the vector width and the number of
// threads, so the bits are the same on AVX2 and AVX-512.
// Shapes: B batch, I inputs, O outputs; x [B, I], w [I, O], y [B, O].
#pragma once

#include <vector>

#include "utils/active_set.h"
#include "utils/matrix.h"
#include "utils/sparse_rows.h"

namespace engram::kernels {

/// The vector instructions that were chosen for this processor: "AVX3", "AVX2".
const char* simd_target();

/// out [s.rows, N] <- s [s.rows, K] * dense [K, N] + start, where start is a row [N] (a bias), or
/// zero when null. With `add`, out itself is where the sums start, and `start` is ignored. With
/// `scale` [N], the columns of the product are multiplied by it before `start` is added.
void spmm(const SparseView& s, CMat dense, const real* start, bool add, Mat out,
          const real* scale = nullptr);

/// out[b][i] <- <a row b, w row i> for the i of `active` row b; out is not written elsewhere.
/// a [B, O], w [I, O], out [B, I].
void sddmm(CMat a, CMat w, const ActiveSet& active, Mat out);
/// value[j] <- <a row r, b row index[j]> for the entries j of every row r of `pattern`
/// (pattern.value is not read). With `add`, value[j] += it.
void sddmm(CMat a, CMat b, const SparseView& pattern, bool add, real* value);

/// out[b][i] <- sum over o active in dy row b of dy[b][o] w[i][o], for the i active in `below` row
/// b; out is not written elsewhere.
void scattered_backward(CMat dy, const ActiveSet& above, CMat w, const ActiveSet& below, Mat out);

/// Transposes a matrix: out [x.cols, x.rows].
void transpose(CMat x, Mat out);

}  // namespace engram::kernels
