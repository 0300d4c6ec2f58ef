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
    if (x.sparse())
      kernels::active_forward(x.value(), x.active, weight(), out);
    else
      kernels::gemm(false, true, 1, x.value(), weight(), 0, out);
    kernels::add_row(out, synapses_.bias());
    const double rows = x.sparse() ? static_cast<double>(x.active.total()) / x.cols() : x.rows();
    return {rows * weights(), x.rows() * weights()};
  }

  Macs backward_input(const Signal& x, const Record&, const Signal& dy, Signal& dx, const Pass&,
                      CMat feedback) const override {
    const Mat out = dx.resize(x.rows(), x.cols());
    const CMat w = feedback ? feedback : weight();
    const double dense = x.rows() * weights();
    if (!dy.sparse() && !x.sparse()) {
      kernels::gemm(false, false, 1, dy.value(), w, 0, out);
      return {dense, dense};
    }
    kernels::active_backward(dy.value(), sparse_or_all(dy), w, sparse_or_all(x), out);
    if (x.sparse()) dx.active = x.active;
    return {dense * share(dy) * share(x), dense};
  }

  Macs accumulate(const Signal& pre, const Record&, const Signal& post,
                  const Pass&) const override {
    const double dense = pre.rows() * weights();
    kernels::add_column_sums(post.value(), synapses_.bias_grad());
    if (post.sparse())
      for (int b = 0; b < post.rows(); ++b)
        for (const int unit : post.active.row(b)) synapses_.touch_row(unit);
    else
      synapses_.touch_all();
    if (!post.sparse() && !pre.sparse()) {
      kernels::gemm(true, false, 1, post.value(), pre.value(), 1, synapses_.weight_grad());
      return {dense, dense};
    }
    kernels::active_outer(post.value(), sparse_or_all(post), pre.value(), sparse_or_all(pre),
                          synapses_.weight_grad());
    return {dense * share(post) * share(pre), dense};
  }

  CMat weight() const override { return synapses_.weight(); }

 private:
  double weights() const { return static_cast<double>(weight().size()); }
  static double share(const Signal& s) {
    return s.sparse() ? static_cast<double>(s.active.total()) / (1.0 * s.rows() * s.cols()) : 1;
  }
  static const ActiveSet& sparse_or_all(const Signal& s) {
    static const ActiveSet all;
    return s.sparse() ? s.active : all;
  }

  int outputs_;
  SynapticMatrix synapses_;
};

}  // namespace

LayerPtr linear(int outputs, const Synapses& synapses) {
  return std::make_unique<Linear>(outputs, synapses);
}

}  // namespace engram
