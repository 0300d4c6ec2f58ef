// Convolutions whose cost follows activity: they touch the listed inputs and errors and no others.
// Each equals its dense twin (conv_direct.h, winograd.h) up to rounding; sums run in a fixed order
// with fused multiply-adds, so the bits depend neither on threads nor on the vector width.
#pragma once

#include <span>

#include "utils/active_set.h"
#include "utils/kernels.h"

namespace engram::kernels {

// Shapes: x [B, height * width * channels], y [B, out_h * out_w * outputs],
// w [kernel_h * kernel_w * channels, outputs]. Active sets list units of an image: of x `below`, of
// dy `above`. All are known.

/// y <- the convolution of the active x; bias may be empty.
void active_conv_forward(const Window& window, CMat x, const ActiveSet& below, CMat w,
                         std::span<const real> bias, Mat y);
/// dx <- the error of the active inputs, zero elsewhere.
void active_conv_backward(const Window& window, CMat dy, const ActiveSet& above, CMat w,
                          const ActiveSet& below, Mat dx);
/// dw <- (or += when `add`) the gradient of the weights.
void active_conv_gradient(const Window& window, CMat x, const ActiveSet& below, CMat dy,
                          const ActiveSet& above, bool add, Mat dw);

/// Whether active_conv_spread can do it: stride 1 and no more padding than the kernel covers.
bool active_conv_spreads(const Window& window);
/// dx <- the error of all inputs.
void active_conv_spread(const Window& window, CMat dy, const ActiveSet& above, CMat w, Mat dx);

}  // namespace engram::kernels
