// What this machine can do at most, in the terms that a training step is measured in: the rate of
// dense products and of moving memory. And a check that the products are right.
#pragma once

#include <atomic>

namespace engram {

/// Each with one thread and with as many as were asked for.
struct MachinePeaks {
  double gemm_gflops_one = 0, gemm_gflops = 0;        ///< best over a few shapes
  double bandwidth_gb_s_one = 0, bandwidth_gb_s = 0;  ///< y += a x over arrays beyond any cache
};

/// Takes about `seconds`. Leaves `threads` threads set. Ends early when `stop` is set.
MachinePeaks measure_peaks(int threads, double seconds, const std::atomic<bool>* stop = nullptr);

/// Holds kernels::gemm against plain loops on random shapes for about `seconds`, at least on a few.
/// Error(Internal) with a hint when it computes something wrong.
void check_gemm(double seconds, const std::atomic<bool>* stop = nullptr);

}  // namespace engram
