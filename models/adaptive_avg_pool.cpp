// Averages that bring an image of any size to a given one, channels included. Output i of m along
// an axis of N is the mean over [floor(i N / m), ceil((i + 1) N / m)): such bins overlap where m
// does not divide N.
#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "models/layers.h"
#include "utils/error.h"
#include "utils/parallel.h"

namespace engram {
namespace {

using Bins = std::vector<std::pair<int, int>>;  ///< [begin, end) along an axis, per output

Bins bins(int inputs, int outputs) {
  Bins all;
  for (std::int64_t i = 0; i < outputs; ++i)
    all.emplace_back(static_cast<int>(i * inputs / outputs),
                     static_cast<int>(((i + 1) * inputs + outputs - 1) / outputs));
  return all;
}

class AdaptiveAvgPool final : public Layer {
 public:
  AdaptiveAvgPool(int height, int width, int channels) : out_{height, width, channels} {
    if (height < 1 || width < 1 || channels < 0)
      throw Error(
          Fault::Config,
          fmt::format("averages of {} x {} places and {} channels: sizes must be at least 1",
                      height, width, channels));
  }
  std::string kind() const override { return "adaptive_avg_pool"; }
  std::string describe() const override { return "average to " + out_.text(); }

  ImageShape bind(ImageShape in, const Place&, ParamStore&) override {
    if (out_.channels == 0) out_.channels = in.channels;
    in_ = in;
    rows_ = bins(in.height, out_.height), cols_ = bins(in.width, out_.width);
    channels_ = bins(in.channels, out_.channels);
    return out_;
  }

  Macs forward(const Signal& x, Record& y, const Pass&) const override {
    const Mat out = y.out.resize(x.rows(), out_.size());
    parallel_for(x.rows(), [&](int b) {
      const real* const in = x.value().row(b);
      real* const to = out.row(b);
      std::fill_n(to, out.cols, real{0});
      for_each_pixel([&](int cell, int pixel, real part) {
        for (int c = 0; c < out_.channels; ++c) {
          const auto [begin, end] = channels_[static_cast<std::size_t>(c)];
          real sum = 0;
          for (int i = begin; i < end; ++i)
            sum += in[pixel + i];
          to[cell + c] += part / static_cast<real>(end - begin) * sum;
        }
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
      std::fill_n(to, out.cols, real{0});
      for_each_pixel([&](int cell, int pixel, real part) {
        for (int c = 0; c < out_.channels; ++c) {
          const auto [begin, end] = channels_[static_cast<std::size_t>(c)];
          const real share = part / static_cast<real>(end - begin) * error[cell + c];
          for (int i = begin; i < end; ++i)
            to[pixel + i] += share;
        }
      });
    });
    return {};
  }

 private:
  /// Calls body(first channel of the output place, that of the input place, 1 / places in the bin)
  /// for every place of every bin.
  template <class Body>
  void for_each_pixel(const Body& body) const {
    int cell = 0;
    for (const auto& [top, bottom] : rows_)
      for (const auto& [left, right] : cols_) {
        const real part = real{1} / static_cast<real>((bottom - top) * (right - left));
        for (int y = top; y < bottom; ++y)
          for (int x = left; x < right; ++x)
            body(cell, (y * in_.width + x) * in_.channels, part);
        cell += out_.channels;
      }
  }

  ImageShape in_, out_;
  Bins rows_, cols_, channels_;
};

}  // namespace

LayerPtr adaptive_avg_pool(int height, int width, int channels) {
  return std::make_unique<AdaptiveAvgPool>(height, width, channels);
}

}  // namespace engram
