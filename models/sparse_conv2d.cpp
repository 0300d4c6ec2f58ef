// Convolution whose missing weights are not stored. Image by image the patches are laid out
// transposed, [patch, places], so that one weight meets neighbouring places: the same two products
// as in a sparse linear layer, with places where that has examples.
#include <algorithm>

#include "models/conv_window.h"
#include "models/sparse_synapses.h"
#include "utils/kernels.h"
#include "utils/parallel.h"
#include "utils/scratch.h"
#include "utils/sparse_kernels.h"

namespace engram {
namespace {

/// Of the calling thread.
struct Transposed {
  Scratch patches, channels;
};
Transposed& transposed() {
  thread_local Transposed instance;
  return instance;
}

class SparseConv2d final : public Layer {
 public:
  SparseConv2d(int channels, int kernel, int stride, int pad, const Synapses& synapses)
      : channels_(channels), w_(synapses) {
    window_.kernel_h = window_.kernel_w = kernel, window_.stride = stride, window_.pad = pad;
  }

  std::string kind() const override { return "conv"; }
  std::string describe() const override {
    return fmt::format("conv {}x{}, stride {}, padding {}, {} weights per unit, stored sparse",
                       window_.kernel_h, window_.kernel_w, window_.stride, window_.pad, w_.kept());
  }
  ImageShape bind(ImageShape in, const Place& place, ParamStore& store) override {
    window_ = fitted(window_, in, place.name);
    w_.bind(conv_fans(window_, channels_), place.name, store, 1);
    return {window_.out_h(), window_.out_w(), channels_};
  }
  void init(Rng rng) override { w_.init(rng); }
  Downward downward() const override { return Downward::Weights; }
  const SparseSynapses* existing_synapses() const override { return &w_; }
  void incoming(Signal& to) const override { w_.incoming(to); }

  Macs forward(const Signal& x, Record& y, const Pass&) const override {
    const Mat out = y.out.resize(x.rows(), places() * channels_);
    const SparseView w = w_.valued(w_.by_output(), values_of_caller());
    const auto bias = w_.bias().value();
    parallel_for(x.rows(), [&](int b) {
      const Mat patches = patches_of(x.value().row(b));
      const Mat yt = transposed().channels.matrix(channels_, places());
      kernels::spmm(w, patches, nullptr, false, yt);
      const Mat image{out.row(b), places(), channels_};
      kernels::transpose(yt, image);
      kernels::add_row(image, bias);
    });
    return macs(x);
  }

  Macs backward_input(const Signal& x, const Record&, const Signal& dy, Signal& dx, const Pass&,
                      const Descent&) const override {
    const Mat out = dx.resize(x.rows(), x.cols());
    const SparseView w = w_.valued(w_.by_input(), values_of_caller());
    parallel_for(x.rows(), [&](int b) {
      const Mat errors = channels_of(dy.value().row(b));
      const Mat patches = transposed().patches.matrix(window_.patch(), places());
      kernels::spmm(w, errors, nullptr, false, patches);
      gather_back(patches, out.row(b));
    });
    return macs(x);
  }

  Macs accumulate(const Signal& pre, const Record&, const Signal& post,
                  const Pass&) const override {
    w_.bias().accumulate(CMat(post.value().data, post.rows() * places(), channels_));
    thread_local std::vector<real> gradient;
    const auto& view = w_.by_output();
    const auto to = w_.open_gradient(view, gradient);
    const SparseView pattern{view.begin.data(), view.index.data(), nullptr, channels_};
    for (int b = 0; b < pre.rows(); ++b)  // in order: a sum must not depend on threads
      kernels::sddmm(channels_of(post.value().row(b)), patches_of(pre.value().row(b)), pattern,
                     !(to.fresh && b == 0), to.value);
    w_.close_gradient(view, gradient);
    return macs(pre);
  }

 private:
  int places() const { return window_.out_h() * window_.out_w(); }
  Macs macs(const Signal& x) const {
    const double n = 1.0 * x.rows() * places();
    return {n * static_cast<double>(w_.entries()), n * window_.patch() * channels_};
  }
  static std::vector<real>& values_of_caller() {
    thread_local std::vector<real> values;
    return values;
  }

  /// The errors of an image, transposed: [channels, places].
  Mat channels_of(const real* image) const {
    const Mat out = transposed().channels.matrix(channels_, places());
    kernels::transpose({image, places(), channels_}, out);
    return out;
  }

  /// Calls body(row of the patches, first place, first pixel, stride in pixels, how many) for every
  /// run of places whose pixel for that row lies in the image.
  template <class Body>
  void for_each_run(Body body) const {
    const int c_count = window_.channels, width = window_.width;
    int row = 0;
    for (int ky = 0; ky < window_.kernel_h; ++ky)
      for (int kx = 0; kx < window_.kernel_w; ++kx)
        for (int c = 0; c < c_count; ++c, ++row)
          for (int oy = 0; oy < window_.out_h(); ++oy) {
            const int y = oy * window_.stride - window_.pad + ky;
            if (y < 0 || y >= window_.height) continue;
            const int left = kx - window_.pad;  // the pixel of place 0
            const int first = left >= 0 ? 0 : (-left + window_.stride - 1) / window_.stride;
            const int last =
                std::min(window_.out_w(), (width - left + window_.stride - 1) / window_.stride);
            if (first < last)
              body(row, oy * window_.out_w() + first,
                   (y * width + left + first * window_.stride) * c_count + c,
                   window_.stride * c_count, last - first);
          }
  }

  /// The patches of an image, transposed: [patch, places], zero outside the image.
  Mat patches_of(const real* image) const {
    const Mat out = transposed().patches.matrix(window_.patch(), places());
    if (window_.pad > 0) std::fill_n(out.data, out.size(), real{0});
    for_each_run([&](int row, int place, int pixel, int step, int count) {
      real* to = out.row(row) + place;
      for (int i = 0; i < count; ++i)
        to[i] = image[pixel + i * step];
    });
    return out;
  }
  /// image <- what the patches give back: the adjoint of patches_of.
  void gather_back(CMat patches, real* image) const {
    std::fill_n(image, window_.height * window_.width * window_.channels, real{0});
    for_each_run([&](int row, int place, int pixel, int step, int count) {
      const real* from = patches.row(row) + place;
      for (int i = 0; i < count; ++i)
        image[pixel + i * step] += from[i];
    });
  }

  int channels_;
  kernels::Window window_;
  SparseSynapses w_;
};

}  // namespace

LayerPtr sparse_conv2d(int channels, int kernel, int stride, int pad, const Synapses& synapses) {
  return std::make_unique<SparseConv2d>(channels, kernel, stride, pad, synapses);
}

}  // namespace engram
