// x Phi(x), Phi the distribution function of the standard normal law (Hendrycks & Gimpel 2016), in
// its exact form. It gives 0 where its input is 0, so a list of active units is handed on.
#include <cmath>
#include <numbers>

#include "models/begun_lists.h"
#include "models/layers.h"

namespace engram {
namespace {

class Gelu final : public Layer {
 public:
  std::string kind() const override { return "gelu"; }
  std::string describe() const override { return "gelu"; }
  bool is_activation() const override { return true; }
  double active_share(double inputs) const override { return inputs; }
  ImageShape bind(ImageShape in, const Place&, ParamStore&) override { return in; }

  Macs forward(const Signal& x, Record& y, const Pass&) const override {
    const CMat in = x.value();
    const Mat out = y.out.resize(in.rows, in.cols);
    for_runs(in.size(), [&](std::size_t begin, std::size_t count) {
      for (std::size_t i = begin; i < begin + count; ++i)
        out.data[i] = in.data[i] * below(in.data[i]);
    });
    if (x.active.known()) y.out.active = x.active;
    return {};
  }

  /// dx = dy (Phi(x) + x phi(x)).
  Macs backward_input(const Signal& x, const Record&, const Signal& dy, Signal& dx, const Pass&,
                      const Descent&) const override {
    const CMat in = x.value(), error = dy.value();
    const Mat out = dx.resize(dy.rows(), dy.cols());
    for_runs(out.size(), [&](std::size_t begin, std::size_t count) {
      for (std::size_t i = begin; i < begin + count; ++i) {
        const real z = in.data[i];
        out.data[i] = error.data[i] * (below(z) + z * density(z));
      }
    });
    if (dy.active.known()) dx.active = dy.active;
    return {};
  }

 private:
  static real below(real z) {
    constexpr auto kRootHalf = static_cast<real>(std::numbers::sqrt2 / 2);
    return real{0.5} * std::erfc(-z * kRootHalf);
  }
  static real density(real z) {
    constexpr auto kScale = static_cast<real>(std::numbers::inv_sqrtpi * std::numbers::sqrt2 / 2);
    return kScale * std::exp(real{-0.5} * z * z);
  }
};

}  // namespace

LayerPtr gelu() {
  return std::make_unique<Gelu>();
}

}  // namespace engram
