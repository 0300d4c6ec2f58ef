// The number type of activations and weights. Engram computes in float; the same sources are built
// a second time with double, so that every hand-written backward pass can be checked against
// central differences without rounding in the way.
#pragma once

namespace engram {

#ifdef ENGRAM_DOUBLE
using real = double;
#else
using real = float;
#endif

}  // namespace engram
