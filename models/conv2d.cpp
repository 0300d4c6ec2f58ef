// Convolution as im2row and products: the same three verbs as a linear layer whose inputs are
// patches. Patches are built one image at a time, so memory stays small whatever the batch.
#include "models/synaptic.h"
#include "utils/kernels.h"
#include "utils/parallel.h"
#include "utils/tensor.h"

namespace engram {
namespace {

class Conv2d final : public Layer {
 public:
  Conv2d(int channels, int kernel, int stride, int pad, const Synapses& synapses)
      : channels_(channels), synapses_(synapses) {
    window_.kernel_h = window_.kernel_w = kernel, window_.stride = stride, window_.pad = pad;
  }

  std::string kind() const override { return "conv"; }
  std::string describe() const override {
    return fmt::format("conv {}x{}, stride {}, padding {}{}", window_.kernel_h, window_.kernel_w,
                       window_.stride, window_.pad, synapses_.density_text());
  }

  ImageShape bind(ImageShape in, const Place& place, ParamStore& store) override {
    window_.height = in.height, window_.width = in.width, window_.channels = in.channels;
    if (in.height + 2 * window_.pad < window_.kernel_h ||
        in.width + 2 * window_.pad < window_.kernel_w)
      throw Error(Fault::Config,
                  fmt::format("{}: a {}x{} kernel does not fit into {} pixels", place.name,
                              window_.kernel_h, window_.kernel_w, in.text()));
    synapses_.bind(channels_, window_.patch(), place.name, store);
    return {window_.out_h(), window_.out_w(), channels_};
  }
  void init(Rng rng) override { synapses_.init(rng); }

  Macs forward(const Signal& x, Record& y, const Pass&) const override {
    const Mat out = y.out.resize(x.rows(), places() * channels_);
    parallel_for(x.rows(), [&](int b) {
      const Mat patches = patch_memory();
      kernels::im2row(window_, x.value().row(b), patches.data);
      const Mat image{out.row(b), places(), channels_};
      kernels::gemm(false, false, 1, patches, weight(), 0, image);
      kernels::add_row(image, synapses_.bias());
    });
    return macs(x);
  }

  Macs backward_input(const Signal& x, const Record&, const Signal& dy, Signal& dx, const Pass&,
                      CMat feedback) const override {
    const Mat out = dx.resize(x.rows(), x.cols());
    std::fill(out.all().begin(), out.all().end(), real{0});
    parallel_for(x.rows(), [&](int b) {
      const Mat patches = patch_memory();
      kernels::gemm(false, true, 1, {dy.value().row(b), places(), channels_},
                    feedback ? feedback : weight(), 0, patches);
      kernels::row2im(window_, patches.data, out.row(b));
    });
    return macs(x);
  }

  Macs accumulate(const Signal& pre, const Record&, const Signal& post,
                  const Pass&) const override {
    const auto gradient = synapses_.open_gradient();
    for (int b = 0; b < pre.rows(); ++b) {  // in order: a sum must not depend on threads
      const Mat patches = patch_memory();
      kernels::im2row(window_, pre.value().row(b), patches.data);
      const CMat error{post.value().row(b), places(), channels_};
      kernels::gemm(true, false, 1, patches, error, gradient.fresh && b == 0 ? 0 : 1,
                    gradient.value);
      synapses_.bias_part().accumulate(error);
    }
    return macs(pre);
  }

  CMat weight() const override { return synapses_.weight(); }

 private:
  int places() const { return window_.out_h() * window_.out_w(); }
  Macs macs(const Signal& x) const {
    const double n = 1.0 * x.rows() * places() * window_.patch() * channels_;
    return {n, n};
  }
  /// Scratch for the patches of one image, kept per thread.
  Mat patch_memory() const {
    thread_local Tensor1 memory;
    const auto needed =
        static_cast<std::size_t>(places()) * static_cast<std::size_t>(window_.patch());
    if (memory.size() < needed) memory = Tensor1::from_shape({needed});
    return {memory.data(), places(), window_.patch()};
  }

  int channels_;
  kernels::Window window_;
  SynapticMatrix synapses_;
};

}  // namespace

LayerPtr conv2d(int channels, int kernel, int stride, int pad, const Synapses& synapses) {
  return std::make_unique<Conv2d>(channels, kernel, stride, pad, synapses);
}

}  // namespace engram
