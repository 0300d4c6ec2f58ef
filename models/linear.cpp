// Fully connected layer. Follows active sets on both sides: winners below are read alone, and
// only the weight rows of winners above receive a gradient.
#include "models/synaptic.h"
#include "utils/kernels.h"
#include "utils/sparse_kernels.h"

namespace engram {
namespace {

class Linear final : public Layer {
 public:
  Linear(int outputs, const Synapses& synapses) : outputs_(outputs), synapses_(synapses) {}

  std::string kind() const override { return "linear"; }
  std::string describe() const override { return "linear" + synapses_.density_text(); }

  ImageShape bind(ImageShape in, const Place& place, ParamStore& store) override {
    synapses_.bind(outputs_, in.size(), place.name, store);
    return {1, 1, outputs_};
  }
  void init(Rng rng) override { synapses_.init(rng); }

  Macs forward(const Signal& x, Record& y, const Pass&) const override {
    const Mat out = y.out.resize(x.rows(), outputs_);
    const double dense = x.rows() * weights();
    const bool follow = pays(x.active_share(), Access::Scattered);
    if (follow)
      kernels::active_forward(x.value(), x.active, weight(), out);
    else
      kernels::gemm(false, true, 1, x.value(), weight(), 0, out);
    kernels::add_row(out, synapses_.bias());
    return {follow ? dense * x.active_share() : dense, dense};
  }

  Macs backward_input(const Signal& x, const Record&, const Signal& dy, Signal& dx, const Pass&,
                      CMat feedback) const override {
    const Mat out = dx.resize(x.rows(), x.cols());
    const CMat w = feedback ? feedback : weight();
    const double dense = x.rows() * weights(), share = dy.active_share() * x.active_share();
    if (!pays(share, access(x))) {
      kernels::gemm(false, false, 1, dy.value(), w, 0, out);
      return {dense, dense};
    }
    kernels::active_backward(dy.value(), dy.active, w, x.active, out);
    if (x.active.known()) dx.active = x.active;
    return {dense * share, dense};
  }

  Macs accumulate(const Signal& pre, const Record&, const Signal& post,
                  const Pass&) const override {
    const double dense = pre.rows() * weights(), share = post.active_share() * pre.active_share();
    kernels::add_column_sums(post.value(), synapses_.bias_grad());
    if (!pays(share, access(pre))) {
      synapses_.touch_all();
      kernels::gemm(true, false, 1, post.value(), pre.value(), 1, synapses_.weight_grad());
      return {dense, dense};
    }
    if (post.active.known())
      for (int b = 0; b < post.rows(); ++b)
        for (const int unit : post.active.row(b))
          synapses_.touch_row(unit);
    else
      synapses_.touch_all();
    kernels::active_outer(post.value(), post.active, pre.value(), pre.active,
                          synapses_.weight_grad());
    return {dense * share, dense};
  }

  CMat weight() const override { return synapses_.weight(); }

 private:
  double weights() const { return static_cast<double>(weight().size()); }

  /// How a product that follows active sets walks over the weights.
  enum class Access { Scattered, WholeRows };
  static Access access(const Signal& inputs) {
    return inputs.active.known() ? Access::Scattered : Access::WholeRows;
  }
  /// Whether following active sets beats the dense product that does every multiply-add: measured,
  /// a scattered one costs about 50 times as much as one inside a matrix product, and one in a
  /// whole row about 8 times.
  static bool pays(double share, Access access) {
    return share * (access == Access::Scattered ? 64 : 10) < 1;
  }

  int outputs_;
  SynapticMatrix synapses_;
};

}  // namespace

LayerPtr linear(int outputs, const Synapses& synapses) {
  return std::make_unique<Linear>(outputs, synapses);
}

}  // namespace engram
