// The tables of learning rules and optimisers. (Strategies: strategy.h.)
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "learners/optimizer.h"
#include "learners/rule.h"
#include "learners/rules/rules.h"
#include "utils/config.h"
#include "utils/find_entry.h"

namespace engram {

struct RuleEntry {
  std::string_view name, summary, paper;
  std::unique_ptr<Rule> (*make)(Config&, const RuleContext&);
  std::vector<OptionInfo> (*options)();
  void (*read)(Config&);        ///< checks the options and marks them as used
  std::string_view model = {};  ///< the only one that it teaches; empty: any stack of layers
  bool local = false;           ///< teaches the lowest layers alone (hebbian/hebbian_rule.h)
};
/// Error(Config) when a rule does not teach a model.
void check_rule_teaches(std::string_view rule, std::string_view model);
std::span<const RuleEntry> rules();
/// Error(Config) when unknown, or when its settings make no sense.
std::unique_ptr<Rule> make_rule(const std::string& name, Config config,
                                const RuleContext& context = {});

struct OptimizerEntry {
  std::string_view name, summary, paper;
  std::unique_ptr<Optimizer> (*make)(const OptimizerOptions&, ParamStore&);
};
std::span<const OptimizerEntry> optimizers();
/// Keeps the address of the parameters, which must outlive the optimiser.
std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions&, ParamStore&);

}  // namespace engram
