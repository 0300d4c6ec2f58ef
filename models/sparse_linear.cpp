// Fully connected layer whose missing weights are not stored. Where inputs (or errors) are few they
// are followed one by one; else products run across the batch, with the batch transposed so that
// one weight meets neighbouring examples.
#include <algorithm>

#include "models/sparse_synapses.h"
#include "utils/kernels.h"
#include "utils/parallel.h"
#include "utils/scratch.h"
#include "utils/sparse_kernels.h"

namespace engram {
namespace {

/// Of the calling thread; buffers only grow.
struct Room {
  SparseRows active;
  Scratch below, above;  ///< transposed signals
  std::vector<real> values, gradient;
};
Room& room() {
  thread_local Room instance;
  return instance;
}
Mat transposed(CMat x, Scratch& memory) {
  const Mat out = memory.matrix(x.cols, x.rows);
  kernels::transpose(x, out);
  return out;
}

/// A share of active units below which following them one by one is the cheaper way (measured:
/// tests/perf/products.cpp).
constexpr double kForward = 0.1, kBackward = 0.12, kAccumulate = 0.15;

class SparseLinear final : public Layer {
 public:
  SparseLinear(int outputs, const Synapses& synapses) : outputs_(outputs), w_(synapses) {}

  std::string kind() const override { return "linear"; }
  bool meets_once() const override { return true; }
  std::string describe() const override {
    return fmt::format("linear, {} weights per unit, stored sparse", w_.kept());
  }
  ImageShape bind(ImageShape in, const Place& place, ParamStore& store) override {
    w_.bind({outputs_, in.size(), outputs_}, place.name, store, place.active_share);
    return {1, 1, outputs_};
  }
  void init(Rng rng) override { w_.init(rng); }
  Downward downward() const override { return Downward::Weights; }
  const SparseSynapses* existing_synapses() const override { return &w_; }
  SparseSynapses* rewirable() override { return w_.rewirable() ? &w_ : nullptr; }
  void restored() override { w_.restored(); }
  void incoming(Signal& to) const override { w_.incoming(to); }

  Macs forward(const Signal& x, Record& y, const Pass&) const override {
    const Mat out = y.out.resize(x.rows(), outputs_);
    const double share = x.active_share();
    if (share < kForward) {
      follow_inputs(x, out);
      return macs(x, share);
    }
    const Mat xt = transposed(x.value(), room().below);
    const Mat yt = room().above.matrix(outputs_, x.rows());
    kernels::spmm(w_.valued(w_.by_output(), room().values), xt, nullptr, false, yt);
    kernels::transpose(yt, out);
    kernels::add_row(out, w_.bias().value());
    return macs(x, 1);
  }

  Macs backward_input(const Signal& x, const Record&, const Signal& dy, Signal& dx, const Pass&,
                      const Descent&) const override {
    const double share = x.active_share();
    const SparseView w = w_.valued(w_.by_input(), room().values);
    if (share < kBackward) {
      const Mat out = dx.resize_sparse(x.rows(), x.cols());
      dx.active = x.active;
      gather_errors(w, dy.value(), x.active, out);
      return macs(x, share);
    }
    const Mat out = dx.resize(x.rows(), x.cols());
    const Mat dyt = transposed(dy.value(), room().above);
    const Mat dxt = room().below.matrix(x.cols(), x.rows());
    kernels::spmm(w, dyt, nullptr, false, dxt);
    kernels::transpose(dxt, out);
    return macs(x, 1);
  }

  Macs accumulate(const Signal& pre, const Record&, const Signal& post,
                  const Pass&) const override {
    w_.bias().accumulate(post);
    auto& [active, below, above, values, gradient] = room();
    const double in = pre.active_share(), out = post.active_share();
    if (std::min(in, out) < kAccumulate) {
      const bool by_input = in <= out;
      const auto& view = by_input ? w_.by_input() : w_.by_output();
      const auto to = w_.open_gradient(view, gradient);
      if (by_input)
        active.assign_transposed(pre.value(), pre.active);
      else
        active.assign_transposed(post.value(), post.active);
      outer(active.view(), view, (by_input ? post : pre).value(), to);
      w_.close_gradient(view, gradient);
      return macs(pre, std::min(in, out));
    }
    const auto& view = w_.by_output();
    const auto to = w_.open_gradient(view, gradient);
    const Mat xt = transposed(pre.value(), below);
    const Mat dyt = transposed(post.value(), above);
    kernels::sddmm(dyt, xt, {view.begin.data(), view.index.data(), nullptr, outputs_}, !to.fresh,
                   to.value);
    w_.close_gradient(view, gradient);
    return macs(pre, 1);
  }

 private:
  Macs macs(const Signal& x, double share) const {
    return {share * x.rows() * static_cast<double>(w_.entries()),
            static_cast<double>(x.rows()) * x.cols() * outputs_};
  }

  /// y <- bias + the weights of the active inputs of each example.
  void follow_inputs(const Signal& x, Mat out) const {
    const SparseView w = w_.valued(w_.by_input(), room().values);
    const auto bias = w_.bias().value();
    constexpr int kRows = 4;
    parallel_for((out.rows + kRows - 1) / kRows, [&](int tile) {
      for (int b = tile * kRows; b < std::min(out.rows, (tile + 1) * kRows); ++b) {
        real* to = out.row(b);
        std::copy(bias.begin(), bias.end(), to);
        const real* in = x.value().row(b);
        for (const std::int32_t i : x.active.row(b)) {
          const real value = in[i];
          for (std::int32_t j = w.begin[i]; j < w.begin[i + 1]; ++j)
            to[w.index[j]] += value * w.value[j];
        }
      }
    });
  }

  /// dx[b][i] <- sum over the outputs of an active input i.
  static void gather_errors(const SparseView& w, CMat dy, const ActiveSet& active, Mat out) {
    constexpr int kRows = 4;
    parallel_for((out.rows + kRows - 1) / kRows, [&](int tile) {
      for (int b = tile * kRows; b < std::min(out.rows, (tile + 1) * kRows); ++b) {
        const real* error = dy.row(b);
        for (const std::int32_t i : active.row(b)) {
          real sum[4] = {0, 0, 0, 0};  // four chains, so that additions need not wait
          std::int32_t j = w.begin[i];
          for (; j + 4 <= w.begin[i + 1]; j += 4)
            for (int c = 0; c < 4; ++c)
              sum[c] += w.value[j + c] * error[w.index[j + c]];
          for (; j < w.begin[i + 1]; ++j)
            sum[0] += w.value[j] * error[w.index[j]];
          out.row(b)[i] = (sum[0] + sum[1]) + (sum[2] + sum[3]);
        }
      }
    });
  }

  /// gradient of the entries (r, index) of `view`: sum over the examples in which r is active of
  /// its value times the other side's.
  static void outer(const SparseView& active, const SparseSynapses::View& view, CMat other,
                    const SparseSynapses::OpenedView& to) {
    constexpr int kRows = 16;
    const int rows = active.rows;
    parallel_for((rows + kRows - 1) / kRows, [&](int tile) {
      for (int r = tile * kRows; r < std::min(rows, (tile + 1) * kRows); ++r) {
        const std::int32_t begin = view.begin[r], end = view.begin[r + 1];
        if (to.fresh) std::fill(to.value + begin, to.value + end, real{0});
        for (std::int32_t e = active.begin[r]; e < active.begin[r + 1]; ++e) {
          const real* row = other.row(active.index[e]);
          const real value = active.value[e];
          for (std::int32_t j = begin; j < end; ++j)
            to.value[j] += value * row[view.index[j]];
        }
      }
    });
  }

  int outputs_;
  SparseSynapses w_;
};

}  // namespace

LayerPtr sparse_linear(int outputs, const Synapses& synapses) {
  return std::make_unique<SparseLinear>(outputs, synapses);
}

}  // namespace engram
