// Outputs of several layers side by side: an image with one place for each, whose channels are
// their features. A convolution of one place is then one linear map for all of them.
#include <algorithm>

#include <fmt/format.h>

#include "models/past/past.h"
#include "utils/error.h"
#include "utils/parallel.h"

namespace engram {
namespace {

class Recall final : public Layer {
 public:
  std::string kind() const override { return "recall"; }
  std::string describe() const override {
    return fmt::format("recall of {} layer{}", places_, places_ == 1 ? "" : "s");
  }
  bool errors_reach_past() const override { return true; }

  ImageShape bind(ImageShape in, const Place& place, ParamStore&) override {
    for (const ImageShape& past : place.past)
      if (past.size() != in.size())
        throw Error(Fault::Config,
                    fmt::format("{}: an output of {} features cannot be remembered beside one of "
                                "{}; use hidden layers of one width",
                                place.name, past.size(), in.size()));
    places_ = static_cast<int>(place.past.size()) + 1;
    return {1, places_, in.size()};
  }

  Macs forward(const Signal& x, Record& y, const Pass&) const override {
    const int n = x.cols();
    const Mat out = y.out.resize(x.rows(), places_ * n);
    for_rows(x.rows(), [&](int b) {
      real* to = out.row(b);
      for (const Signal* past : y.past)
        to = std::copy_n(past->value().row(b), n, to);
      std::copy_n(x.value().row(b), n, to);
    });
    return {};
  }
  Macs backward_input(const Signal& x, const Record&, const Signal& dy, Signal& dx, const Pass&,
                      const Descent&) const override {
    take(dy, places_ - 1, dx, x.cols());
    return {};
  }
  Macs backward_past(const Signal& x, const Record&, const Signal& dy, std::span<Signal> to,
                     const Pass&) const override {
    for (int i = 0; i < places_ - 1; ++i)
      take(dy, i, to[static_cast<std::size_t>(i)], x.cols());
    return {};
  }

 private:
  /// to <- the errors at a place.
  static void take(const Signal& dy, int place, Signal& to, int n) {
    const Mat out = to.resize(dy.rows(), n);
    for_rows(dy.rows(), [&](int b) {
      std::copy_n(dy.value().row(b) + static_cast<std::ptrdiff_t>(place) * n, n, out.row(b));
    });
  }

  int places_ = 1;
};

}  // namespace

LayerPtr recall() {
  return std::make_unique<Recall>();
}

}  // namespace engram
