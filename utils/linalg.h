// Dense linear algebra beyond products, through xtensor-blas (LAPACK). Its `dot` is not used: it
// mistakes views of one buffer for a matrix times itself.
#pragma once

#include "utils/matrix.h"

namespace engram {

/// Replaces w by the nearest matrix with orthonormal rows (or columns, if there are fewer of them):
/// the U Vᵀ of its singular value decomposition.
void orthonormalise(Mat w);

}  // namespace engram
