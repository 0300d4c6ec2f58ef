// Max and average pooling over square windows; a rest that does not fill a window is left out.
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
  Pooling(int kernel, int stride, int pad = 0) {
    window_.kernel_h = window_.kernel_w = kernel, window_.stride = stride, window_.pad = pad;
    if (kernel < 1 || stride < 1)
      throw Error(Fault::Config, fmt::format("pooling {} with stride {}: both must be at least 1",
                                             kernel, stride));
    if (pad < 0 || 2 * pad > kernel)  // then every window holds a pixel
      throw Error(Fault::Config,
                  fmt::format("pooling {} with padding {}: must be from 0 to half the window",
                              kernel, pad));
  }
  ImageShape bind(ImageShape in, const Place& place, ParamStore&) override {
    window_.height = in.height, window_.width = in.width, window_.channels = in.channels;
    const int added = 2 * window_.pad;
    if (in.height + added < window_.kernel_h || in.width + added < window_.kernel_w)
      throw Error(Fault::Config,
                  fmt::format("{}: a {}x{} window does not fit into {} pixels", place.name,
                              window_.kernel_h, window_.kernel_w, in.text()));
    return {window_.out_h(), window_.out_w(), in.channels};
  }

 protected:
  int outputs() const { return window_.out_h() * window_.out_w() * window_.channels; }
  /// Calls body(output, input) for every pixel of every window: the indices of their first
  /// channels. The pixels of a window come in order, one after the other; padding is left out.
  template <class Body>
  void for_each_pixel(const Body& body) const {
    const int c_count = window_.channels;
    const auto first = [&](int o) { return o * window_.stride - window_.pad; };
    for (int oy = 0, o = 0; oy < window_.out_h(); ++oy)
      for (int ox = 0; ox < window_.out_w(); ++ox, o += c_count) {
        const int bottom = std::min(first(oy) + window_.kernel_h, window_.height);
        const int right = std::min(first(ox) + window_.kernel_w, window_.width);
        for (int y = std::max(0, first(oy)); y < bottom; ++y)
          for (int x = std::max(0, first(ox)); x < right; ++x)
            body(o, (y * window_.width + x) * c_count);
      }
  }
  std::string text(std::string_view what) const {
    const std::string shape =
        fmt::format("{} {}, stride {}", what, window_.kernel_h, window_.stride);
    return window_.pad > 0 ? fmt::format("{}, padding {}", shape, window_.pad) : shape;
  }
  kernels::Window window_;
};

class MaxPool final : public Pooling {
 public:
  using Pooling::Pooling;
  std::string kind() const override { return "max_pool"; }
  std::string describe() const override { return text("max pool"); }
  Macs forward(const Signal& x, Record& y, const Pass&) const override {
    const Mat out = y.out.resize(x.rows(), outputs());
    y.index.resize(out.size());
    parallel_for(x.rows(), [&](int b) {
      const real* const in = x.value().row(b);
      real* const best = out.row(b);
      std::int32_t* const place = y.index.data() + first_output(b);
      int begun = -1;
      for_each_pixel([&](int o, int i) {
        const int count = window_.channels;
        if (o != begun) {
          begun = o;
          for (int c = 0; c < count; ++c)
            best[o + c] = in[i + c], place[o + c] = i + c;
          return;
        }
#pragma omp simd
        for (int c = 0; c < count; ++c) {  // the first of equal maxima wins
          const bool better = in[i + c] > best[o + c];
          best[o + c] = better ? in[i + c] : best[o + c];
          place[o + c] = better ? i + c : place[o + c];
        }
      });
    });
    return {};
  }
  Macs backward_input(const Signal& x, const Record& y, const Signal& dy, Signal& dx, const Pass&,
                      const Descent&) const override {
    const Mat out = dx.resize(x.rows(), x.cols());
    parallel_for(x.rows(), [&](int b) {
      real* const to = out.row(b);
      const real* const error = dy.value().row(b);
      const std::int32_t* const place = y.index.data() + first_output(b);
      std::fill_n(to, out.cols, real{0});
      for (int o = 0; o < outputs(); ++o)
        to[place[o]] += error[o];
    });
    return {};
  }

 private:
  /// Where in the record image b begins.
  std::size_t first_output(int b) const {
    return static_cast<std::size_t>(b) * static_cast<std::size_t>(outputs());
  }
};

class AvgPool : public Pooling {
 public:
  using Pooling::Pooling;
  std::string kind() const override { return "avg_pool"; }
  std::string describe() const override { return text("average pool"); }
  Macs forward(const Signal& x, Record& y, const Pass&) const override {
    const Mat out = y.out.resize(x.rows(), outputs());
    parallel_for(x.rows(), [&](int b) {
      const real* const in = x.value().row(b);
      real* const sum = out.row(b);
      const int count = window_.channels;
      const real part = share();
      std::fill_n(sum, out.cols, real{0});
      for_each_pixel([&](int o, int i) {
#pragma omp simd
        for (int c = 0; c < count; ++c)
          sum[o + c] += part * in[i + c];
      });
    });
    return {};
  }
  Macs backward_input(const Signal& x, const Record&, const Signal& dy, Signal& dx, const Pass&,
                      const Descent&) const override {
    const Mat out = dx.resize(x.rows(), x.cols());
    parallel_for(x.rows(), [&](int b) {
      const real* const error = dy.value().row(b);
      real* const to = out.row(b);
      const int count = window_.channels;
      const real part = share();
      std::fill_n(to, out.cols, real{0});
      for_each_pixel([&](int o, int i) {
#pragma omp simd
        for (int c = 0; c < count; ++c)
          to[i + c] += part * error[o + c];
      });
    });
    return {};
  }

 private:
  real share() const {
    return real{1} / static_cast<real>(window_.kernel_h * window_.kernel_w);
  }
};

class GlobalAvgPool final : public AvgPool {
 public:
  GlobalAvgPool() : AvgPool(1, 1) {}
  std::string kind() const override { return "global_avg_pool"; }
  std::string describe() const override { return "average over all places"; }
  ImageShape bind(ImageShape in, const Place& place, ParamStore& store) override {
    window_.kernel_h = in.height, window_.kernel_w = in.width;
    return AvgPool::bind(in, place, store);
  }
};

}  // namespace

LayerPtr max_pool(int kernel, int stride, int pad) {
  return std::make_unique<MaxPool>(kernel, stride, pad);
}
LayerPtr avg_pool(int kernel, int stride, int pad) {
  return std::make_unique<AvgPool>(kernel, stride, pad);
}
LayerPtr global_avg_pool() {
  return std::make_unique<GlobalAvgPool>();
}

}  // namespace engram
