// Layer normalisation (Ba, Kiros & Hinton 2016): over the features of a row, or of an image over
// the channels at each place. The variance is the biased one. Several of them may have one scale
// and shift, as in D2BL: gradients of all then add up.
#include <cmath>

#include <fmt/format.h>

#include "models/begun_lists.h"
#include "models/layers.h"
#include "utils/error.h"
#include "utils/kernels.h"
#include "utils/scratch.h"

namespace engram {
namespace {

class LayerNorm final : public Layer {
 public:
  explicit LayerNorm(std::shared_ptr<NormSlices> shared)
      : slices_(shared ? std::move(shared) : std::make_shared<NormSlices>()) {}
  std::string kind() const override { return "layer_norm"; }
  Downward downward() const override { return Downward::Identity; }
  std::string describe() const override {
    return first_ ? "layer norm" : "layer norm, scale and shift as before";
  }
  ImageShape bind(ImageShape in, const Place& place, ParamStore& store) override {
    store_ = &store, channels_ = in.channels;
    first_ = slices_->scale < 0;
    if (first_) {
      slices_->scale = store.add(place.name + ".scale", 1, channels_);
      slices_->shift = store.add(place.name + ".shift", 1, channels_);
    } else if (store.param(slices_->scale).cols != channels_) {
      throw Error(Fault::Config,
                  fmt::format("{}: {} features cannot share the scale and shift of {}; use "
                              "layers of one width, or layer_norm_shared = no",
                              place.name, channels_, store.param(slices_->scale).cols));
    }
    return in;
  }
  void init(Rng) override {
    if (first_) kernels::fill(store_->value(slices_->scale).all(), 1);
  }

  /// saved = mean and 1 / deviation of every place.
  Macs forward(const Signal& x, Record& y, const Pass&) const override {
    const CMat in = x.value();
    const Mat out = y.out.resize(in.rows, in.cols);
    const auto n = static_cast<std::size_t>(channels_);
    y.saved.resize(2 * in.size() / n);
    const real* const scale = store_->value(slices_->scale).data;
    const real* const shift = store_->value(slices_->shift).data;
    for_places(in, [&](std::size_t place) {
      const real* const from = in.data + place * n;
      real* const to = out.data + place * n;
      double sum = 0, squares = 0;
      for (std::size_t c = 0; c < n; ++c)
        sum += static_cast<double>(from[c]);
      const double mean = sum / static_cast<double>(n);
      for (std::size_t c = 0; c < n; ++c) {
        const double d = static_cast<double>(from[c]) - mean;
        squares += d * d;
      }
      const auto m = static_cast<real>(mean);
      const auto inverse =
          static_cast<real>(1 / std::sqrt(squares / static_cast<double>(n) + kEpsilon));
      y.saved[2 * place] = m, y.saved[2 * place + 1] = inverse;
#pragma omp simd
      for (std::size_t c = 0; c < n; ++c)
        to[c] = (from[c] - m) * inverse * scale[c] + shift[c];
    });
    return {};
  }

  /// dx = (d - mean(d) - xhat mean(d xhat)) / deviation with d = dy scale.
  Macs backward_input(const Signal& x, const Record& y, const Signal& dy, Signal& dx, const Pass&,
                      const Descent&) const override {
    const CMat in = x.value(), error = dy.value();
    const Mat out = dx.resize(in.rows, in.cols);
    const auto n = static_cast<std::size_t>(channels_);
    const real* const scale = store_->value(slices_->scale).data;
    for_places(in, [&](std::size_t place) {
      const real *const from = in.data + place * n, *const above = error.data + place * n;
      real* const to = out.data + place * n;
      const real mean = y.saved[2 * place], inverse = y.saved[2 * place + 1];
      double sum = 0, product = 0;
      for (std::size_t c = 0; c < n; ++c) {
        const real d = above[c] * scale[c];
        sum += static_cast<double>(d);
        product += static_cast<double>(d * (from[c] - mean) * inverse);
      }
      const auto s = static_cast<real>(sum / static_cast<double>(n));
      const auto p = static_cast<real>(product / static_cast<double>(n));
#pragma omp simd
      for (std::size_t c = 0; c < n; ++c)
        to[c] = inverse * (above[c] * scale[c] - s - (from[c] - mean) * inverse * p);
    });
    return {};
  }

  Macs accumulate(const Signal& pre, const Record& y, const Signal& post,
                  const Pass&) const override {
    thread_local Scratch memory;
    const CMat in = pre.value(), error = post.value();
    const auto n = static_cast<std::size_t>(channels_);
    const int places = static_cast<int>(in.size() / n);
    const Mat products = memory.matrix(places, channels_);
    for_places(in, [&](std::size_t place) {
      const real *const from = in.data + place * n, *const above = error.data + place * n;
      real* const to = products.data + place * n;
      const real mean = y.saved[2 * place], inverse = y.saved[2 * place + 1];
#pragma omp simd
      for (std::size_t c = 0; c < n; ++c)
        to[c] = above[c] * (from[c] - mean) * inverse;
    });
    kernels::add_column_sums(products, store_->grad(slices_->scale).all());
    kernels::add_column_sums({error.data, places, channels_}, store_->grad(slices_->shift).all());
    return {};
  }

 private:
  static constexpr double kEpsilon = 1e-5;  ///< PyTorch's
  /// Calls body(place) for every place of all images.
  template <class Body>
  void for_places(CMat m, const Body& body) const {
    const int per_row = m.cols / channels_;
    for_row_tiles(m.rows, m.cols, 0, [&](int b) {
      for (int i = 0; i < per_row; ++i)
        body(static_cast<std::size_t>(b) * static_cast<std::size_t>(per_row) +
             static_cast<std::size_t>(i));
    });
  }

  std::shared_ptr<NormSlices> slices_;
  ParamStore* store_ = nullptr;
  int channels_ = 1;
  bool first_ = true;
};

}  // namespace

LayerPtr layer_norm(std::shared_ptr<NormSlices> shared) {
  return std::make_unique<LayerNorm>(std::move(shared));
}

}  // namespace engram
