#include "utils/linalg.h"

#include <xtensor-blas/xlinalg.hpp>

#include "utils/kernels.h"
#include "utils/tensor.h"

namespace engram {

void orthonormalise(Mat w) {
  const Tensor2 copy = expr(w);
  const auto [u, s, vt] = xt::linalg::svd(copy, false);
  const Tensor2 left = u, right = vt;  // row-major copies, whatever layout LAPACK left behind
  kernels::gemm(false, false, 1, {left.data(), w.rows, static_cast<int>(s.size())},
                {right.data(), static_cast<int>(s.size()), w.cols}, 0, w);
}

}  // namespace engram
