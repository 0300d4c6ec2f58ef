// How long the products of a fully connected layer take, relative to the dense one without
// transposed weights, by the shares of what they follow: by these a layer chooses, call by call.
// Measured on Zen 4 with AVX-512 at layer sizes from 512 to 4000, and on Cascade Lake, where dense
// products lead by more (tests/perf/products.cpp).
#pragma once

namespace engram::kernels {

/// What all times are multiplied by: 1 where gemm() does two vectors of 256 bits a cycle or as much
/// in another way, 1.75 where it does two of 512 bits.
double dense_lead();

inline double spmm_time(double share) {
  return dense_lead() * (1.2 * share + (share < 0.05 ? 5 * share : 0.25));
}
inline double sddmm_time(double share) {
  return dense_lead() * 2.8 * share;
}
inline double scattered_time(double below, double above) {
  return dense_lead() * 40 * below * above;
}
constexpr double kTransposedTime = 1.2;  ///< of dy wT

}  // namespace engram::kernels
