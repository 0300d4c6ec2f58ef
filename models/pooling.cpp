// Max and average pooling over square windows without padding; a rest that does not fill a window
// is left out.
#include <algorithm>

#include <fmt/format.h>

#include "models/layers.h"
#include "utils/error.h"
#include "utils/kernels.h"
#include "utils/parallel.h"

namespace engram {
namespace {

class Pooling : public Layer {
 public:
  Pooling(int kernel, int stride) {
    window_.kernel_h = window_.kernel_w = kernel, window_.stride = stride;
    if (kernel < 1 || stride < 1)
      throw Error(Fault::Config, fmt::format("pooling {} with stride {}: both must be at least 1",
                                             kernel, stride));
  }
  ImageShape bind(ImageShape in, const Place& place, ParamStore&) override {
    window_.height = in.height, window_.width = in.width, window_.channels = in.channels;
    if (in.height < window_.kernel_h || in.width < window_.kernel_w)
      throw Error(Fault::Config,
                  fmt::format("{}: a {}x{} window does not fit into {} pixels", place.name,
                              window_.kernel_h, window_.kernel_w, in.text()));
    return {window_.out_h(), window_.out_w(), in.channels};
  }

 protected:
  int outputs() const { return window_.out_h() * window_.out_w() * window_.channels; }
  /// Calls body(output index, input index) for every input of every window.
  template <class Body>
  void for_each_pair(Body body) const {
    const int c_count = window_.channels;
    for (int oy = 0, o = 0; oy < window_.out_h(); ++oy)
      for (int ox = 0; ox < window_.out_w(); ++ox, o += c_count)
        for (int ky = 0; ky < window_.kernel_h; ++ky)
          for (int kx = 0; kx < window_.kernel_w; ++kx) {
            const int y = oy * window_.stride + ky, x = ox * window_.stride + kx;
            const int i = (y * window_.width + x) * c_count;
            for (int c = 0; c < c_count; ++c)
              body(o + c, i + c);
          }
  }
  kernels::Window window_;
};

class MaxPool final : public Pooling {
 public:
  using Pooling::Pooling;
  std::string kind() const override { return "max_pool"; }
  std::string describe() const override {
    return fmt::format("max pool {}, stride {}", window_.kernel_h, window_.stride);
  }
  Macs forward(const Signal& x, Record& y, const Pass&) const override {
    const Mat out = y.out.resize(x.rows(), outputs());
    y.index.assign(out.size(), -1);
    parallel_for(x.rows(), [&](int b) {
      const real* in = x.value().row(b);
      std::int32_t* place = y.index.data() + static_cast<std::size_t>(b) * outputs();
      for_each_pair([&](int o, int i) {  // the first of equal maxima wins
        if (place[o] < 0 || in[i] > in[place[o]]) place[o] = i;
      });
      for (int o = 0; o < outputs(); ++o)
        out.row(b)[o] = in[place[o]];
    });
    return {};
  }
  Macs backward_input(const Signal& x, const Record& y, const Signal& dy, Signal& dx, const Pass&,
                      CMat) const override {
    const Mat out = dx.resize(x.rows(), x.cols());
    std::fill_n(out.data, out.size(), real{0});
    parallel_for(x.rows(), [&](int b) {
      const std::int32_t* place = y.index.data() + static_cast<std::size_t>(b) * outputs();
      for (int o = 0; o < outputs(); ++o)
        out.row(b)[place[o]] += dy.value().row(b)[o];
    });
    return {};
  }
};

class AvgPool final : public Pooling {
 public:
  using Pooling::Pooling;
  std::string kind() const override { return "avg_pool"; }
  std::string describe() const override {
    return fmt::format("average pool {}, stride {}", window_.kernel_h, window_.stride);
  }
  Macs forward(const Signal& x, Record& y, const Pass&) const override {
    const Mat out = y.out.resize(x.rows(), outputs());
    std::fill_n(out.data, out.size(), real{0});
    parallel_for(x.rows(), [&](int b) {
      for_each_pair([&](int o, int i) { out.row(b)[o] += share() * x.value().row(b)[i]; });
    });
    return {};
  }
  Macs backward_input(const Signal& x, const Record&, const Signal& dy, Signal& dx, const Pass&,
                      CMat) const override {
    const Mat out = dx.resize(x.rows(), x.cols());
    std::fill_n(out.data, out.size(), real{0});
    parallel_for(x.rows(), [&](int b) {
      for_each_pair([&](int o, int i) { out.row(b)[i] += share() * dy.value().row(b)[o]; });
    });
    return {};
  }

 private:
  real share() const { return real{1} / static_cast<real>(window_.kernel_h * window_.kernel_w); }
};

}  // namespace

LayerPtr max_pool(int kernel, int stride) {
  return std::make_unique<MaxPool>(kernel, stride);
}
LayerPtr avg_pool(int kernel, int stride) {
  return std::make_unique<AvgPool>(kernel, stride);
}

}  // namespace engram
