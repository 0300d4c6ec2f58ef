#include "exps/strategy_settings.h"

#include <algorithm>

#include <fmt/format.h>

#include "learners/strategy.h"
#include "utils/error.h"
#include "utils/find_entry.h"

namespace engram {
namespace {

void bring_gating(const StrategyEntry& entry, ModelOptions& model) {
  if (entry.gating.empty() || model.gating.gating == entry.gating) return;
  if (model.gating.on())
    throw Error(Fault::Config, fmt::format("strategies: {} opens units by gating = {}, but gating "
                                           "= {}; leave one of them out",
                                           entry.name, entry.gating, model.gating.gating));
  model.gating.gating = entry.gating;
}

void allow_rewiring(const StrategyEntry& entry, ModelOptions& model) {
  if (!entry.rewires) return;
  if (!model.sparsify || model.weight_sparsity_fc >= 1)
    throw Error(Fault::Config,
                fmt::format("strategies: {} moves synapses about, but all of them exist; set "
                            "sparsify = yes and weight_sparsity_fc below 1",
                            entry.name));
  if (model.weight_storage == WeightStorage::Dense)
    throw Error(Fault::Config,
                fmt::format("strategies: {} moves synapses in lists, which weight_storage = dense "
                            "does not keep; use auto or sparse",
                            entry.name));
  model.rewirable = true;
}

}  // namespace

void read_strategies(Settings& s, Config& config) {
  const auto& names = s.rule.strategies;
  for (auto name = names.begin(); name != names.end(); ++name) {
    const StrategyEntry& entry = find_entry(strategies(), *name, "strategies");
    entry.read(config);
    if (std::find(names.begin(), name, *name) != name)
      throw Error(Fault::Config, fmt::format("strategies: {} stands there twice", *name));
    bring_gating(entry, s.model);
    allow_rewiring(entry, s.model);
  }
  const bool learnt = s.model.gating.gating == "hat";
  if (learnt && std::find(names.begin(), names.end(), "hat") == names.end())
    throw Error(Fault::Config,
                "gating = hat learns by strategies = hat, which is not among the strategies");
}

}  // namespace engram
