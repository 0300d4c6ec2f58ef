// Sums that local rules add to the gradients of single slices.
#pragma once

#include "models/param_store.h"

namespace engram {

/// The whole gradient of a slice, to be added to.
Mat opened_gradient(ParamStore& store, int slice);
/// gradient += scale a^T b.
void add_product(ParamStore& store, int slice, real scale, CMat a, CMat b);
/// gradient [1, columns] += column sums of x.
void add_column_sums(ParamStore& store, int slice, CMat x);
/// gradient += lambda w / |w|_F: decay of the norm of a matrix, not of its square, so a pull of
/// constant size to 0. Nothing for lambda = 0 or a matrix of zeros.
void add_norm_decay(ParamStore& store, int slice, double lambda);

}  // namespace engram
