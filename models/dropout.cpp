// Inverted dropout (Srivastava et al. 2014). Whether an element survives depends only on the pass's
// random stream and on the element's place in the batch, so the dense and the active-set path drop
// the same units.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "models/layers.h"
#include "utils/elementwise.h"
#include "utils/error.h"
#include "utils/parallel.h"

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
  Downward downward() const override { return Downward::Identity; }
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
    const Rng rng = pass.rng.fork("dropout", index_);
    if (!pass.training || threshold_ == 0) {
      y.bits.clear();
      const Mat out = y.out.resize(x.rows(), x.cols());
      for_runs(in.size(), [&](std::size_t begin, std::size_t count) {
        std::copy_n(in.data + begin, count, out.data + begin);
      });
      if (x.active.known()) y.out.active = x.active;
    } else if (x.active_share() < kFew) {
      y.bits.clear();
      visit(x, rng, y.out);
    } else {
      toss(in, rng, y);
      if (x.active.known()) keep_listed(x.active, y);
    }
    return {};
  }

  Macs backward_input(const Signal&, const Record& y, const Signal& dy, Signal& dx,
                      const Pass& pass, const Descent&) const override {
    const CMat error = dy.value();
    const real scale = pass.training && threshold_ > 0 ? scale_ : real{1};
    if (y.bits.empty() && y.out.active_share() < kFew) {
      const Mat out = dx.resize_sparse(dy.rows(), dy.cols());
      for (int b = 0; b < out.rows; ++b)
        for (const int unit : y.out.active.row(b))
          out.row(b)[unit] = error.row(b)[unit] * scale;
      dx.active = y.out.active;
      return {};
    }
    // Whatever survived passes its error on, active or not: below may be a layer without a list.
    const Mat out = dx.resize(dy.rows(), dy.cols());
    for_runs(out.size(), [&](std::size_t begin, std::size_t count) {
      if (y.bits.empty())
        std::copy_n(error.data + begin, count, out.data + begin);
      else
        kernels::scale_kept({error.data + begin, count}, y.bits.data() + begin / 8, scale,
                            out.data + begin);
    });
    if (dy.active.known()) dx.active = dy.active;
    return {};
  }

 private:
  /// Below this share of active units, chance is asked for each of them alone.
  static constexpr double kFew = 0.06;
  static constexpr std::size_t kRun = 1 << 15;  ///< elements of a tile: whole blocks of chance

  template <class Body>
  static void for_runs(std::size_t size, const Body& body) {
    parallel_for(static_cast<int>((size + kRun - 1) / kRun), [&](int run) {
      const std::size_t begin = static_cast<std::size_t>(run) * kRun;
      body(begin, std::min(kRun, size - begin));
    });
  }

  /// One block of random bits decides for eight elements, 16 bits each.
  bool survives(const std::array<std::uint32_t, 4>& block, std::size_t lane) const {
    return ((block[lane / 2] >> (16 * (lane % 2))) & 0xffffu) >= threshold_;
  }

  /// The few active units, one by one.
  void visit(const Signal& x, const Rng& rng, Signal& y) const {
    const CMat in = x.value();
    const Mat out = y.resize_sparse(in.rows, in.cols);
    y.active.begin_within(x.active);
    for (int b = 0; b < in.rows; ++b) {
      for (const int unit : x.active.row(b)) {
        const std::size_t element = static_cast<std::size_t>(b) * in.cols + unit;
        if (!survives(rng.block(element / 8), element % 8)) continue;
        out.data[element] = in.data[element] * scale_;
        y.active.push(unit);
      }
      y.active.end_row();
    }
  }

  /// All elements; y.bits remembers the survivors.
  void toss(CMat in, const Rng& rng, Record& y) const {
    const Mat out = y.out.resize(in.rows, in.cols);
    y.bits.resize((in.size() + 7) / 8 + 1);  // one more: scale_kept may read it
    for_runs(in.size(), [&](std::size_t begin, std::size_t count) {
      std::uint8_t* const bits = y.bits.data() + begin / 8;
      rng.toss(begin / 8, (count + 7) / 8, threshold_, bits);
      kernels::scale_kept({in.data + begin, count}, bits, scale_, out.data + begin);
    });
  }

  /// y.out.active <- the survivors among the active.
  static void keep_listed(const ActiveSet& active, Record& y) {
    const int rows = y.out.rows(), cols = y.out.cols();
    y.out.active.begin(rows, cols);
    const int step = std::max(1, static_cast<int>(kRun) / std::max(1, cols));
    parallel_for((rows + step - 1) / step, [&](int tile) {
      for (int b = tile * step; b < std::min(rows, (tile + 1) * step); ++b) {
        const std::size_t row = static_cast<std::size_t>(b) * cols;
        std::int32_t* const units = y.out.active.slots(b);
        int count = 0;
        for (const std::int32_t i : active.row(b)) {
          const std::size_t element = row + static_cast<std::size_t>(i);
          units[count] = i;
          count += (y.bits[element / 8] >> (element % 8)) & 1;
        }
        y.out.active.set_count(b, count);
      }
    });
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
