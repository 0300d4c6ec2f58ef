// Convolutions whose channels come in groups: an output reads the channels of its own group alone.
// One channel for each group (depth-wise) has loops of its own, across the channels.
#pragma once

#include <span>

#include "utils/kernels.h"

namespace engram::kernels {

// Shapes: x [B, height * width * channels], y [B, out_h * out_w * outputs],
// w [kernel_h * kernel_w * channels / groups, outputs]; `groups` divides channels and outputs. All
// images at once, over several threads.

void grouped_forward(const Window& window, int groups, CMat x, CMat w, std::span<const real> bias,
                     Mat y);
/// dx <- the error of the input, zero where no window reaches.
void grouped_backward(const Window& window, int groups, CMat dy, CMat w, Mat dx);
/// dw <- (or += when `add`) the gradient of the weights.
void grouped_gradient(const Window& window, int groups, CMat x, CMat dy, bool add, Mat dw);

}  // namespace engram::kernels
