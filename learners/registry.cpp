#include "learners/registry.h"

#include "learners/rules/rules.h"
#include "learners/strategies/strategies.h"
#include "utils/error.h"

namespace engram {
namespace {

constexpr RuleEntry kRules[] = {
    {"backprop", "back-propagation of cross-entropy", "Rumelhart et al. 1986", make_backprop},
};

constexpr OptimizerEntry kOptimizers[] = {
    {"sgd", "gradient descent with (Nesterov) momentum and weight decay", "Sutskever et al. 2013",
     make_sgd},
    {"adam", "adaptive moments, exact for idle rows", "Kingma & Ba 2015", make_adam},
    {"lazy_adam", "Adam that moves only rows with a gradient", "Kingma & Ba 2015", make_lazy_adam},
};

template <auto Make, class Options>
std::unique_ptr<Strategy> build(Config& config, const Network& net) {
  return Make(config.read<Options>(), net);
}
template <class Options>
void check(Config& config) {
  config.read<Options>();
}
constexpr StrategyEntry kStrategies[] = {
    {"l2", "pulls every weight back to its value after the last task", "Hsu et al. 2018",
     build<make_l2, L2Options>, list_options<L2Options>, check<L2Options>},
};

}  // namespace

std::span<const RuleEntry> rules() {
  return kRules;
}
std::span<const OptimizerEntry> optimizers() {
  return kOptimizers;
}
std::span<const StrategyEntry> strategies() {
  return kStrategies;
}

std::unique_ptr<Rule> make_rule(const std::string& name) {
  return find_entry(rules(), name, "rule").make();
}
std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options, ParamStore& params) {
  return find_entry(optimizers(), options.optimizer, "optimizer").make(options, params);
}

}  // namespace engram
