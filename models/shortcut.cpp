// A shortcut without parameters between images of different sizes (option A of He et al. 2016):
// every stride-th place, the channels in the middle of the wider image, zeros around them.
#include <algorithm>

#include <fmt/format.h>

#include "models/layers.h"
#include "utils/error.h"
#include "utils/parallel.h"

namespace engram {
namespace {

class Shortcut final : public Layer {
 public:
  Shortcut(int channels, int stride) : channels_(channels), stride_(stride) {}
  std::string kind() const override { return "shortcut"; }
  std::string describe() const override {
    return fmt::format("every {}th place, channels padded with zeros", stride_);
  }
  ImageShape bind(ImageShape in, const Place& place, ParamStore&) override {
    if (channels_ < 1 || stride_ < 1)
      throw Error(Fault::Config, fmt::format("{}: {} channels with stride {}: both must be at "
                                             "least 1",
                                             place.name, channels_, stride_));
    in_ = in;
    out_ = {(in.height + stride_ - 1) / stride_, (in.width + stride_ - 1) / stride_, channels_};
    shift_ = (channels_ - in.channels) / 2;
    return out_;
  }

  Macs forward(const Signal& x, Record& y, const Pass&) const override {
    const Mat out = y.out.resize(x.rows(), out_.size());
    std::fill_n(out.data, out.size(), real{0});
    for_each_place(x.rows(), [&](int b, int above, int below) {
      std::copy_n(x.value().row(b) + below, shared(), out.row(b) + above);
    });
    return {};
  }
  Macs backward_input(const Signal& x, const Record&, const Signal& dy, Signal& dx, const Pass&,
                      const Descent&) const override {
    const Mat out = dx.resize(x.rows(), x.cols());
    std::fill_n(out.data, out.size(), real{0});
    for_each_place(x.rows(), [&](int b, int above, int below) {
      std::copy_n(dy.value().row(b) + above, shared(), out.row(b) + below);
    });
    return {};
  }

 private:
  int shared() const { return std::min(in_.channels, channels_); }
  /// Calls body(image, place above, place below): the first of the channels that both have.
  template <class Body>
  void for_each_place(int rows, const Body& body) const {
    parallel_for(rows, [&](int b) {
      for (int y = 0; y < out_.height; ++y)
        for (int x = 0; x < out_.width; ++x)
          body(b, (y * out_.width + x) * channels_ + std::max(0, shift_),
               (y * in_.width + x) * stride_ * in_.channels + std::max(0, -shift_));
    });
  }

  int channels_, stride_, shift_ = 0;  ///< shift: of a channel's number on the way up
  ImageShape in_, out_;
};

}  // namespace

LayerPtr shortcut(int channels, int stride) {
  return std::make_unique<Shortcut>(channels, stride);
}

}  // namespace engram
