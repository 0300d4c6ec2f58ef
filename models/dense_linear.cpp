// Fully connected layer on dense weights, perhaps masked. Follows active sets on both sides: what
// is multiplied is chosen call by call from the shares of active inputs and errors
// (kernels::..._time).
#include <algorithm>

#include "models/synaptic.h"
#include "utils/kernels.h"
#include "utils/parallel.h"
#include "utils/product_times.h"
#include "utils/sparse_kernels.h"

namespace engram {
namespace {

using kernels::scattered_time, kernels::sddmm_time, kernels::spmm_time;

/// Scratch of the calling thread; buffers only grow.
struct Scratch {
  SparseRows sparse;
  GradientBlock block;
  std::vector<std::int32_t> units, place;
};
Scratch& scratch() {
  thread_local Scratch instance;
  return instance;
}

class Linear final : public Layer {
 public:
  Linear(int outputs, const Synapses& synapses) : outputs_(outputs), synapses_(synapses) {}

  std::string kind() const override { return "linear"; }
  bool meets_once() const override { return true; }
  std::string describe() const override { return "linear" + synapses_.density_text(); }

  ImageShape bind(ImageShape in, const Place& place, ParamStore& store) override {
    synapses_.bind(outputs_, in.size(), place, store);
    return {1, 1, outputs_};
  }
  void init(Rng rng) override { synapses_.init(rng); }

  Macs forward(const Signal& x, Record& y, const Pass&) const override {
    const Mat out = y.out.resize(x.rows(), outputs_);
    const double dense = macs(x), share = x.active_share();
    const bool lazy = synapses_.lazy() && x.active.known();
    const auto [w, scale] = lazy ? ParamStore::Scaled{weights_of(x), nullptr} : synapses_.scaled();
    const real* const bias = synapses_.bias().data();
    if (spmm_time(share) < 1) {
      SparseRows& sparse = scratch().sparse;
      sparse.assign(x.value(), x.active);
      kernels::spmm(sparse.view(), w, bias, false, out, scale);
      return {dense * share, dense};
    }
    kernels::gemm(false, false, 1, x.value(), w, 0, out, scale ? nullptr : bias);
    if (scale) kernels::scale_columns(out, scale, bias);
    return {dense, dense};
  }

  Macs backward_input(const Signal& x, const Record&, const Signal& error, Signal& dx, const Pass&,
                      const Descent& descent) const override {
    const Signal& dy = carried(error, descent);
    const double dense = 1.0 * x.rows() * x.cols() * dy.cols();
    const double below = x.active_share(), above = dy.active_share();
    const bool own = descent.path == Path::Weights;
    const bool scattered = below < 1 && scattered_time(below, above) < sddmm_time(below);
    if (!scattered && sddmm_time(below) >= kernels::kTransposedTime) {
      const Mat out = dx.resize(x.rows(), x.cols());
      kernels::gemm(false, true, 1, dy.value(), synapses_.carrier(descent.path), 0, out);
      return {dense, dense};
    }
    const CMat w = own ? weights_of(x) : synapses_.feedback();
    const Mat out = dx.resize_sparse(x.rows(), x.cols());
    dx.active = x.active;
    if (scattered)
      kernels::scattered_backward(dy.value(), dy.active, w, x.active, out);
    else
      kernels::sddmm(dy.value(), w, x.active, out);
    return {dense * below * (scattered ? above : 1), dense};
  }

  Macs accumulate(const Signal& pre, const Record&, const Signal& post,
                  const Pass&) const override {
    synapses_.bias_part().accumulate(post);
    const double dense = macs(pre), below = pre.active_share(), above = post.active_share();
    const double whole = std::min(1.0, spmm_time(below));
    if (below < 1 && above < 1 && scattered_time(below, above) < whole &&
        accumulate_block(pre, post))
      return {dense * above * below, dense};
    if (spmm_time(above) < whole && accumulate_columns(pre, post)) return {dense * above, dense};
    if (spmm_time(below) < 1) {
      accumulate_rows(pre, post);
      return {dense * below, dense};
    }
    const auto gradient = synapses_.open_gradient();
    kernels::gemm(true, false, 1, pre.value(), post.value(), gradient.fresh ? 0 : 1,
                  gradient.value);
    return {dense, dense};
  }

  std::vector<const SynapticMatrix*> synapses() const override { return {&synapses_}; }
  Downward downward() const override { return Downward::Weights; }

 private:
  double macs(const Signal& x) const { return static_cast<double>(x.rows()) * x.cols() * outputs_; }

  /// Takes room for the largest block that is kept as one: a later batch, with more active units,
  /// allocates nothing. Memory that is never written costs nothing.
  void reserve(std::vector<real>& values, const Signal& pre) const {
    values.reserve(static_cast<std::size_t>(pre.cols()) * outputs_ / 4 * 3 + outputs_);
  }

  /// The weights, up to date where a signal is active: everywhere unless steps are owed.
  CMat weights_of(const Signal& x) const {
    if (!synapses_.lazy() || !x.active.known()) return synapses_.weight();
    auto& units = scratch().units;
    distinct_units(x.active, x.cols(), units);
    return synapses_.rows(units);
  }

  /// The gradient as a block of the inputs and outputs that are active in this batch. False, and
  /// nothing done, when that is most of the matrix.
  bool accumulate_block(const Signal& pre, const Signal& post) const {
    auto& [sparse, block, units, place] = scratch();
    distinct_units(pre.active, pre.cols(), block.rows);
    distinct_units(post.active, outputs_, block.cols);
    const std::size_t width = block.cols.size(), size = block.rows.size() * width;
    if (2 * size > static_cast<std::size_t>(pre.cols()) * outputs_) return false;
    block.all_rows = block.all_cols = false;
    reserve(block.value, pre);
    block.value.assign(size, 0);
    place.resize(static_cast<std::size_t>(std::max(pre.cols(), outputs_)));
    for (std::size_t t = 0; t < width; ++t)
      place[block.cols[t]] = static_cast<std::int32_t>(t);
    // Row by row of the block: the inputs of the batch, transposed, give each its examples.
    sparse.assign_transposed(pre.value(), pre.active);
    const SparseView by_input = sparse.view();
    const auto rows = static_cast<int>(block.rows.size());
    constexpr int kTile = 64;
    parallel_for((rows + kTile - 1) / kTile, [&, place = place.data(), values = block.value.data(),
                                              inputs = block.rows.data()](int tile) {
      for (int r = tile * kTile; r < std::min(rows, (tile + 1) * kTile); ++r) {
        const std::int32_t i = inputs[r];
        real* to = values + static_cast<std::size_t>(r) * width;
        for (std::int32_t j = by_input.begin[i]; j < by_input.begin[i + 1]; ++j) {
          const int b = by_input.index[j];
          const real* error = post.value().row(b);
          for (const std::int32_t o : post.active.row(b))
            to[place[o]] += by_input.value[j] * error[o];
        }
      }
    });
    synapses_.add_gradient(block);
    return true;
  }

  /// The gradient of the inputs that are active in this batch: as a block of their rows, unless
  /// that is most of the matrix.
  void accumulate_rows(const Signal& pre, const Signal& post) const {
    auto& [sparse, block, begin, rows] = scratch();
    sparse.assign_transposed(pre.value(), pre.active);
    const SparseView all = sparse.view();
    distinct_units(pre.active, pre.cols(), block.rows);
    if (4 * block.rows.size() > 3 * static_cast<std::size_t>(pre.cols())) {
      const auto gradient = synapses_.open_gradient();
      kernels::spmm(all, post.value(), nullptr, !gradient.fresh, gradient.value);
      return;
    }
    block.all_rows = false, block.all_cols = true;
    const int count = static_cast<int>(block.rows.size());
    reserve(block.value, pre);
    block.value.resize(block.rows.size() * static_cast<std::size_t>(outputs_));
    kernels::spmm(only(all, block.rows, begin), post.value(), nullptr, false,
                  {block.value.data(), count, outputs_});
    synapses_.add_gradient(block);
  }

  /// Some rows of a sparse matrix, of which all others are empty and take no place among them.
  static SparseView only(const SparseView& all, const std::vector<std::int32_t>& rows,
                         std::vector<std::int32_t>& begin) {
    begin.clear();
    begin.reserve(static_cast<std::size_t>(all.rows) + 1);
    for (const std::int32_t r : rows)
      begin.push_back(all.begin[r]);
    begin.push_back(all.begin[all.rows]);
    return {begin.data(), all.index, all.value, static_cast<int>(rows.size())};
  }

  /// The gradient as a block of the outputs that are active in this batch and all inputs. False,
  /// and nothing done, when that is most of the matrix.
  bool accumulate_columns(const Signal& pre, const Signal& post) const {
    auto& [sparse, block, begin, rows] = scratch();
    distinct_units(post.active, outputs_, block.cols);
    const std::size_t width = block.cols.size();
    if (2 * width > static_cast<std::size_t>(outputs_)) return false;
    block.all_rows = true, block.all_cols = false;
    reserve(block.value, pre);
    block.value.resize(width * static_cast<std::size_t>(pre.cols()));
    sparse.assign_transposed(post.value(), post.active);
    const SparseView all = sparse.view();
    const int count = static_cast<int>(width);
    thread_local std::vector<real> memory;
    reserve(memory, pre);
    memory.resize(block.value.size());
    const Mat by_output{memory.data(), count, pre.cols()};
    kernels::spmm(only(all, block.cols, begin), pre.value(), nullptr, false, by_output);
    kernels::transpose(by_output, {block.value.data(), pre.cols(), count});
    synapses_.add_gradient(block);
    return true;
  }

  int outputs_;
  SynapticMatrix synapses_;
};

}  // namespace

LayerPtr dense_linear(int outputs, const Synapses& synapses) {
  return std::make_unique<Linear>(outputs, synapses);
}

}  // namespace engram
