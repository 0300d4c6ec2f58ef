// Dense linear algebra beyond products, through xtensor-blas (LAPACK). Its `dot` is not used: it
// mistakes views of one buffer for a matrix times itself.
#pragma once

#include <vector>

#include <xtensor/xtensor.hpp>

#include "utils/matrix.h"

namespace engram {

/// Replaces w by the nearest matrix with orthonormal rows (or columns, if there are fewer of them):
/// the U Vᵀ of its singular value decomposition.
void orthonormalise(Mat w);

/// All min(rows, cols) singular values, from the greatest down; none of an empty matrix.
/// Error(Numerical) for entries that are not finite.
std::vector<double> singular_values(const xt::xtensor<double, 2>& a);

}  // namespace engram
