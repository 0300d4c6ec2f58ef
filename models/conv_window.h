// What convolutions share: their window over a given input, and how their bias learns.
#pragma once

#include <string>

#include <fmt/format.h>

#include "models/synaptic.h"
#include "utils/conv_direct.h"
#include "utils/error.h"
#include "utils/kernels.h"
#include "utils/scratch.h"
#include "utils/shape.h"

namespace engram {

/// `window` over images of shape `in`. Error(Config) when the kernel does not fit into the padded
/// image.
inline kernels::Window fitted(kernels::Window window, ImageShape in, const std::string& name) {
  window.height = in.height, window.width = in.width, window.channels = in.channels;
  if (in.height + 2 * window.pad < window.kernel_h || in.width + 2 * window.pad < window.kernel_w)
    throw Error(Fault::Config, fmt::format("{}: a {}x{} kernel does not fit into {} pixels", name,
                                           window.kernel_h, window.kernel_w, in.text()));
  return window;
}

/// The connections of a convolution's weights, with channels in groups.
inline Fans conv_fans(const kernels::Window& window, int outputs, int groups = 1) {
  return {outputs, window.patch() / groups, window.kernel_h * window.kernel_w * outputs / groups};
}

/// Adds the errors of all places, image by image first, to the gradient of a bias [1, channels].
inline void accumulate_bias(const Bias& bias, const Signal& post, int channels) {
  if (!bias.present()) return;
  thread_local Scratch memory;
  const Mat sums = memory.matrix(post.rows(), channels);
  kernels::sum_places(post.value(), post.active, sums);
  bias.accumulate(sums);
}

}  // namespace engram
