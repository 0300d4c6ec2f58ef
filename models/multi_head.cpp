// One linear classifier per task; every example is read by the head of its own task. Heads that no
// current example uses are frozen: neither momentum nor decay moves them.
#include <algorithm>

#include "models/synaptic.h"
#include "utils/kernels.h"

namespace engram {
namespace {

class MultiHead final : public Layer {
 public:
  MultiHead(int heads, int outputs, bool frozen_new_heads, const Synapses& synapses)
      : outputs_(outputs),
        frozen_new_heads_(frozen_new_heads),
        heads_(static_cast<std::size_t>(heads), SynapticMatrix(synapses)) {}

  std::string kind() const override { return "head"; }
  bool meets_once() const override { return true; }
  bool reads_task() const override { return true; }
  std::string describe() const override {
    return fmt::format("{} heads, one per task{}", heads_.size(), heads_.front().density_text());
  }

  ImageShape bind(ImageShape in, const Place& place, ParamStore& store) override {
    for (std::size_t h = 0; h < heads_.size(); ++h)
      heads_[h].bind_part({outputs_, in.size(), outputs_}, in.size(), SynapticMatrix::Form::Linear,
                          fmt::format("{}.task{}", place.name, h), place, store);
    return {1, 1, outputs_};
  }
  void init(Rng rng) override {
    for (std::size_t h = 0; h < heads_.size(); ++h)
      heads_[h].init(rng.fork("head", h));
  }
  void begin_experience(std::span<const int> tasks) override {
    for (std::size_t h = 0; h < heads_.size(); ++h) {
      const bool wanted = std::find(tasks.begin(), tasks.end(), static_cast<int>(h)) != tasks.end();
      heads_[h].set_trainable(wanted && !(frozen_new_heads_ && h > 0));
    }
  }

  Macs forward(const Signal& x, Record& y, const Pass& pass) const override {
    const Mat out = y.out.resize(x.rows(), outputs_);
    for_each_run(pass, x.rows(), [&](const SynapticMatrix& head, int begin, int count) {
      const Mat rows = part(out, begin, count);
      kernels::gemm(false, false, 1, part(x.value(), begin, count), head.weight(), 0, rows,
                    head.bias().data());
    });
    return macs(x);
  }

  Macs backward_input(const Signal& x, const Record&, const Signal& dy, Signal& dx,
                      const Pass& pass, const Descent& descent) const override {
    const Mat out = dx.resize(x.rows(), x.cols());
    const Signal& error = carried(dy, descent);
    for_each_run(pass, x.rows(), [&](const SynapticMatrix& head, int begin, int count) {
      kernels::gemm(false, true, 1, part(error.value(), begin, count), head.carrier(descent.path),
                    0, part(out, begin, count));
    });
    return macs(x);
  }

  Macs accumulate(const Signal& pre, const Record&, const Signal& post,
                  const Pass& pass) const override {
    for_each_run(pass, pre.rows(), [&](const SynapticMatrix& head, int begin, int count) {
      const CMat error = part(post.value(), begin, count);
      const auto gradient = head.open_gradient();
      kernels::gemm(true, false, 1, part(pre.value(), begin, count), error, gradient.fresh ? 0 : 1,
                    gradient.value);
      head.bias_part().accumulate(error);
    });
    return macs(pre);
  }

  std::vector<const SynapticMatrix*> synapses() const override {
    std::vector<const SynapticMatrix*> all;
    for (const SynapticMatrix& head : heads_)
      all.push_back(&head);
    return all;
  }

 private:
  /// Consecutive rows of one task are one product: batches of one task cost a single one.
  template <class Body>
  void for_each_run(const Pass& pass, int rows, Body body) const {
    ENGRAM_INVARIANT(static_cast<int>(pass.tasks.size()) == rows);
    for (int begin = 0, end; begin < rows; begin = end) {
      const int task = pass.tasks[static_cast<std::size_t>(begin)];
      for (end = begin + 1; end < rows && pass.tasks[static_cast<std::size_t>(end)] == task;)
        ++end;
      body(heads_.at(static_cast<std::size_t>(task)), begin, end - begin);
    }
  }
  static Mat part(Mat m, int begin, int count) { return {m.row(begin), count, m.cols}; }
  static CMat part(CMat m, int begin, int count) { return {m.row(begin), count, m.cols}; }
  Macs macs(const Signal& x) const {
    const double n = 1.0 * x.rows() * x.cols() * outputs_;
    return {n, n};
  }

  int outputs_;
  bool frozen_new_heads_;
  std::vector<SynapticMatrix> heads_;
};

}  // namespace

LayerPtr multi_head(int heads, int outputs, bool frozen_new_heads, const Synapses& synapses) {
  return std::make_unique<MultiHead>(heads, outputs, frozen_new_heads, synapses);
}

}  // namespace engram
