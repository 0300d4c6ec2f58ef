#include "models/gating.h"

#include <algorithm>

#include "models/gatings/hat.h"
#include "models/network.h"
#include "utils/find_entry.h"

namespace engram {
namespace {

constexpr GatingEntry kGatings[] = {
    {"xdg", "random units for every task (context-dependent gating)", "Masse et al. 2018",
     make_xdg},
    {"top_down", "a task code sent down through the network selects its sub-network",
     "Abel & Ullman 2024", make_top_down},
    {"hat", "learnt attention to units, for every task; comes with strategies = hat",
     "Serra et al. 2018", make_hat_gating},
};

}  // namespace

std::span<const GatingEntry> gatings() {
  return kGatings;
}

std::unique_ptr<Gating> make_gating(const GatingOptions& options, int tasks) {
  if (!options.on()) return nullptr;
  return find_entry(gatings(), options.gating, "gating").make(options, tasks);
}

void Gating::find_layers(const Network& net) {
  for (int l = 0; l < net.depth(); ++l)
    if (net.layer(l).takes_gate()) layers_.push_back({l, net.output_shape(l).size()});
  if (layers_.empty())
    throw Error(Fault::Config,
                "gating: the model has no relu whose units could be gated; use another model, or "
                "relu_before_winners = yes");
}

void Gating::open(const Network& net, Tape& tape) {
  refresh(net);
  for (std::size_t level = 0; level < layers_.size(); ++level)
    tape[static_cast<std::size_t>(layers_[level].layer)].gate = mask(level);
}

void StoredMasks::bind(const Network& net, const std::vector<GatedLayer>& layers, int tasks,
                       ParamStore& store) {
  store_ = &store;
  for (const GatedLayer& level : layers)
    ids_.push_back(store.add_state(net.layer_name(level.layer) + ".gate", tasks, level.units));
}

void StoredMasks::write(std::size_t level, GateMask mask) {
  const Mat state = store_->state(ids_[level]);
  ENGRAM_INVARIANT(state.size() == mask.size());
  std::copy(mask.begin(), mask.end(), state.data);
}

GateMask StoredMasks::read(std::size_t level) const {
  return std::as_const(*store_).state(ids_[level]).all();
}

}  // namespace engram
