// The window of a convolution over a given input.
#pragma once

#include <string>

#include <fmt/format.h>

#include "utils/error.h"
#include "utils/kernels.h"
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

}  // namespace engram
