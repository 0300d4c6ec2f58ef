// Products that follow active sets: their cost is the number of active units, not the size of the
// layer. Each equals its dense twin in kernels.h with the inactive entries at zero, up to rounding.
// Shapes as there: x [B, I], w [O, I], y [B, O].
#pragma once

#include "utils/active_set.h"
#include "utils/matrix.h"

namespace engram::kernels {

/// y <- x wᵀ, reading x only where active.
void active_forward(CMat x, const ActiveSet& active, CMat w, Mat y);

/// dx <- dy w, reading dy only where `above` is active (everywhere when not known), writing dx only
/// where `below` is active (everywhere when not known). dx is zero elsewhere on return.
void active_backward(CMat dy, const ActiveSet& above, CMat w, const ActiveSet& below, Mat dx);

/// gradient += postᵀ pre, with post read where `above` and pre where `below` is active (everywhere
/// when not known).
void active_outer(CMat post, const ActiveSet& above, CMat pre, const ActiveSet& below,
                  Mat gradient);

}  // namespace engram::kernels
