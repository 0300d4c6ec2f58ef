// Convolution whose channels come in groups that do not see each other. With as many groups as
// channels it is depth-wise: a pooling that learns, where its stride is above 1.
#include "models/conv_window.h"
#include "models/synaptic.h"
#include "utils/conv_grouped.h"

namespace engram {
namespace {

class GroupedConv2d final : public Layer {
 public:
  GroupedConv2d(int channels, int kernel, int stride, int pad, int groups, const Synapses& synapses)
      : channels_(channels), groups_(groups), synapses_(synapses) {
    window_.kernel_h = window_.kernel_w = kernel, window_.stride = stride, window_.pad = pad;
  }

  std::string kind() const override { return "grouped_conv"; }
  std::string describe() const override {
    return fmt::format("conv {}x{}, stride {}, padding {}, {} groups{}", window_.kernel_h,
                       window_.kernel_w, window_.stride, window_.pad, groups_,
                       synapses_.density_text());
  }

  ImageShape bind(ImageShape in, const Place& place, ParamStore& store) override {
    if (groups_ < 1 || in.channels % groups_ != 0 || channels_ % groups_ != 0)
      throw Error(Fault::Config,
                  fmt::format("{}: {} groups do not divide {} channels below and {} above",
                              place.name, groups_, in.channels, channels_));
    window_ = fitted(window_, in, place.name);
    // The network's error reaches groups by a value for each place only.
    FeedbackPlan plan = place.feedback ? *place.feedback : FeedbackPlan{};
    plan.convolutions = DirectMap::Dense;
    Place dense = place;
    if (place.feedback) dense.feedback = &plan;
    synapses_.bind_part(conv_fans(window_, channels_, groups_), in.size(),
                        SynapticMatrix::Form::Convolution, place.name, dense, store);
    return {window_.out_h(), window_.out_w(), channels_};
  }
  void init(Rng rng) override { synapses_.init(rng); }

  Macs forward(const Signal& x, Record& y, const Pass&) const override {
    kernels::grouped_forward(window_, groups_, x.value(), synapses_.weight(), synapses_.bias(),
                             y.out.resize(x.rows(), places() * channels_));
    return macs(x);
  }
  Macs backward_input(const Signal& x, const Record&, const Signal& dy, Signal& dx, const Pass&,
                      const Descent& descent) const override {
    const Mat out = dx.resize(x.rows(), x.cols());
    if (descent.path == Path::Direct) return synapses_.send_direct(*descent.output_error, out);
    kernels::grouped_backward(window_, groups_, dy.value(), synapses_.carrier(descent.path), out);
    return macs(x);
  }
  Macs accumulate(const Signal& pre, const Record&, const Signal& post,
                  const Pass&) const override {
    accumulate_bias(synapses_.bias_part(), post, channels_);
    const auto gradient = synapses_.open_gradient();
    kernels::grouped_gradient(window_, groups_, pre.value(), post.value(), !gradient.fresh,
                              gradient.value);
    return macs(pre);
  }

  std::vector<const SynapticMatrix*> synapses() const override { return {&synapses_}; }
  Downward downward() const override { return Downward::Weights; }

 private:
  int places() const { return window_.out_h() * window_.out_w(); }
  Macs macs(const Signal& x) const {
    const double n = 1.0 * x.rows() * places() * synapses_.fans().in * channels_;
    return {n, n};
  }

  int channels_, groups_;
  kernels::Window window_;
  SynapticMatrix synapses_;
};

}  // namespace

LayerPtr grouped_conv2d(int channels, int kernel, int stride, int pad, int groups,
                        const Synapses& synapses) {
  return std::make_unique<GroupedConv2d>(channels, kernel, stride, pad, groups, synapses);
}

}  // namespace engram
