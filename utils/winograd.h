// Convolution with stride 1 by minimal filtering, F(m x m, r x r) with m + r = 9 (Lavin & Gray
// 2016): 64 products for m x m places instead of m m r r, which is 6.25 times fewer for 5x5
// kernels and 5.06 times fewer for 3x3 kernels. In float the root mean square error is 2e-6 to 5e-6
// and the largest 5e-5 of the root mean square of the result, forward, backward and gradient, for
// 64 to 128 channels (direct summation: 7e-7 and 8e-6); a test holds it.
#pragma once

#include <span>

#include "utils/kernels.h"

namespace engram::kernels {

/// Whether a convolution with `outputs` channels is one of those, and gains by it.
bool winograd_suits(const Window& window, int outputs);

// Shapes: x [B, height * width * channels], y [B, out_h * out_w * outputs],
// w [kernel_h * kernel_w * channels, outputs]. All images at once, over several threads.

void winograd_forward(const Window& window, CMat x, CMat w, std::span<const real> bias, Mat y);
/// dx <- the error of the input: the exact adjoint of winograd_forward, not another algorithm.
void winograd_backward(const Window& window, CMat dy, CMat w, Mat dx);
/// dw <- (or += when `add`) the gradient of the weights.
void winograd_gradient(const Window& window, CMat x, CMat dy, bool add, Mat dw);

}  // namespace engram::kernels
