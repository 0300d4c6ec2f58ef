// An image as one flat row. Linear layers read images as they are, so models need this only where
// a layer must see features instead of channels.
#include <algorithm>

#include "models/layers.h"

namespace engram {
namespace {

class Flatten final : public Layer {
 public:
  std::string kind() const override { return "flatten"; }
  std::string describe() const override { return "flatten"; }
  double active_share(double inputs) const override { return inputs; }
  ImageShape bind(ImageShape in, const Place&, ParamStore&) override { return {1, 1, in.size()}; }

  Macs forward(const Signal& x, Record& y, const Pass&) const override {
    copy(x, y.out);
    return {};
  }
  Macs backward_input(const Signal&, const Record&, const Signal& dy, Signal& dx, const Pass&,
                      const Descent&) const override {
    copy(dy, dx);
    return {};
  }

 private:
  static void copy(const Signal& from, Signal& to) {
    std::copy_n(from.value().data, from.value().size(), to.resize(from.rows(), from.cols()).data);
    if (from.active.known()) to.active = from.active;
  }
};

}  // namespace

LayerPtr flatten() {
  return std::make_unique<Flatten>();
}

}  // namespace engram
