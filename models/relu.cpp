// max(0, x). Where it gives 0 it lets no error through, so it may say which units are active: a
// set that comes in is narrowed to the positive units, and one is begun when few enough are.
#include <algorithm>

#include "models/layers.h"
#include "utils/elementwise.h"
#include "utils/error.h"
#include "utils/parallel.h"
#include "utils/scratch.h"

namespace engram {
namespace {

static_assert(ActiveSet::kSlack >= kernels::kListSlack);

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
      rectify(in, y.out);
    return {};
  }
  Macs backward_input(const Signal&, const Record& y, const Signal& dy, Signal& dx, const Pass&,
                      const Descent&) const override {
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
    // Zero outside either set: the smaller one says more.
    const bool from_above = dy.active.known() && dy.active_share() <= y.out.active_share();
    if (dy.active.known() || y.out.active.known())
      dx.active = from_above ? dy.active : y.out.active;
    return {};
  }

 private:
  /// Below this share of active units they are visited one by one.
  static constexpr double kFew = 0.06;
  static constexpr std::size_t kRun = 1 << 15;  ///< elements of a tile

  /// x where the gate [tasks, units] of each row's task is open, else 0.
  static CMat gated(CMat x, std::span<const real> gate, std::span<const int> tasks) {
    thread_local Scratch memory;
    ENGRAM_INVARIANT(static_cast<int>(tasks.size()) == x.rows);
    const Mat out = memory.matrix(x.rows, x.cols);
    const auto cols = static_cast<std::size_t>(x.cols);
    for_rows(x, 0, [&](int b) {
      const real* const open = gate.data() + static_cast<std::size_t>(tasks[b]) * cols;
      const real* const from = x.row(b);
      real* const to = out.row(b);
#pragma omp simd
      for (std::size_t i = 0; i < cols; ++i)
        to[i] = open[i] != 0 ? from[i] : real{0};
    });
    return out;
  }

  template <class Body>
  static void for_runs(std::size_t size, const Body& body) {
    parallel_for(static_cast<int>((size + kRun - 1) / kRun), [&](int run) {
      const std::size_t begin = static_cast<std::size_t>(run) * kRun;
      body(begin, std::min(kRun, size - begin));
    });
  }
  /// Calls body(row) for the rows from `first` on.
  template <class Body>
  static void for_rows(CMat m, int first, const Body& body) {
    const int step = std::max(1, static_cast<int>(kRun) / std::max(1, m.cols));
    parallel_for((m.rows - first + step - 1) / step, [&](int tile) {
      const int begin = first + tile * step;
      for (int b = begin; b < std::min(m.rows, begin + step); ++b)
        body(b);
    });
  }

  static void narrow(CMat in, const ActiveSet& active, double share, Signal& y) {
    const bool few = share < kFew;
    const Mat out = few ? y.resize_sparse(in.rows, in.cols) : y.resize(in.rows, in.cols);
    y.active.begin(in.rows, in.cols);
    for_rows(in, 0, [&](int b) {
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

  /// Lists are begun with some rows; the others follow if those had few active units.
  static void rectify(CMat in, Signal& y) {
    const Mat out = y.resize(in.rows, in.cols);
    const auto cols = static_cast<std::size_t>(in.cols);
    if (in.rows == 0) return;
    const int probe = std::max(1, in.rows / 16);
    y.active.begin(in.rows, in.cols);
    const auto listed = [&](int b) {
      y.active.set_count(b, kernels::relu_listed({in.row(b), cols}, out.row(b), y.active.slots(b)));
    };
    const auto too_many = [&](int rows) {
      return static_cast<double>(y.active.total()) > kListedShare * rows * in.cols;
    };
    for (int b = 0; b < probe; ++b)
      listed(b);
    if (too_many(probe)) {
      y.active.forget();
      for_rows(in, probe, [&](int b) { kernels::relu({in.row(b), cols}, out.row(b)); });
      return;
    }
    for_rows(in, probe, listed);
    if (too_many(in.rows)) y.active.forget();
  }
};

}  // namespace

LayerPtr relu() {
  return std::make_unique<Relu>();
}

}  // namespace engram
