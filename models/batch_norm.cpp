// Batch normalisation per channel over batch and places (Ioffe & Szegedy 2015). Training uses the
// batch's own statistics and evaluation the running ones, whose variance is the unbiased estimate.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <fmt/format.h>

#include "models/checked_state.h"
#include "models/layers.h"
#include "utils/parallel.h"

namespace engram {
namespace {

class BatchNorm final : public Layer {
 public:
  explicit BatchNorm(const BatchNormOptions& options) : o_(options) {}
  std::string kind() const override { return "batch_norm"; }
  Downward downward() const override { return Downward::Identity; }
  std::string describe() const override {
    return fmt::format("batch norm{}, momentum {}", o_.affine ? "" : " without scale and shift",
                       o_.momentum);
  }

  ImageShape bind(ImageShape in, const Place& place, ParamStore& store) override {
    store_ = &store, channels_ = in.channels;
    if (o_.affine) {
      scale_ = store.add(place.name + ".scale", 1, channels_);
      shift_ = store.add(place.name + ".shift", 1, channels_);
    } else {
      ones_.assign(static_cast<std::size_t>(channels_), 1);
      zeros_.assign(static_cast<std::size_t>(channels_), 0);
    }
    mean_ = store.add_state(place.name + ".mean", 1, channels_);
    variance_ = store.add_state(place.name + ".variance", 1, channels_);
    return in;
  }
  void init(Rng) override {
    if (o_.affine)
      for (real& s : store_->value(scale_).all())
        s = 1;
    for (real& v : store_->state(variance_).all())
      v = 1;
  }

  void check_restored() const override {
    check_state(*store_, variance_, Numbers::Any, 0, std::numeric_limits<double>::infinity());
  }

  /// saved = mean[C], variance[C] of the batch (or the running ones), 1 / deviation [C].
  Macs forward(const Signal& x, Record& y, const Pass& pass) const override {
    const CMat in = x.value();
    const Mat out = y.out.resize(x.rows(), x.cols());
    const auto c_count = static_cast<std::size_t>(channels_);
    y.saved.assign(3 * c_count, 0);
    real* mean = y.saved.data();
    real* variance = mean + c_count;
    real* inverse = variance + c_count;
    const double n = static_cast<double>(in.size()) / channels_;
    std::vector<double>& moments = scratch().moments;
    moments.assign(2 * c_count, 0);
    double* const m = moments.data();
    double* const v = m + c_count;
    if (pass.training) {
      sum_pixels(in, m, [&](const real* pixel, std::size_t, double* sum) {
#pragma omp simd
        for (std::size_t c = 0; c < c_count; ++c)
          sum[c] += static_cast<double>(pixel[c]);
      });
      for (std::size_t c = 0; c < c_count; ++c)
        m[c] /= n;
      sum_pixels(in, v, [&](const real* pixel, std::size_t, double* sum) {
#pragma omp simd
        for (std::size_t c = 0; c < c_count; ++c) {
          const double d = static_cast<double>(pixel[c]) - m[c];
          sum[c] += d * d;
        }
      });
      for (std::size_t c = 0; c < c_count; ++c)
        v[c] /= n;
    } else {
      std::copy_n(CMat(store_->state(mean_)).data, c_count, m);
      std::copy_n(CMat(store_->state(variance_)).data, c_count, v);
    }
    for (std::size_t c = 0; c < c_count; ++c) {
      mean[c] = static_cast<real>(m[c]), variance[c] = static_cast<real>(v[c]);
      inverse[c] = static_cast<real>(1 / std::sqrt(v[c] + o_.epsilon));
    }
    const real* const scale = this->scale();
    const real* const shift = o_.affine ? store_->value(shift_).data : zeros_.data();
    for_pixels(in, [&](std::size_t i) {
      const real* const from = in.data + i;
      real* const to = out.data + i;
#pragma omp simd
      for (std::size_t c = 0; c < c_count; ++c)
        to[c] = (from[c] - mean[c]) * inverse[c] * scale[c] + shift[c];
    });
    return {};
  }

  /// dx = scale / deviation * (dy - mean(dy) - xhat mean(dy xhat)) in training.
  Macs backward_input(const Signal& x, const Record& y, const Signal& dy, Signal& dx,
                      const Pass& pass, const Descent&) const override {
    const CMat in = x.value(), error = dy.value();
    const Mat out = dx.resize(dy.rows(), dy.cols());
    const auto c_count = static_cast<std::size_t>(channels_);
    const real* const mean = y.saved.data();
    const real* const inverse = mean + 2 * c_count;
    const double n = static_cast<double>(in.size()) / channels_;
    auto& [moments, factors] = scratch();
    factors.assign(3 * c_count, 0);
    real* const s = factors.data();
    real* const p = s + c_count;
    real* const gain = p + c_count;
    if (pass.training) sum_errors(in, error, mean, inverse, moments);
    for (std::size_t c = 0; c < c_count; ++c) {
      if (pass.training)
        s[c] = static_cast<real>(moments[c] / n),
        p[c] = static_cast<real>(moments[c_count + c] / n);
      gain[c] = scale()[c] * inverse[c];
    }
    for_pixels(in, [&](std::size_t i) {
      const real* const from = in.data + i;
      const real* const above = error.data + i;
      real* const to = out.data + i;
#pragma omp simd
      for (std::size_t c = 0; c < c_count; ++c)
        to[c] = gain[c] * (above[c] - s[c] - (from[c] - mean[c]) * inverse[c] * p[c]);
    });
    return {};
  }

  Macs accumulate(const Signal& pre, const Record& y, const Signal& post,
                  const Pass&) const override {
    if (!o_.affine) return {};
    const auto c_count = static_cast<std::size_t>(channels_);
    const real* const mean = y.saved.data();
    std::vector<double>& moments = scratch().moments;
    sum_errors(pre.value(), post.value(), mean, mean + 2 * c_count, moments);
    real* const dscale = store_->grad(scale_).data;
    real* const dshift = store_->grad(shift_).data;
    for (std::size_t c = 0; c < c_count; ++c) {
      dshift[c] += static_cast<real>(moments[c]);
      dscale[c] += static_cast<real>(moments[c_count + c]);
    }
    return {};
  }

  void observe(const Signal& x, const Record& y) override {
    const double n = static_cast<double>(x.value().size()) / channels_;
    const double unbiased = n > 1 ? n / (n - 1) : 1;
    real* mean = store_->state(mean_).data;
    real* variance = store_->state(variance_).data;
    for (int c = 0; c < channels_; ++c) {
      mean[c] += static_cast<real>(o_.momentum * static_cast<double>(y.saved[c] - mean[c]));
      variance[c] +=
          static_cast<real>(o_.momentum * (unbiased * static_cast<double>(y.saved[channels_ + c]) -
                                           static_cast<double>(variance[c])));
    }
  }

 private:
  struct Scratch {
    std::vector<double> moments;
    std::vector<real> factors;
  };
  static Scratch& scratch() {
    thread_local Scratch instance;
    return instance;
  }
  /// Pixels are taken in blocks of so many numbers, which depends on nothing else.
  static constexpr std::size_t kBlock = 1 << 15;
  std::size_t block_pixels() const {
    return std::max<std::size_t>(1, kBlock / static_cast<std::size_t>(channels_));
  }

  /// Calls body(index of its first channel) for every pixel of all images, blocks in parallel.
  template <class Body>
  void for_pixels(CMat x, const Body& body) const {
    const auto c_count = static_cast<std::size_t>(channels_);
    const std::size_t step = block_pixels() * c_count;
    parallel_for(static_cast<int>((x.size() + step - 1) / step), [&](int block) {
      const std::size_t begin = static_cast<std::size_t>(block) * step;
      for (std::size_t i = begin; i < std::min(x.size(), begin + step); i += c_count)
        body(i);
    });
  }

  /// Sums over all pixels: body(pixel, its index, sum) adds one pixel to a sum of `width` numbers.
  /// Blocks have sums of their own, added in order: the same bits for any number of threads.
  template <class Body>
  void sum_pixels(CMat x, double* sum, const Body& body, std::size_t width = 0) const {
    thread_local std::vector<double> memory;
    const auto c_count = static_cast<std::size_t>(channels_);
    if (width == 0) width = c_count;
    const std::size_t step = block_pixels() * c_count, blocks = (x.size() + step - 1) / step;
    memory.assign(blocks * width, 0);
    double* const sums = memory.data();
    parallel_for(static_cast<int>(blocks), [&](int block) {
      const std::size_t begin = static_cast<std::size_t>(block) * step;
      for (std::size_t i = begin; i < std::min(x.size(), begin + step); i += c_count)
        body(x.data + i, i, sums + static_cast<std::size_t>(block) * width);
    });
    for (std::size_t b = 0; b < blocks; ++b)
      for (std::size_t c = 0; c < width; ++c)
        sum[c] += sums[b * width + c];
  }

  /// moments <- [sum of dy, sum of dy xhat] per channel.
  void sum_errors(CMat x, CMat dy, const real* mean, const real* inverse,
                  std::vector<double>& moments) const {
    const auto c_count = static_cast<std::size_t>(channels_);
    moments.assign(2 * c_count, 0);
    const auto add = [&](const real* pixel, std::size_t i, double* sum) {
      const real* const error = dy.data + i;
      double* const product = sum + c_count;
#pragma omp simd
      for (std::size_t c = 0; c < c_count; ++c) {
        sum[c] += static_cast<double>(error[c]);
        product[c] += static_cast<double>(error[c] * (pixel[c] - mean[c]) * inverse[c]);
      }
    };
    sum_pixels(x, moments.data(), add, 2 * c_count);
  }

  const real* scale() const {
    return o_.affine ? store_->value(scale_).data : ones_.data();
  }

  BatchNormOptions o_;
  ParamStore* store_ = nullptr;
  int channels_ = 0, scale_ = -1, shift_ = -1, mean_ = -1, variance_ = -1;
  std::vector<real> ones_, zeros_;  ///< in the place of scale and shift
};

}  // namespace

LayerPtr batch_norm(const BatchNormOptions& options) {
  return std::make_unique<BatchNorm>(options);
}

}  // namespace engram
