// tanh(gain x). It gives 0 where its input is 0, so a list of active units is handed on.
#include <cmath>

#include <fmt/format.h>

#include "models/begun_lists.h"
#include "models/layers.h"

namespace engram {
namespace {

class TanhActivation final : public Layer {
 public:
  explicit TanhActivation(double gain) : gain_(static_cast<real>(gain)), shown_(gain) {}
  std::string kind() const override { return "tanh"; }
  std::string describe() const override { return fmt::format("tanh, gain {}", shown_); }
  bool is_activation() const override { return true; }
  double active_share(double inputs) const override { return inputs; }
  ImageShape bind(ImageShape in, const Place&, ParamStore&) override { return in; }

  Macs forward(const Signal& x, Record& y, const Pass&) const override {
    const CMat in = x.value();
    const Mat out = y.out.resize(in.rows, in.cols);
    for_runs(in.size(), [&](std::size_t begin, std::size_t count) {
      for (std::size_t i = begin; i < begin + count; ++i)
        out.data[i] = std::tanh(gain_ * in.data[i]);
    });
    if (x.active.known()) y.out.active = x.active;
    return {};
  }

  /// dx = dy gain (1 - y^2).
  Macs backward_input(const Signal&, const Record& y, const Signal& dy, Signal& dx, const Pass&,
                      const Descent&) const override {
    const CMat value = y.out.value(), error = dy.value();
    const Mat out = dx.resize(dy.rows(), dy.cols());
    for_runs(out.size(), [&](std::size_t begin, std::size_t count) {
#pragma omp simd
      for (std::size_t i = begin; i < begin + count; ++i)
        out.data[i] = error.data[i] * gain_ * (1 - value.data[i] * value.data[i]);
    });
    if (dy.active.known()) dx.active = dy.active;
    return {};
  }

 private:
  real gain_;
  double shown_;
};

}  // namespace

LayerPtr tanh_activation(double gain) {
  return std::make_unique<TanhActivation>(gain);
}

}  // namespace engram
