// Images made larger by reflecting them in their borders, which are not repeated: 2 1 [0 1 2] 1 0.
#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "models/layers.h"
#include "utils/error.h"
#include "utils/parallel.h"

namespace engram {
namespace {

class ReflectPad final : public Layer {
 public:
  explicit ReflectPad(int pad) : pad_(pad) {
    if (pad < 0)
      throw Error(Fault::Config, fmt::format("reflection padding {}: must be at least 0", pad));
  }
  std::string kind() const override { return "reflect_pad"; }
  std::string describe() const override { return fmt::format("reflection padding {}", pad_); }
  ImageShape bind(ImageShape in, const Place& place, ParamStore&) override {
    if (pad_ >= in.height || pad_ >= in.width)
      throw Error(Fault::Config, fmt::format("{}: {} pixels have too few to reflect {}", place.name,
                                             in.text(), pad_));
    in_ = in;
    const ImageShape out{in.height + 2 * pad_, in.width + 2 * pad_, in.channels};
    source_.clear();
    for (int y = 0; y < out.height; ++y)
      for (int x = 0; x < out.width; ++x)
        source_.push_back(
            (reflected(y - pad_, in.height) * in.width + reflected(x - pad_, in.width)) *
            in.channels);
    return out;
  }

  Macs forward(const Signal& x, Record& y, const Pass&) const override {
    const Mat out = y.out.resize(x.rows(), outputs());
    parallel_for(x.rows(), [&](int b) {
      const real* const from = x.value().row(b);
      real* to = out.row(b);
      for (const int place : source_) {
        std::copy_n(from + place, in_.channels, to);
        to += in_.channels;
      }
    });
    return {};
  }
  /// dx of a place = the sum of dy over the places that show it.
  Macs backward_input(const Signal&, const Record&, const Signal& dy, Signal& dx, const Pass&,
                      const Descent&) const override {
    const Mat out = dx.resize(dy.rows(), in_.size());
    parallel_for(dy.rows(), [&](int b) {
      real* const to = out.row(b);
      const real* from = dy.value().row(b);
      const int count = in_.channels;
      std::fill_n(to, out.cols, real{0});
      for (const int place : source_) {
#pragma omp simd
        for (int c = 0; c < count; ++c)
          to[place + c] += from[c];
        from += count;
      }
    });
    return {};
  }

 private:
  static int reflected(int i, int size) {
    const int inside = i < 0 ? -i : i;
    return inside < size ? inside : 2 * (size - 1) - inside;
  }
  int outputs() const {
    return static_cast<int>(source_.size()) * in_.channels;
  }

  int pad_;
  ImageShape in_;
  std::vector<int> source_;  ///< of every place of the output: the first channel that it shows
};

}  // namespace

LayerPtr reflect_pad(int pad) {
  return std::make_unique<ReflectPad>(pad);
}

}  // namespace engram
