// The face of xtensor in Engram, and its traps (measured with 0.24.3):
//  - `owning = expr` and `owning += expr` build a temporary and move it in, so pointers into the
//    old storage dangle: write `xt::noalias(owning) = expr`, or assign through an adaptor;
//  - `noalias(a) = transpose(a)` silently gives a wrong answer;
//  - an owning left-hand side silently takes a new shape, an adaptor throws;
//  - `auto e = f(x)` is lazy and holds references: never return it;
//  - broadcasting, axis-0 sums and gathers are 10-45 times slower than a loop: use kernels.h.
#pragma once

#include <array>

#include <xtensor/xadapt.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xnoalias.hpp>
#include <xtensor/xtensor.hpp>
#include <xtensor/xview.hpp>

#include "utils/matrix.h"

namespace engram {

using Tensor1 = xt::xtensor<real, 1>;
using Tensor2 = xt::xtensor<real, 2>;
using Table = xt::xtensor<double, 2>;  ///< results: accuracy matrices, curves

/// The xtensor face of a matrix's memory, for element-wise formulas.
inline auto expr(Mat m) {
  return xt::adapt(m.data, m.size(), xt::no_ownership(),
                   std::array<std::size_t, 2>{static_cast<std::size_t>(m.rows),
                                              static_cast<std::size_t>(m.cols)});
}
inline auto expr(CMat m) {
  return xt::adapt(m.data, m.size(), xt::no_ownership(),
                   std::array<std::size_t, 2>{static_cast<std::size_t>(m.rows),
                                              static_cast<std::size_t>(m.cols)});
}
/// The same for a flat vector.
inline auto expr(std::span<real> v) {
  return xt::adapt(v.data(), v.size(), xt::no_ownership(), std::array<std::size_t, 1>{v.size()});
}
inline auto expr(std::span<const real> v) {
  return xt::adapt(v.data(), v.size(), xt::no_ownership(), std::array<std::size_t, 1>{v.size()});
}

}  // namespace engram
