// The inner loops: everything that multiplies, reduces, broadcasts or gathers. The only place that
// knows BLAS, SIMD or threads. Shapes: B batch, I inputs, O outputs; matrices are row-major.
// Products are cut into tiles by shape alone, so the bits do not depend on the number of threads.
#pragma once

#include <cstdint>
#include <span>

#include "utils/matrix.h"

namespace engram::kernels {

/// Keeps BLAS to one thread; parallelism comes from parallel_for. Call before any product.
void use_one_blas_thread();
/// The library that computes a product: chosen per shape by measurement (see kernels.cpp), or one
/// of them always, for comparison and for tests.
enum class GemmLibrary { Best, OpenBlas, OneDnn };
void use_gemm_library(GemmLibrary);
/// Name of the core that OpenBLAS picked ("Haswell").
const char* blas_core();

/// c <- alpha * op(a) op(b) + beta * c, op = transpose when asked; then, unless it is null, every
/// row of c += row, tile by tile while the tile is in the cache.
void gemm(bool transpose_a, bool transpose_b, real alpha, CMat a, CMat b, real beta, Mat c,
          const real* row = nullptr);

void fill(std::span<real> x, real value);        ///< every element <- value
void clip(std::span<real> x, real most);         ///< every element <- within +-most
void add_row(Mat y, std::span<const real> row);  ///< every row of y += row
/// Every row of y <- y * scale + row, element by element.
void scale_columns(Mat y, const real* scale, const real* row);
void add_column_sums(CMat x, std::span<real> sums);       ///< sums += column sums of x
void axpy(real alpha, std::span<const real> x, real* y);  ///< y += alpha x
bool all_finite(std::span<const real> values);

/// Row-wise softmax cross-entropy over the allowed classes (mask [classes], empty = all). For one
/// row: returns the loss and writes the gradient (softmax - onehot) * scale to `gradient`, zero
/// outside the mask.
double softmax_cross_entropy(std::span<const real> logits, int target,
                             std::span<const std::uint8_t> mask, real scale, real* gradient);
/// The allowed class with the largest logit (the first among equals).
int argmax(std::span<const real> logits, std::span<const std::uint8_t> mask);

/// Geometry of a convolution or pooling window over an image stored height x width x channels.
struct Window {
  int height = 0, width = 0, channels = 0;  ///< of the input image
  int kernel_h = 0, kernel_w = 0, stride = 1, pad = 0;
  int out_h() const { return (height + 2 * pad - kernel_h) / stride + 1; }
  int out_w() const { return (width + 2 * pad - kernel_w) / stride + 1; }
  int patch() const { return kernel_h * kernel_w * channels; }
};

}  // namespace engram::kernels
