// Convolution by direct summation, for every geometry: patches are read where they lie. Also what
// all convolutions share.
#pragma once

#include <span>

#include "utils/active_set.h"
#include "utils/kernels.h"

namespace engram::kernels {

// Shapes: x [B, height * width * channels], y [B, out_h * out_w * outputs],
// w [kernel_h * kernel_w * channels, outputs]. All images at once, over several threads.

void direct_forward(const Window& window, CMat x, CMat w, std::span<const real> bias, Mat y);
/// dx <- the error of the input.
void direct_backward(const Window& window, CMat dy, CMat w, Mat dx);
/// dw <- (or += when `add`) the gradient of the weights.
void direct_gradient(const Window& window, CMat x, CMat dy, bool add, Mat dw);

/// dw <- (or += when `add`) the sum of `groups` matrices of its size, one after the other in
/// `sums`, which is overwritten: what tasks of a gradient have summed up alone. Their rows lie
/// channel by channel, those of dw tap by tap; with channels = dw.rows both are the same.
void add_groups(real* sums, int groups, int channels, bool add, Mat dw);

/// sums [B, outputs] <- for every image of dy, the sum over its places, of the active
/// errors if those are known.
void sum_places(CMat dy, const ActiveSet& active, Mat sums);

}  // namespace engram::kernels
