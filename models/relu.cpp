// max(0, x), times the gate of the example's task if there is one. Where it gives 0 it lets no
// error through, so it may say which units are active: a set that comes in is narrowed to the
// positive units, and one is begun when few enough are.
#include "models/begun_lists.h"
#include "models/layers.h"
#include "utils/elementwise.h"
#include "utils/error.h"
#include "utils/parallel.h"
#include "utils/scratch.h"

namespace engram {
namespace {

class Relu final : public Layer {
 public:
  std::string kind() const override { return "relu"; }
  std::string describe() const override { return "relu"; }
  bool is_activation() const override { return true; }
  Downward downward() const override { return Downward::Identity; }
  bool takes_gate() const override { return true; }
  double active_share(double inputs) const override { return inputs; }
  ImageShape bind(ImageShape in, const Place&, ParamStore&) override { return in; }

  Macs forward(const Signal& x, Record& y, const Pass& pass) const override {
    const CMat in = y.gate.empty() ? x.value() : gated(x.value(), y.gate, pass.tasks);
    if (x.active.known())
      narrow(in, x.active, x.active_share(), y.out);
    else
      begin_lists(
          in.rows, in.cols, y.out, [&](int b, real* to) { kernels::relu(row_of(in, b), to); },
          [&](int b, real* to, std::int32_t* units) {
            return kernels::relu_listed(row_of(in, b), to, units);
          });
    return {};
  }
  Macs backward_input(const Signal&, const Record& y, const Signal& dy, Signal& dx,
                      const Pass& pass, const Descent&) const override {
    const CMat value = y.out.value(), error = dy.value();
    if (y.out.active_share() < kFew) {
      const Mat out = dx.resize_sparse(dy.rows(), dy.cols());
      for (int b = 0; b < out.rows; ++b)
        for (const std::int32_t i : y.out.active.row(b))
          out.row(b)[i] = error.row(b)[i];
    } else {
      const Mat out = dx.resize(dy.rows(), dy.cols());
      for_runs(out.size(), [&](std::size_t begin, std::size_t count) {
        kernels::relu_backward({value.data + begin, count}, error.data + begin, out.data + begin);
      });
    }
    if (!y.gate.empty()) weigh(y, pass.tasks, dx);
    // Zero outside either set: the smaller one says more.
    const bool from_above = dy.active.known() && dy.active_share() <= y.out.active_share();
    if (dy.active.known() || y.out.active.known())
      dx.active = from_above ? dy.active : y.out.active;
    return {};
  }

 private:
  /// Below this share of active units they are visited one by one.
  static constexpr double kFew = 0.06;

  static std::span<const real> row_of(CMat m, int b) {
    return {m.row(b), static_cast<std::size_t>(m.cols)};
  }
  /// x times the gate [tasks, units] of each row's task, 0 where that is closed.
  static CMat gated(CMat x, std::span<const real> gate, std::span<const int> tasks) {
    thread_local Scratch memory;
    ENGRAM_INVARIANT(static_cast<int>(tasks.size()) == x.rows);
    const Mat out = memory.matrix(x.rows, x.cols);
    const auto cols = static_cast<std::size_t>(x.cols);
    for_row_tiles(x.rows, x.cols, 0, [&](int b) {
      const real* const open = gate.data() + static_cast<std::size_t>(tasks[b]) * cols;
      const real* const from = x.row(b);
      real* const to = out.row(b);
#pragma omp simd
      for (std::size_t i = 0; i < cols; ++i)
        to[i] = open[i] != 0 ? from[i] * open[i] : real{0};
    });
    return out;
  }

  /// dx <- dx times the gate of each row's task, where it is open only in part.
  static void weigh(const Record& y, std::span<const int> tasks, Signal& dx) {
    const Mat value = dx.value();
    const auto cols = static_cast<std::size_t>(value.cols);
    const bool few = y.out.active_share() < kFew;
    for_row_tiles(value.rows, value.cols, 0, [&](int b) {
      const real* const open = y.gate.data() + static_cast<std::size_t>(tasks[b]) * cols;
      real* const to = value.row(b);
      if (few) {
        for (const std::int32_t i : y.out.active.row(b))
          to[i] *= open[i];
        return;
      }
#pragma omp simd
      for (std::size_t i = 0; i < cols; ++i)
        to[i] *= open[i];
    });
  }

  static void narrow(CMat in, const ActiveSet& active, double share, Signal& y) {
    const bool few = share < kFew;
    const Mat out = few ? y.resize_sparse(in.rows, in.cols) : y.resize(in.rows, in.cols);
    y.active.begin(in.rows, in.cols);
    for_row_tiles(in.rows, in.cols, 0, [&](int b) {
      const real* const from = in.row(b);
      real* const to = out.row(b);
      if (!few) kernels::relu({from, static_cast<std::size_t>(in.cols)}, to);
      std::int32_t* const units = y.active.slots(b);
      int count = 0;
      for (const std::int32_t i : active.row(b)) {
        units[count] = i;
        count += from[i] > 0;
      }
      y.active.set_count(b, count);
      if (few)
        for (const std::int32_t i : y.active.row(b))
          to[i] = from[i];
    });
  }
};

}  // namespace

LayerPtr relu() {
  return std::make_unique<Relu>();
}

}  // namespace engram
