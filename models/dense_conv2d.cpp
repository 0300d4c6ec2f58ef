// Convolution on dense weights, perhaps masked: the same three verbs as a linear layer whose inputs
// are patches. What computes them is chosen by shape and activity: minimal filtering
// (utils/winograd.h), direct summation (utils/conv_direct.h) or what follows the active units
// (utils/conv_active.h).
#include <algorithm>

#include "models/conv_window.h"
#include "models/synaptic.h"
#include "utils/conv_active.h"
#include "utils/conv_direct.h"
#include "utils/scratch.h"
#include "utils/winograd.h"

namespace engram {
namespace {

// Time of a multiply-add relative to one of direct summation. Measured on Zen 4 with AVX-512, 64
// to 128 channels and 5x5 kernels (tests/perf/convolutions.cpp).
constexpr double kWinogradTime = 0.25;
constexpr double kSpreadTime = 2.7;    ///< one active side meets all of the other
constexpr double kScatteredTime = 60;  ///< active inputs meet active errors

class Conv2d final : public Layer {
 public:
  Conv2d(int channels, int kernel, int stride, int pad, const Synapses& synapses)
      : channels_(channels), synapses_(synapses) {
    window_.kernel_h = window_.kernel_w = kernel, window_.stride = stride, window_.pad = pad;
  }

  std::string kind() const override { return "conv"; }
  std::string describe() const override {
    return fmt::format("conv {}x{}, stride {}, padding {}{}", window_.kernel_h, window_.kernel_w,
                       window_.stride, window_.pad, synapses_.density_text());
  }

  ImageShape bind(ImageShape in, const Place& place, ParamStore& store) override {
    window_ = fitted(window_, in, place.name);
    synapses_.bind_part(conv_fans(window_, channels_), in.size(), SynapticMatrix::Form::Convolution,
                        place.name, place, store);
    map_ = place.feedback ? place.feedback->convolutions : DirectMap::Dense;
    winograd_ = kernels::winograd_suits(window_, channels_);
    return {window_.out_h(), window_.out_w(), channels_};
  }
  void init(Rng rng) override { synapses_.init(rng); }

  Macs forward(const Signal& x, Record& y, const Pass&) const override {
    const Mat out = y.out.resize(x.rows(), places() * channels_);
    if (kSpreadTime * x.active_share() < dense_time()) {
      kernels::active_conv_forward(window_, x.value(), x.active, synapses_.weight(),
                                   synapses_.bias(), out);
      return macs(x, x.active_share());
    }
    (winograd_ ? kernels::winograd_forward : kernels::direct_forward)(
        window_, x.value(), synapses_.weight(), synapses_.bias(), out);
    return macs(x);
  }

  Macs backward_input(const Signal& x, const Record&, const Signal& dy, Signal& dx, const Pass&,
                      const Descent& descent) const override {
    const Mat out = dx.resize(x.rows(), x.cols());
    if (descent.path == Path::Direct) return direct_input(*descent.output_error, out);
    const CMat w = synapses_.carrier(descent.path);
    const double above = dy.active_share(), pairs = x.active_share() * above;
    const bool spreads = dy.active.known() && kernels::active_conv_spreads(window_);
    const double dense = std::min(dense_time(), spreads ? kSpreadTime * above : 1.);
    if (x.active.known() && dy.active.known() && kScatteredTime * pairs < dense) {
      kernels::active_conv_backward(window_, dy.value(), dy.active, w, x.active, out);
      dx.active = x.active;
      return macs(x, pairs);
    }
    if (dense < dense_time()) {
      kernels::active_conv_spread(window_, dy.value(), dy.active, w, out);
      return macs(x, above);
    }
    (winograd_ ? kernels::winograd_backward : kernels::direct_backward)(window_, dy.value(), w,
                                                                        out);
    return macs(x);
  }

  Macs accumulate(const Signal& pre, const Record&, const Signal& post,
                  const Pass&) const override {
    accumulate_bias(synapses_.bias_part(), post, channels_);
    const auto gradient = synapses_.open_gradient();
    if (pre.active.known() && post.active.known()) {
      const double pairs = pre.active_share() * post.active_share();
      if (kScatteredTime * pairs < dense_time()) {
        kernels::active_conv_gradient(window_, pre.value(), pre.active, post.value(), post.active,
                                      !gradient.fresh, gradient.value);
        return macs(pre, pairs);
      }
    }
    (winograd_ ? kernels::winograd_gradient : kernels::direct_gradient)(
        window_, pre.value(), post.value(), !gradient.fresh, gradient.value);
    return macs(pre);
  }

  std::vector<const SynapticMatrix*> synapses() const override { return {&synapses_}; }
  Downward downward() const override { return Downward::Weights; }

 private:
  /// The input's error straight from the network's: through one matrix, or through one kernel from
  /// every place of the output, all of which meet the same error.
  Macs direct_input(const Signal& error, Mat dx) const {
    if (map_ == DirectMap::Dense) return synapses_.send_direct(error, dx);
    thread_local Scratch spread;
    const Mat everywhere = spread.matrix(error.rows(), places() * error.cols());
    for (int b = 0; b < error.rows(); ++b)
      for (int p = 0; p < places(); ++p)
        std::copy_n(error.value().row(b), error.cols(), everywhere.row(b) + p * error.cols());
    kernels::direct_backward(window_, everywhere, synapses_.feedback(), dx);
    const double n = static_cast<double>(everywhere.size()) * window_.patch();
    return {n, n};
  }

  int places() const { return window_.out_h() * window_.out_w(); }
  double dense_time() const { return winograd_ ? kWinogradTime : 1; }
  Macs macs(const Signal& x, double share = 1) const {
    const double n = 1.0 * x.rows() * places() * window_.patch() * channels_;
    return {share * n, n};
  }

  int channels_;
  bool winograd_ = false;
  DirectMap map_ = DirectMap::Dense;
  kernels::Window window_;
  SynapticMatrix synapses_;
};

}  // namespace

LayerPtr dense_conv2d(int channels, int kernel, int stride, int pad, const Synapses& synapses) {
  return std::make_unique<Conv2d>(channels, kernel, stride, pad, synapses);
}

}  // namespace engram
