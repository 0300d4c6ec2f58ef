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
#include "utils/error.h"

namespace engram {

struct RuleEntry {
  std::string_view name, summary, paper;
  std::unique_ptr<Rule> (*make)(Config&, const RuleContext&);
  std::vector<OptionInfo> (*options)();
  void (*read)(Config&);  ///< checks the options and marks them as used
};
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

/// The entry of a table with this name; Error(Config) "what = name: no such ..." with suggestion.
template <class Entry>
const Entry& find_entry(std::span<const Entry> table, const std::string& name,
                        std::string_view what) {
  std::vector<std::string> known;
  for (const Entry& entry : table) {
    if (entry.name == name) return entry;
    known.emplace_back(entry.name);
  }
  throw Error(Fault::Config, std::string(what) + " = " + name + ": no such " + std::string(what) +
                                 suggestion(name, known));
}

}  // namespace engram
