// Weight decay on the norm of a matrix, not on its square: a pull of constant size to 0.
#pragma once

#include "models/param_store.h"

namespace engram {

/// gradient += lambda w / |w|_F; nothing for lambda = 0 or a matrix of zeros.
void add_norm_decay(ParamStore& store, int slice, double lambda);

}  // namespace engram
