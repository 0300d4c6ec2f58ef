// Batch normalisation per channel over batch and places (Ioffe & Szegedy 2015). Training uses the
// batch's own statistics and evaluation the running ones, whose variance is the unbiased estimate.
#include <cmath>

#include <fmt/format.h>

#include "models/layers.h"

namespace engram {
namespace {

class BatchNorm final : public Layer {
 public:
  BatchNorm(double momentum, double epsilon) : momentum_(momentum), epsilon_(epsilon) {}
  std::string kind() const override { return "batch_norm"; }
  std::string describe() const override {
    return fmt::format("batch norm, momentum {}", momentum_);
  }

  ImageShape bind(ImageShape in, const Place& place, ParamStore& store) override {
    store_ = &store, channels_ = in.channels;
    scale_ = store.add(place.name + ".scale", 1, channels_);
    shift_ = store.add(place.name + ".shift", 1, channels_);
    mean_ = store.add_state(place.name + ".mean", 1, channels_);
    variance_ = store.add_state(place.name + ".variance", 1, channels_);
    return in;
  }
  void init(Rng) override {
    for (real& s : store_->value(scale_).all())
      s = 1;
    for (real& v : store_->state(variance_).all())
      v = 1;
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
    for (std::size_t c = 0; c < c_count; ++c) {
      double m = CMat(store_->state(mean_)).data[c], v = CMat(store_->state(variance_)).data[c];
      if (pass.training) {
        m = v = 0;
        for (std::size_t i = c; i < in.size(); i += c_count)
          m += static_cast<double>(in.data[i]);
        m /= n;
        for (std::size_t i = c; i < in.size(); i += c_count)
          v += std::pow(in.data[i] - m, 2);
        v /= n;
      }
      mean[c] = static_cast<real>(m), variance[c] = static_cast<real>(v);
      inverse[c] = static_cast<real>(1 / std::sqrt(v + epsilon_));
    }
    const real* scale = store_->value(scale_).data;
    const real* shift = store_->value(shift_).data;
    for (std::size_t i = 0; i < in.size(); i += c_count)
      for (std::size_t c = 0; c < c_count; ++c)
        out.data[i + c] = (in.data[i + c] - mean[c]) * inverse[c] * scale[c] + shift[c];
    return {};
  }

  /// dx = scale / deviation * (dy - mean(dy) - xhat mean(dy xhat)) in training.
  Macs backward_input(const Signal& x, const Record& y, const Signal& dy, Signal& dx,
                      const Pass& pass, CMat) const override {
    const CMat in = x.value(), error = dy.value();
    const Mat out = dx.resize(dy.rows(), dy.cols());
    const auto c_count = static_cast<std::size_t>(channels_);
    const real* mean = y.saved.data();
    const real* inverse = mean + 2 * c_count;
    const double n = static_cast<double>(in.size()) / channels_;
    for (std::size_t c = 0; c < c_count; ++c) {
      double sum = 0, product = 0;
      if (pass.training)
        for (std::size_t i = c; i < in.size(); i += c_count) {
          sum += static_cast<double>(error.data[i]);
          product += static_cast<double>(error.data[i] * (in.data[i] - mean[c]) * inverse[c]);
        }
      const real s = static_cast<real>(sum / n), p = static_cast<real>(product / n);
      const real gain = store_->value(scale_).data[c] * inverse[c];
      for (std::size_t i = c; i < in.size(); i += c_count)
        out.data[i] = gain * (error.data[i] - s - (in.data[i] - mean[c]) * inverse[c] * p);
    }
    return {};
  }

  Macs accumulate(const Signal& pre, const Record& y, const Signal& post,
                  const Pass&) const override {
    const CMat in = pre.value(), error = post.value();
    const auto c_count = static_cast<std::size_t>(channels_);
    const real* mean = y.saved.data();
    const real* inverse = mean + 2 * c_count;
    real* dscale = store_->grad(scale_).data;
    real* dshift = store_->grad(shift_).data;
    for (std::size_t i = 0; i < in.size(); i += c_count)
      for (std::size_t c = 0; c < c_count; ++c) {
        dshift[c] += error.data[i + c];
        dscale[c] += error.data[i + c] * (in.data[i + c] - mean[c]) * inverse[c];
      }
    return {};
  }

  void observe(const Signal& x, const Record& y) override {
    const double n = static_cast<double>(x.value().size()) / channels_;
    const double unbiased = n > 1 ? n / (n - 1) : 1;
    real* mean = store_->state(mean_).data;
    real* variance = store_->state(variance_).data;
    for (int c = 0; c < channels_; ++c) {
      mean[c] += static_cast<real>(momentum_ * static_cast<double>(y.saved[c] - mean[c]));
      variance[c] +=
          static_cast<real>(momentum_ * (unbiased * static_cast<double>(y.saved[channels_ + c]) -
                                         static_cast<double>(variance[c])));
    }
  }

 private:
  double momentum_, epsilon_;
  ParamStore* store_ = nullptr;
  int channels_ = 0, scale_ = -1, shift_ = -1, mean_ = -1, variance_ = -1;
};

}  // namespace

LayerPtr batch_norm(double momentum, double epsilon) {
  return std::make_unique<BatchNorm>(momentum, epsilon);
}

}  // namespace engram
