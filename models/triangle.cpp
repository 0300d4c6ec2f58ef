// max(0, x - mean)^n, the mean taken over the channels at each place: n = 1 is the "triangle" of
// Coates, Ng & Lee 2011, other powers are SoftHebb's (Journe et al. 2023). Units that are silent
// pass no error, but they are part of the mean, which does.
#include <fmt/format.h>

#include "models/begun_lists.h"
#include "models/layers.h"
#include "utils/error.h"
#include "utils/power.h"
#include "utils/scratch.h"

namespace engram {
namespace {

class Triangle final : public Layer {
 public:
  explicit Triangle(double n) : power_(n), slope_(n - 1) {
    if (!(n > 0)) throw Error(Fault::Config, fmt::format("triangle {}: must be above 0", n));
  }
  std::string kind() const override { return "triangle"; }
  std::string describe() const override { return fmt::format("triangle ^ {}", power_.exponent()); }
  bool is_activation() const override { return true; }
  ImageShape bind(ImageShape in, const Place&, ParamStore&) override {
    channels_ = static_cast<std::size_t>(in.channels);
    return in;
  }

  Macs forward(const Signal& x, Record& y, const Pass&) const override {
    const CMat in = x.value();
    const auto cols = static_cast<std::size_t>(in.cols);
    begin_lists(
        in.rows, in.cols, y.out,
        [&](int b, real* to) {
          rectify(in.row(b), cols, to);
          power_.raise(std::span<const real>(to, cols), to);
        },
        [&](int b, real* to, std::int32_t* units) {
          rectify(in.row(b), cols, to);
          const int count = kernels::list_nonzero({to, cols}, units);
          power_.raise(std::span<const real>(to, cols), to);
          return count;
        });
    return {};
  }

  /// With e = dy n (x - mean)^(n - 1) where x > mean, else 0: dx = e - mean of e.
  Macs backward_input(const Signal& x, const Record&, const Signal& dy, Signal& dx, const Pass&,
                      const Descent&) const override {
    const CMat in = x.value(), error = dy.value();
    const Mat out = dx.resize(in.rows, in.cols);
    const auto cols = static_cast<std::size_t>(in.cols);
    const auto n = static_cast<real>(power_.exponent());
    for_row_tiles(in.rows, in.cols, 0, [&](int b) {
      thread_local Scratch memory;
      real* const above_mean = memory.get(cols);
      real* const to = out.row(b);
      const real* const from = error.row(b);
      rectify(in.row(b), cols, above_mean);
      slope_.raise(std::span<const real>(above_mean, cols), to);
#pragma omp simd
      for (std::size_t i = 0; i < cols; ++i)
        to[i] = above_mean[i] > 0 ? from[i] * n * to[i] : real{0};
      for (std::size_t place = 0; place < cols; place += channels_) {
        const real mean = mean_of(to + place);
#pragma omp simd
        for (std::size_t c = 0; c < channels_; ++c)
          to[place + c] -= mean;
      }
    });
    return {};
  }

 private:
  real mean_of(const real* channels) const {
    double sum = 0;
    for (std::size_t c = 0; c < channels_; ++c)
      sum += static_cast<double>(channels[c]);
    return static_cast<real>(sum / static_cast<double>(channels_));
  }
  /// to <- max(0, row - mean of the place).
  void rectify(const real* row, std::size_t cols, real* to) const {
    for (std::size_t place = 0; place < cols; place += channels_) {
      const real mean = mean_of(row + place);
#pragma omp simd
      for (std::size_t c = 0; c < channels_; ++c)
        to[place + c] = row[place + c] > mean ? row[place + c] - mean : real{0};
    }
  }

  Power power_, slope_;
  std::size_t channels_ = 1;
};

}  // namespace

LayerPtr triangle(double n) {
  return std::make_unique<Triangle>(n);
}

}  // namespace engram
