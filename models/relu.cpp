// max(0, x). Keeps an active set that comes in, from either side.
#include "models/layers.h"
#include "utils/kernels.h"

namespace engram {
namespace {

class Relu final : public Layer {
 public:
  std::string kind() const override { return "relu"; }
  std::string describe() const override { return "relu"; }
  bool is_activation() const override { return true; }
  double active_share(double inputs) const override { return inputs; }
  ImageShape bind(ImageShape in, const Place&, ParamStore&) override { return in; }

  Macs forward(const Signal& x, Record& y, const Pass&) const override {
    kernels::relu(x.value().all(), y.out.resize(x.rows(), x.cols()).data);
    if (x.active.known()) y.out.active = x.active;
    return {};
  }
  Macs backward_input(const Signal&, const Record& y, const Signal& dy, Signal& dx, const Pass&,
                      CMat) const override {
    const Mat out = dx.resize(dy.rows(), dy.cols());
    kernels::relu_backward(y.out.value().all(), dy.value().data, out.data);
    if (dy.active.known() || y.out.active.known())
      dx.active = dy.active.known() ? dy.active : y.out.active;
    return {};
  }
};

}  // namespace

LayerPtr relu() {
  return std::make_unique<Relu>();
}

}  // namespace engram
