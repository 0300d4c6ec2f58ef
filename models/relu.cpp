// max(0, x). Keeps an active set that comes in, from either side.
#include "models/layers.h"
#include "utils/kernels.h"
#include "utils/parallel.h"

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
    if (dy.active.known()) {  // errors of few units: those alone
      const Mat few = dx.resize_sparse(dy.rows(), dy.cols());
      dx.active = dy.active;
      parallel_for(few.rows, [&](int b) {
        for (const std::int32_t unit : dy.active.row(b))
          few.row(b)[unit] = y.out.value().row(b)[unit] > 0 ? dy.value().row(b)[unit] : real{0};
      });
      return {};
    }
    const Mat out = dx.resize(dy.rows(), dy.cols());
    kernels::relu_backward(y.out.value().all(), dy.value().data, out.data);
    if (y.out.active.known()) dx.active = y.out.active;
    return {};
  }
};

}  // namespace

LayerPtr relu() {
  return std::make_unique<Relu>();
}

}  // namespace engram
