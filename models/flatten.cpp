// An image as one flat row. Linear layers read images as they are, so models need this only where
// a layer must see features instead of channels.
#include "models/layers.h"

namespace engram {
namespace {

class Flatten final : public Layer {
 public:
  std::string kind() const override { return "flatten"; }
  std::string describe() const override { return "flatten"; }
  Downward downward() const override { return Downward::Identity; }
  double active_share(double inputs) const override { return inputs; }
  ImageShape bind(ImageShape in, const Place&, ParamStore&) override { return {1, 1, in.size()}; }

  Macs forward(const Signal& x, Record& y, const Pass&) const override {
    copy_signal(x, y.out);
    return {};
  }
  Macs backward_input(const Signal&, const Record&, const Signal& dy, Signal& dx, const Pass&,
                      const Descent&) const override {
    copy_signal(dy, dx);
    return {};
  }
};

}  // namespace

LayerPtr flatten() {
  return std::make_unique<Flatten>();
}

}  // namespace engram
