#include "models/sparse_synapses.h"

#include <algorithm>
#include <utility>

#include "models/checked_state.h"
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
  if (!synapses_.rewirable) return;
  input_of_ = store.add_state(name + ".inputs", 1, fans.outputs * kept_);
  output_of_ = store.add_state(name + ".outputs", 1, fans.outputs * kept_);
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
      const auto slot = static_cast<std::size_t>(input_order_ ? at : j);
      values[slot] = drawn[static_cast<std::size_t>(o) * inputs + i];
      if (!rewirable()) continue;
      store_->state(input_of_).data[slot] = static_cast<real>(i);
      store_->state(output_of_).data[slot] = static_cast<real>(o);
    }
}

SparseSynapses::Edge SparseSynapses::edge(std::size_t slot) const {
  return {static_cast<std::int32_t>(std::as_const(*store_).state(output_of_).data[slot]),
          static_cast<std::int32_t>(std::as_const(*store_).state(input_of_).data[slot])};
}

void SparseSynapses::rewire(std::span<const std::uint32_t> slots, std::span<const Edge> edges) {
  ENGRAM_INVARIANT(rewirable() && slots.size() == edges.size());
  const Mat in = store_->state(input_of_), out = store_->state(output_of_);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    in.data[slots[i]] = static_cast<real>(edges[i].input);
    out.data[slots[i]] = static_cast<real>(edges[i].output);
  }
  index();
}

real SparseSynapses::draw(Rng& rng) const {
  if (is_normal(synapses_.init))
    return static_cast<real>(rng.normal() *
                             init_deviation(synapses_.init, fans_, synapses_.init_scale));
  const double bound = init_bound(synapses_.init, fans_, synapses_.init_scale);
  return static_cast<real>(
      rng.uniform(synapses_.init == WeightInit::Uniform01 ? 0 : -bound, bound));
}

void SparseSynapses::restored() {
  if (!rewirable()) return;
  check_state(*store_, input_of_, Numbers::Whole, 0, fans_.in - 1);
  check_state(*store_, output_of_, Numbers::Whole, 0, fans_.outputs - 1);
  index();
}

void SparseSynapses::index() {
  const std::size_t entries = by_output_.index.size();
  // A stable counting sort by one end of every weight: those of a unit stay in the order of `other`
  // (null: of their places).
  const auto sort = [&](View& view, int units, bool by_output, const View* other) {
    view.begin.assign(static_cast<std::size_t>(units) + 1, 0);
    const auto key = [&](std::size_t slot) {
      return by_output ? edge(slot).output : edge(slot).input;
    };
    for (std::size_t slot = 0; slot < entries; ++slot)
      ++view.begin[static_cast<std::size_t>(key(slot)) + 1];
    for (int u = 0; u < units; ++u)
      view.begin[u + 1] += view.begin[u];
    std::vector<std::int32_t> next(view.begin.begin(), view.begin.end() - 1);
    view.place.resize(entries);
    for (std::size_t i = 0; i < entries; ++i) {
      const std::size_t slot = other ? static_cast<std::size_t>(other->place[i]) : i;
      const auto at = static_cast<std::size_t>(next[key(slot)]++);
      view.index[at] = by_output ? edge(slot).input : edge(slot).output;
      view.place[at] = static_cast<std::int32_t>(slot);
    }
  };
  // Products take columns in blocks, so those of a row must ascend (SparseView): as they do once
  // weights come by their other end. By input twice, for the first time nothing had such an order.
  sort(by_input_, fans_.in, false, nullptr);
  sort(by_output_, fans_.outputs, true, &by_input_);
  sort(by_input_, fans_.in, false, &by_output_);
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
