#include "learners/rewiring.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "utils/error.h"

namespace engram {

Rewiring::Rewiring(const StrategyContext& context) {
  for (int l = context.lowest_stepped(); l < context.net.depth(); ++l) {
    const SparseSynapses* synapses = context.net.layer(l).existing_synapses();
    if (!synapses || !synapses->rewirable()) continue;
    layers_.push_back(l);
  }
  if (layers_.empty())
    throw Error(Fault::Config,
                "strategies: this network has no layer whose synapses can be moved: it needs "
                "sparsify = yes, weight_sparsity_fc below 1 and fully connected hidden layers that "
                "an optimiser teaches");
}

double Rewiring::cosine_share(const Training& t, int every, double highest, double until) {
  const std::int64_t step = t.task_step() + 1;  // 1-based
  const double end = until * static_cast<double>(t.task_steps());
  if (step % every != 0 || static_cast<double>(step) >= end) return 0;
  return highest / 2 * (1 + std::cos(std::numbers::pi * static_cast<double>(step) / end));
}

void Rewiring::after_step(Training& t, const Batch& batch) {
  if (!t.stepped) return;
  const double moved = share(t);
  if (moved <= 0) return;
  look(t, batch);
  for (const int l : layers_)
    if (l >= t.still) rewire(t, batch, l, moved);
}

void Rewiring::worth(Training&, const Site& site, std::span<double> of) {
  for (std::size_t i = 0; i < of.size(); ++i)
    of[i] = std::abs(static_cast<double>(site.weight[i]));
}

void Rewiring::rewire(Training& t, const Batch& batch, int layer, double share) {
  SparseSynapses& synapses = *t.net.layer(layer).rewirable();
  const int id = synapses.weight_id();
  ParamStore& params = t.net.params();
  const Mat weights = params.value(id);
  Site site{layer,
            synapses,
            params.param(id).offset,
            weights.all(),
            t.rng.fork(name)
                .fork("layer", static_cast<std::uint64_t>(layer))
                .fork("step", static_cast<std::uint64_t>(t.step)),
            {}};
  const std::size_t entries = site.weight.size();
  site.taken_.assign(
      (static_cast<std::size_t>(site.inputs()) * static_cast<std::size_t>(site.outputs()) + 63) /
          64,
      0);
  for (std::size_t slot = 0; slot < entries; ++slot)
    site.take(synapses.edge(slot));

  std::vector<double> value(entries);
  worth(t, site, value);
  std::vector<std::uint32_t> slots(entries);
  std::iota(slots.begin(), slots.end(), 0u);
  auto count = static_cast<std::size_t>(std::nearbyint(share * static_cast<double>(entries)));
  const auto less = [&](std::uint32_t a, std::uint32_t b) {
    return value[a] != value[b] ? value[a] < value[b] : a < b;
  };
  count = std::min(count, entries);
  std::nth_element(slots.begin(), slots.begin() + static_cast<std::ptrdiff_t>(count), slots.end(),
                   less);
  slots.resize(count);
  std::erase_if(slots, [&](std::uint32_t slot) { return std::isinf(value[slot]); });
  std::sort(slots.begin(), slots.end(), less);

  std::vector<Edge> gone, edges;
  for (const std::uint32_t slot : slots)
    gone.push_back(synapses.edge(slot));
  grow(t, batch, site, gone, slots.size(), edges);
  slots.resize(edges.size());  // the least of them, should there be no room for all
  if (slots.empty()) return;
  synapses.rewire(slots, edges);
  std::vector<std::size_t> places;
  for (const std::uint32_t slot : slots) {
    site.weight[slot] = first_value(site);
    places.push_back(site.offset + slot);
  }
  t.optimizer.forget(places);
  for (auto& s : *t.strategies)
    s->renew(t, places);
  moved(t, site, slots);
}

void Rewiring::grow_at_random(Site& site, std::size_t count, std::vector<Edge>& to) {
  const std::size_t pairs =
      static_cast<std::size_t>(site.inputs()) * static_cast<std::size_t>(site.outputs());
  std::size_t tries = 100 * (count + 1);
  while (to.size() < count && tries-- > 0 && pairs > 0) {
    const Edge e{
        static_cast<std::int32_t>(site.rng.below(static_cast<std::uint32_t>(site.outputs()))),
        static_cast<std::int32_t>(site.rng.below(static_cast<std::uint32_t>(site.inputs())))};
    if (site.taken(e)) continue;
    site.take(e), to.push_back(e);
  }
}

}  // namespace engram
