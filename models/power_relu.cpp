// max(0, x)^n, the activation of dense associative memories (Krotov & Hopfield 2019). As with relu,
// the units above 0 are listed when they are few, and no error goes through the others.
#include <fmt/format.h>

#include "models/begun_lists.h"
#include "models/layers.h"
#include "utils/error.h"
#include "utils/power.h"
#include "utils/scratch.h"

namespace engram {
namespace {

class PowerRelu final : public Layer {
 public:
  explicit PowerRelu(double n) : power_(n), slope_(n - 1) {
    if (!(n > 0)) throw Error(Fault::Config, fmt::format("power relu {}: must be above 0", n));
  }
  std::string kind() const override { return "power_relu"; }
  std::string describe() const override { return fmt::format("relu ^ {}", power_.exponent()); }
  bool is_activation() const override { return true; }
  double active_share(double inputs) const override { return inputs; }
  ImageShape bind(ImageShape in, const Place&, ParamStore&) override { return in; }

  Macs forward(const Signal& x, Record& y, const Pass&) const override {
    const CMat in = x.value();
    const auto cols = static_cast<std::size_t>(in.cols);
    begin_lists(
        in.rows, in.cols, y.out,
        [&](int b, real* to) {
          kernels::relu({in.row(b), cols}, to);
          power_.raise(std::span<const real>(to, cols), to);
        },
        [&](int b, real* to, std::int32_t* units) {
          const int count = kernels::relu_listed({in.row(b), cols}, to, units);
          raise_listed(power_, in.row(b), {units, static_cast<std::size_t>(count)},
                       [&](std::int32_t i, real value) { to[i] = value; });
          return count;
        });
    return {};
  }

  /// dx = dy n x^(n - 1) where x > 0, else 0.
  Macs backward_input(const Signal& x, const Record& y, const Signal& dy, Signal& dx, const Pass&,
                      const Descent&) const override {
    const CMat in = x.value(), error = dy.value();
    const auto n = static_cast<real>(power_.exponent());
    if (y.out.active.known()) {
      const Mat out = dx.resize_sparse(in.rows, in.cols);
      for_row_tiles(in.rows, in.cols, 0, [&](int b) {
        const real* const from = error.row(b);
        real* const to = out.row(b);
        raise_listed(slope_, in.row(b), y.out.active.row(b),
                     [&](std::int32_t i, real slope) { to[i] = from[i] * n * slope; });
      });
      dx.active = y.out.active;
      return {};
    }
    const Mat out = dx.resize(in.rows, in.cols);
    for_runs(out.size(), [&](std::size_t begin, std::size_t count) {
      real* const to = out.data + begin;
      const real *const from = in.data + begin, *const above = error.data + begin;
      kernels::relu({from, count}, to);
      slope_.raise(std::span<const real>(to, count), to);
#pragma omp simd
      for (std::size_t i = 0; i < count; ++i)
        to[i] = from[i] > 0 ? above[i] * n * to[i] : real{0};
    });
    if (dy.active.known()) dx.active = dy.active;
    return {};
  }

 private:
  /// Calls write(unit, row[unit] to the power) for the listed units.
  template <class Write>
  static void raise_listed(const Power& power, const real* row, std::span<const std::int32_t> units,
                           const Write& write) {
    thread_local Scratch memory;
    real* const packed = memory.get(units.size());
    for (std::size_t k = 0; k < units.size(); ++k)
      packed[k] = row[units[k]];
    power.raise(std::span<const real>(packed, units.size()), packed);
    for (std::size_t k = 0; k < units.size(); ++k)
      write(units[k], packed[k]);
  }

  Power power_, slope_;
};

}  // namespace

LayerPtr power_relu(double n) {
  return std::make_unique<PowerRelu>(n);
}

}  // namespace engram
