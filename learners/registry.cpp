#include "learners/registry.h"

#include <fmt/format.h>

#include "learners/hebbian/hebbian_rule.h"
#include "learners/hebbian/local_rules.h"
#include "learners/rules/rules.h"
#include "utils/error.h"

namespace engram {
namespace {

template <auto Make, class Options>
std::unique_ptr<Rule> rule(Config& config, const RuleContext& context) {
  return Make(config.read<Options>(), context);
}
template <class Options>
void check(Config& config) {
  config.read<Options>();
}
template <auto Make, class Options>
constexpr RuleEntry entry(std::string_view name, std::string_view summary, std::string_view paper,
                          std::string_view model = {}) {
  return {name, summary, paper, rule<Make, Options>, list_options<Options>, check<Options>, model};
}

/// The rule of the layers above those that learn by a local one.
const RuleEntry& head_entry(const HebbianOptions& options) {
  const RuleEntry& entry = find_entry(rules(), options.head, "hebbian.head");
  if (entry.local || !entry.model.empty())
    throw Error(
        Fault::Config,
        fmt::format("hebbian.head = {}: a head learns by errors, for example by backprop or "
                    "feedback_alignment",
                    options.head));
  return entry;
}
template <auto Make, class Options>
std::unique_ptr<Rule> local_rule(Config& config, const RuleContext& context) {
  const auto options = config.read<HebbianOptions>();
  auto local = Make(config.read<Options>());
  return make_hebbian(options, std::move(local), head_entry(options).make(config, context));
}
template <class Options>
void check_local(Config& config) {
  config.read<Options>();
  head_entry(config.read<HebbianOptions>()).read(config);
}
template <auto Make, class Options>
constexpr RuleEntry local_entry(std::string_view name, std::string_view summary,
                                std::string_view paper) {
  return {
      name, summary, paper, local_rule<Make, Options>, list_options<Options>, check_local<Options>,
      {},   true};
}

constexpr RuleEntry kRules[] = {
    entry<make_backprop, NoOptions>("backprop", "errors through the transposed weights",
                                    "Rumelhart et al. 1986"),
    entry<make_feedback_alignment, FeedbackAlignmentOptions>(
        "feedback_alignment", "errors through fixed random matrices (FA)", "Lillicrap et al. 2016"),
    entry<make_direct_feedback, DirectFeedbackOptions>(
        "direct_feedback", "the network's error straight to every layer (DFA)", "Nokland 2016"),
    entry<make_usf, NoOptions>("usf", "errors through the signs of the weights, all of one size",
                               "Moskovitz et al. 2018"),
    entry<make_brsf, NoOptions>(
        "brsf", "errors through the signs of the weights, sizes drawn for every batch",
        "Liao et al. 2016"),
    entry<make_frsf, NoOptions>("frsf", "errors through the signs of the weights, sizes drawn once",
                                "Liao et al. 2016"),
    entry<make_kolen_pollack, KolenPollackOptions>(
        "kolen_pollack", "feedback that learns and decays like the weights", "Akrout et al. 2019"),
    entry<make_counter_hebb, CounterHebbOptions>(
        "counter_hebb", "a top-down network that learns by the same local rule",
        "Abel & Ullman 2024"),
    entry<make_pff, PffRuleOptions>(
        "pff", "predictive forward-forward: levels learn goodness, a generator learns beside them",
        "Ororbia & Mali 2023", "pff"),
    entry<make_ff, FfRuleOptions>(
        "ff", "forward-forward: every level tells right labels from wrong ones by its goodness",
        "Hinton 2022", "ff"),
    entry<make_class_means, NoOptions>(
        "class_means", "the classifier's weights are the means of each class's features",
        "Mensink et al. 2013"),
    entry<make_hebb_deep, HebbDeepOptions>(
        "hebb_deep", "two layers above random or frozen features: Hebb's rule, then the delta rule",
        "D2BL 2023; Sanger 1989"),
    entry<make_fly, FlyOptions>("fly",
                                "the classifier grows synapses from the most active features alone",
                                "Shen et al. 2023"),
    local_entry<make_frozen, NoOptions>("frozen",
                                        "random features below a head, the control of all that "
                                        "follow",
                                        "Rahimi & Recht 2007"),
    local_entry<make_prototypes, NoOptions>(
        "prototypes", "training examples as weights, the control of learnt prototypes",
        "Krotov & Hopfield 2019"),
    local_entry<make_hebb, NoOptions>("hebb", "weights grow with what their two ends do together",
                                      "Hebb 1949"),
    local_entry<make_oja, OjaOptions>("oja", "Hebb's rule with a decay: principal subspaces",
                                      "Oja 1982, 1989"),
    local_entry<make_sanger, SangerOptions>(
        "sanger", "generalised Hebbian algorithm: principal components in order", "Sanger 1989"),
    local_entry<make_gupta, GuptaOptions>(
        "gupta", "HebbNet: products above their own mean, the largest changes alone",
        "Gupta et al. 2021"),
    local_entry<make_winner_take_all, WinnerOptions>(
        "winner_take_all", "competitive learning: winners move towards the sample",
        "Rumelhart & Zipser 1985"),
    local_entry<make_krotov, KrotovOptions>(
        "krotov", "competing hidden units: the winner pulled, a runner-up pushed away",
        "Krotov & Hopfield 2019"),
    local_entry<make_softhebb, SoftHebbOptions>(
        "softhebb", "a soft competition that stops at unit norm", "Moraitis et al. 2022"),
};

constexpr OptimizerEntry kOptimizers[] = {
    {"sgd", "gradient descent with (Nesterov) momentum and weight decay", "Sutskever et al. 2013",
     make_sgd},
    {"adam", "adaptive moments, exact for idle rows", "Kingma & Ba 2015", make_adam},
    {"lazy_adam", "Adam that moves only rows with a gradient", "Kingma & Ba 2015", make_lazy_adam},
    {"adagrad", "steps shrink with the squares of all past gradients", "Duchi et al. 2011",
     make_adagrad},
    {"unit_sgd", "steps of length lr along the gradient of every slice", "Hazan et al. 2015",
     make_unit_sgd},
};

}  // namespace

std::span<const RuleEntry> rules() {
  return kRules;
}
std::span<const OptimizerEntry> optimizers() {
  return kOptimizers;
}

void check_rule_teaches(std::string_view rule, std::string_view model) {
  const std::string_view teaches = find_entry(rules(), std::string(rule), "rule").model;
  if (!teaches.empty() && teaches != model)
    throw Error(Fault::Config,
                fmt::format("rule = {} teaches model = {} alone, not {}", rule, teaches, model));
  if (!teaches.empty()) return;
  for (const RuleEntry& entry : rules())
    if (entry.model == model)
      throw Error(Fault::Config, fmt::format("model = {} learns by rule = {} alone, not by {}",
                                             model, entry.name, rule));
}

std::unique_ptr<Rule> make_rule(const std::string& name, Config config,
                                const RuleContext& context) {
  return find_entry(rules(), name, "rule").make(config, context);
}
std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options, ParamStore& params) {
  return find_entry(optimizers(), options.optimizer, "optimizer").make(options, params);
}

}  // namespace engram
