#include "utils/linalg.h"

#include <cmath>

#include <xtensor-blas/xlinalg.hpp>

#include "utils/error.h"
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

std::vector<double> singular_values(const xt::xtensor<double, 2>& a) {
  if (a.size() == 0) return {};
  for (const double v : a)
    if (!std::isfinite(v))
      throw Error(Fault::Numerical, "singular values of a matrix that is not finite");
  const auto s = std::get<1>(xt::linalg::svd(a, false, false));
  return {s.begin(), s.end()};
}

}  // namespace engram
