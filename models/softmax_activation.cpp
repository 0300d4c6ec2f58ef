// Softmax of gain * x over the channels at each place: units that compete softly, as in SoftHebb
// (Moraitis et al. 2022).
#include <cmath>

#include <fmt/format.h>

#include "models/begun_lists.h"
#include "models/layers.h"

namespace engram {
namespace {

class SoftmaxActivation final : public Layer {
 public:
  explicit SoftmaxActivation(double gain) : gain_(static_cast<real>(gain)), shown_(gain) {}
  std::string kind() const override { return "softmax"; }
  std::string describe() const override { return fmt::format("softmax, gain {}", shown_); }
  bool is_activation() const override { return true; }
  ImageShape bind(ImageShape in, const Place&, ParamStore&) override {
    channels_ = static_cast<std::size_t>(in.channels);
    return in;
  }

  Macs forward(const Signal& x, Record& y, const Pass&) const override {
    const CMat in = x.value();
    const Mat out = y.out.resize(in.rows, in.cols);
    for_places(in, [&](std::size_t at) {
      const real* const from = in.data + at;
      real* const to = out.data + at;
      real largest = gain_ * from[0];
      for (std::size_t c = 1; c < channels_; ++c)
        largest = std::max(largest, gain_ * from[c]);
      double sum = 0;
      for (std::size_t c = 0; c < channels_; ++c) {
        to[c] = std::exp(gain_ * from[c] - largest);
        sum += static_cast<double>(to[c]);
      }
      const auto scale = static_cast<real>(1 / sum);
#pragma omp simd
      for (std::size_t c = 0; c < channels_; ++c)
        to[c] *= scale;
    });
    return {};
  }

  /// dx = gain y (dy - <dy, y>) at each place.
  Macs backward_input(const Signal&, const Record& y, const Signal& dy, Signal& dx, const Pass&,
                      const Descent&) const override {
    const CMat value = y.out.value(), error = dy.value();
    const Mat out = dx.resize(dy.rows(), dy.cols());
    for_places(value, [&](std::size_t at) {
      const real *const p = value.data + at, *const above = error.data + at;
      real* const to = out.data + at;
      double sum = 0;
      for (std::size_t c = 0; c < channels_; ++c)
        sum += static_cast<double>(p[c]) * static_cast<double>(above[c]);
      const auto mean = static_cast<real>(sum);
#pragma omp simd
      for (std::size_t c = 0; c < channels_; ++c)
        to[c] = gain_ * p[c] * (above[c] - mean);
    });
    return {};
  }

 private:
  /// Calls body(its first element) for every place of all images.
  template <class Body>
  void for_places(CMat m, const Body& body) const {
    for_row_tiles(m.rows, m.cols, 0, [&](int b) {
      const std::size_t begin = static_cast<std::size_t>(b) * static_cast<std::size_t>(m.cols);
      for (std::size_t i = 0; i < static_cast<std::size_t>(m.cols); i += channels_)
        body(begin + i);
    });
  }

  real gain_;
  double shown_;
  std::size_t channels_ = 1;
};

}  // namespace

LayerPtr softmax_activation(double gain) {
  return std::make_unique<SoftmaxActivation>(gain);
}

}  // namespace engram
