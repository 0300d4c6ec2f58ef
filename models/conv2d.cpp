// Convolution: dense or sparse storage.
#include "models/chosen_layer.h"
#include "models/conv_window.h"
#include "models/sparse_synapses.h"
#include "utils/winograd.h"

namespace engram {
namespace {

/// Density below which missing weights are not stored where the dense way is direct summation.
/// Minimal filtering, with a sixth of the multiply-adds, is the faster one at any density: at 1 %
/// it still takes half the time (measured: tests/perf/products.cpp).
constexpr double kPaysBesideDirect = 0.07;

class Conv2d final : public ChosenLayer {
 public:
  Conv2d(int channels, int kernel, int stride, int pad, const Synapses& synapses)
      : channels_(channels), synapses_(synapses) {
    window_.kernel_h = window_.kernel_w = kernel, window_.stride = stride, window_.pad = pad;
  }
  std::string kind() const override { return "conv"; }

 protected:
  LayerPtr choose(ImageShape in, const Place& place) const override {
    const bool filters = kernels::winograd_suits(fitted(window_, in, place.name), channels_);
    const bool pays = !filters && synapses_.density < kPaysBesideDirect;
    return (stores_sparse(synapses_, pays, place) ? sparse_conv2d : dense_conv2d)(
        channels_, window_.kernel_h, window_.stride, window_.pad, synapses_);
  }

 private:
  int channels_;
  kernels::Window window_;
  Synapses synapses_;
};

}  // namespace

LayerPtr conv2d(int channels, int kernel, int stride, int pad, const Synapses& synapses) {
  return std::make_unique<Conv2d>(channels, kernel, stride, pad, synapses);
}

}  // namespace engram
