#include "models/sparse_synapses.h"

#include <algorithm>

#include "utils/parallel.h"

namespace engram {
namespace {

/// Inputs fewer than this are read one by one rather than across the batch.
constexpr double kFewInputs = 0.1;
constexpr double kPaysAcrossBatch = 0.17, kPaysOneByOne = 0.17;
constexpr int kRun = 1 << 14;

}  // namespace

bool sparse_storage_pays(double density, double active_share) {
  return density < (active_share < kFewInputs ? kPaysOneByOne : kPaysAcrossBatch);
}

bool stores_sparse(const Synapses& synapses, bool pays, const Place& place) {
  if (place.feedback && place.feedback->path != Path::Weights) {
    if (synapses.storage == WeightStorage::Sparse)
      throw Error(Fault::Config,
                  place.name +
                      ": weight_storage = sparse has no feedback matrices, which this rule "
                      "needs; use auto or dense");
    return false;
  }
  if (synapses.storage != WeightStorage::Auto) return synapses.storage == WeightStorage::Sparse;
  return synapses.density < 1 && pays;
}

void SparseSynapses::bind(const Fans& fans, const std::string& name, ParamStore& store,
                          double active_share) {
  store_ = &store, fans_ = fans;
  kept_ = checked_kept(synapses_, fans.in, name);
  input_order_ = active_share < kFewInputs;
  weight_ = store.add(name + ".weight", 1, fans.outputs * kept_);
  bias_.bind(fans.outputs, name, store, synapses_.bias);
}

void SparseSynapses::init(const Rng& rng) {
  const int inputs = fans_.in, outputs = fans_.outputs;
  const auto drawn = drawn_weights(synapses_, fans_, bias_.mutable_value(), rng);
  const auto mask = kept_ < inputs ? random_mask(outputs, inputs, kept_, rng.fork("mask"))
                                   : std::vector<std::uint8_t>(drawn.size(), 1);
  by_output_ = {}, by_input_ = {};
  by_output_.begin.push_back(0), by_input_.begin.assign(static_cast<std::size_t>(inputs) + 1, 0);
  for (int o = 0; o < outputs; ++o) {
    for (int i = 0; i < inputs; ++i)
      if (mask[static_cast<std::size_t>(o) * inputs + i] != 0) {
        by_output_.index.push_back(i);
        ++by_input_.begin[i + 1];
      }
    by_output_.begin.push_back(static_cast<std::int32_t>(by_output_.index.size()));
  }
  for (int i = 0; i < inputs; ++i)
    by_input_.begin[i + 1] += by_input_.begin[i];
  const std::size_t entries = by_output_.index.size();
  by_input_.index.resize(entries);
  std::vector<std::int32_t> next(by_input_.begin.begin(), by_input_.begin.end() - 1);
  View& second = input_order_ ? by_output_ : by_input_;
  second.place.resize(entries);
  real* values = store_->value(weight_).data;
  for (int o = 0; o < outputs; ++o)
    for (std::int32_t j = by_output_.begin[o]; j < by_output_.begin[o + 1]; ++j) {
      const std::int32_t i = by_output_.index[j], at = next[i]++;
      by_input_.index[at] = o;
      second.place[input_order_ ? j : at] = input_order_ ? at : j;
      values[input_order_ ? at : j] = drawn[static_cast<std::size_t>(o) * inputs + i];
    }
}

SparseView SparseSynapses::valued(const View& view, std::vector<real>& scratch) const {
  const real* values = store_->value(weight_).data;
  const int rows = static_cast<int>(view.begin.size()) - 1;
  if (view.place.empty()) return {view.begin.data(), view.index.data(), values, rows};
  scratch.resize(view.place.size());
  const int count = static_cast<int>(scratch.size());
  parallel_for((count + kRun - 1) / kRun, [&, to = scratch.data()](int run) {
    for (int j = run * kRun; j < std::min(count, (run + 1) * kRun); ++j)
      to[j] = values[view.place[j]];
  });
  return {view.begin.data(), view.index.data(), scratch.data(), rows};
}

void SparseSynapses::incoming(Signal& to) const {
  std::vector<real> scratch;
  const SparseView w = valued(by_output_, scratch);
  const Mat all = to.resize(fans_.outputs, fans_.in);
  std::fill_n(all.data, all.size(), real{0});
  for (int unit = 0; unit < all.rows; ++unit)
    for (std::int32_t j = w.begin[unit]; j < w.begin[unit + 1]; ++j)
      all.row(unit)[w.index[j]] = w.value[j];
}

SparseSynapses::OpenedView SparseSynapses::open_gradient(const View& view,
                                                         std::vector<real>& scratch) const {
  if (!view.place.empty()) {
    scratch.resize(view.place.size());
    return {scratch.data(), true};
  }
  const auto gradient = store_->open_gradient(weight_);
  return {gradient.value.data, gradient.fresh};
}

void SparseSynapses::close_gradient(const View& view, const std::vector<real>& scratch) const {
  if (view.place.empty()) return;
  const auto gradient = store_->open_gradient(weight_);
  const int count = static_cast<int>(view.place.size());
  parallel_for((count + kRun - 1) / kRun, [&, to = gradient.value.data](int run) {
    for (int j = run * kRun; j < std::min(count, (run + 1) * kRun); ++j) {
      real& g = to[view.place[j]];
      g = gradient.fresh ? scratch[j] : g + scratch[j];
    }
  });
}

}  // namespace engram
