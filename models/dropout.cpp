// Inverted dropout (Srivastava et al. 2014). Whether an element survives depends only on the pass's
// random stream and on the element's place in the batch, so the dense and the active-set path drop
// the same units.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "models/layers.h"
#include "utils/error.h"

namespace engram {
namespace {

class Dropout final : public Layer {
 public:
  explicit Dropout(double rate)
      : rate_(rate),
        threshold_(static_cast<std::uint32_t>(std::lround(rate * 65536))),
        scale_(static_cast<real>(1 / (1 - rate))) {
    if (!(rate >= 0 && rate < 1))
      throw Error(Fault::Config, fmt::format("dropout = {}: must be in [0, 1)", rate));
  }

  std::string kind() const override { return "dropout"; }
  std::string describe() const override { return fmt::format("dropout {}", rate_); }
  double active_share(double inputs) const override {
    return inputs < 1 ? inputs * (1 - rate_) : 1;  // survivors are listed only if inputs were
  }
  ImageShape bind(ImageShape in, const Place& place, ParamStore&) override {
    index_ = static_cast<std::uint64_t>(place.index);
    return in;
  }

  Macs forward(const Signal& x, Record& y, const Pass& pass) const override {
    const CMat in = x.value();
    const Mat out = y.out.resize(x.rows(), x.cols());
    const Rng rng = pass.rng.fork("dropout", index_);
    if (!pass.training || threshold_ == 0) {
      std::copy_n(in.data, in.size(), out.data);
      if (x.active.known()) y.out.active = x.active;
      y.saved.clear();
    } else if (x.active.known()) {
      std::fill_n(out.data, out.size(), real{0});
      y.out.active.begin();
      for (int b = 0; b < in.rows; ++b) {
        for (const int unit : x.active.row(b)) {
          const std::size_t element = static_cast<std::size_t>(b) * in.cols + unit;
          if (!survives(rng.block(element / 8), element % 8)) continue;
          out.data[element] = in.data[element] * scale_;
          y.out.active.push(unit);
        }
        y.out.active.end_row();
      }
      y.saved.clear();
    } else {
      y.saved.resize(in.size());
      for (std::size_t begin = 0; begin < in.size(); begin += 8) {
        const auto block = rng.block(begin / 8);
        const std::size_t count = std::min<std::size_t>(8, in.size() - begin);
        for (std::size_t i = 0; i < count; ++i) {
          const real factor = survives(block, i) ? scale_ : real{0};
          y.saved[begin + i] = factor;
          out.data[begin + i] = in.data[begin + i] * factor;
        }
      }
    }
    return {};
  }

  Macs backward_input(const Signal&, const Record& y, const Signal& dy, Signal& dx,
                      const Pass& pass, CMat) const override {
    const CMat error = dy.value();
    const Mat out = dx.resize(dy.rows(), dy.cols());
    const real scale = pass.training && threshold_ > 0 ? scale_ : real{1};
    if (y.out.active.known()) {
      std::fill_n(out.data, out.size(), real{0});
      for (int b = 0; b < out.rows; ++b)
        for (const int unit : y.out.active.row(b))
          out.row(b)[unit] = error.row(b)[unit] * scale;
      dx.active = y.out.active;
    } else if (y.saved.empty()) {
      std::copy_n(error.data, error.size(), out.data);
    } else {
#pragma omp simd
      for (std::size_t i = 0; i < out.size(); ++i)
        out.data[i] = error.data[i] * y.saved[i];
    }
    return {};
  }

 private:
  /// One block of random bits decides for eight elements, 16 bits each.
  bool survives(const std::array<std::uint32_t, 4>& block, std::size_t lane) const {
    return ((block[lane / 2] >> (16 * (lane % 2))) & 0xffffu) >= threshold_;
  }

  double rate_;
  std::uint32_t threshold_;
  real scale_;
  std::uint64_t index_ = 0;
};

}  // namespace

LayerPtr dropout(double rate) {
  return std::make_unique<Dropout>(rate);
}

}  // namespace engram
