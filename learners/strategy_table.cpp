// The table of strategies. Apart from those of rules and optimisers because strategies see data.
#include <algorithm>

#include <fmt/format.h>

#include "learners/strategies/strategies.h"
#include "utils/error.h"
#include "utils/find_entry.h"

namespace engram {
namespace {

template <class Options>
void check(Config& config) {
  config.read<Options>();
}
template <auto Make, class Options>
std::unique_ptr<Strategy> build(Config& config, const StrategyContext& context) {
  return Make(config.read<Options>(), context);
}
template <auto Make, class Options>
constexpr StrategyEntry entry(std::string_view name, std::string_view summary,
                              std::string_view paper, std::string_view gating = {},
                              bool rewires = false) {
  return {name,           summary, paper,  build<Make, Options>, list_options<Options>,
          check<Options>, gating,  rewires};
}
constexpr StrategyEntry kStrategies[] = {
    entry<make_l2, L2Options>("l2", "pulls every weight back to its value after the last task",
                              "Hsu et al. 2018"),
    entry<make_ewc, EwcOptions>("ewc", "holds weights as hard as the Fisher information says",
                                "Kirkpatrick et al. 2017; Schwarz et al. 2018"),
    entry<make_si, SiOptions>("si", "holds weights as hard as they took loss away on their way",
                              "Zenke et al. 2017"),
    entry<make_mas, MasOptions>("mas", "holds weights as hard as they move the outputs",
                                "Aljundi et al. 2018"),
    entry<make_lwf, LwfOptions>("lwf", "the network before a task goes on saying what it said",
                                "Li & Hoiem 2016"),
    entry<make_xdg_strategy, NoOptions>("xdg", "opens a random share of the units to every task",
                                        "Masse et al. 2018", "xdg"),
    entry<make_set, SetOptions>("set", "moves the smallest synapses anywhere, every epoch",
                                "Mocanu et al. 2018", {}, true),
    entry<make_rigl, RiglOptions>("rigl", "moves the smallest synapses to the largest gradients",
                                  "Evci et al. 2020", {}, true),
    entry<make_dynamic_synapses, DynamicSynapsesOptions>(
        "dynamic_synapses", "moves what the past needs least between units active together", "-",
        {}, true),
    entry<make_hat, HatOptions>("hat", "learns which units a task attends to, and keeps them",
                                "Serra et al. 2018", "hat"),
    entry<make_packnet, PacknetOptions>(
        "packnet", "every task keeps the largest of its weights, later ones learn the others",
        "Mallya & Lazebnik 2018"),
    entry<make_cwr_star, CwrStarOptions>(
        "cwr_star", "consolidates the classifier's rows, apart from those that learn",
        "Lomonaco et al. 2020"),
    entry<make_continual_backprop, ContinualBackpropOptions>(
        "continual_backprop", "hidden units of the least use begin anew, a few at a time",
        "Dohare et al. 2024"),
    entry<make_shrink_perturb, ShrinkPerturbOptions>(
        "shrink_perturb", "weights shrink and get noise, at every task or step",
        "Ash & Adams 2020; Dohare et al. 2024"),
    entry<make_l2_init, L2InitOptions>("l2_init", "pulls every weight back to where it began",
                                       "Kumar et al. 2023"),
    entry<make_redo, RedoOptions>("redo", "dormant hidden units begin anew", "Sokar et al. 2023"),
    entry<make_er, ErOptions>("er", "replays examples that it remembers in every batch",
                              "Chaudhry et al. 2019"),
    entry<make_gdumb, GdumbOptions>(
        "gdumb", "learns anew, from a balanced memory alone, whenever it is tested",
        "Prabhu et al. 2020"),
    entry<make_der, DerOptions>("der", "goes on saying of the past what the network said of it",
                                "Buzzega et al. 2020"),
    entry<make_derpp, DerppOptions>("derpp", "does so, and replays labels too",
                                    "Buzzega et al. 2020"),
    entry<make_agem, AgemOptions>("agem", "takes out of steps what harms the past on the whole",
                                  "Chaudhry et al. 2019"),
    entry<make_gem, GemOptions>("gem", "takes out of steps what harms any past task",
                                "Lopez-Paz & Ranzato 2017"),
    entry<make_icarl, IcarlOptions>("icarl", "herds exemplars and classifies by their nearest mean",
                                    "Rebuffi et al. 2017"),
    entry<make_slda, SldaOptions>("slda", "class means and one covariance of features that stay",
                                  "Hayes & Kanan 2020"),
    entry<make_dgr, DgrOptions>("dgr", "an autoencoder paints the past, the old network labels it",
                                "Shin et al. 2017; van de Ven & Tolias 2018"),
    entry<make_generative_replay, GenerativeReplayOptions>(
        "generative_replay", "the network paints and labels images of past tasks",
        "Shin et al. 2017"),
};

}  // namespace

std::span<const StrategyEntry> strategies() {
  return kStrategies;
}

std::unique_ptr<Strategy> make_strategy(const std::string& name, Config& config,
                                        const StrategyContext& context) {
  auto strategy = find_entry(strategies(), name, "strategies").make(config, context);
  strategy->name = name;
  return strategy;
}

StrategyList make_strategies(std::span<const std::string> names, Config config,
                             const StrategyContext& context) {
  StrategyList all;
  for (const std::string& name : names)
    all.push_back(make_strategy(name, config, context));
  return all;
}

void check_served(const StrategyList& list, const Offer& offer) {
  const auto instead =
      std::ranges::find_if(list, [](const auto& s) { return s->learns_instead(); });
  for (const auto& s : list) {
    const auto refuse = [&](const std::string& why) {
      throw Error(Fault::Config, fmt::format("strategies: {} {}", s->name, why));
    };
    if (instead != list.end() && s != *instead &&
        (s->needs() != Provides::Nothing || s->replays() || s->follows_steps() ||
         s->learns_instead()))
      refuse(
          fmt::format("works on the steps of the rule, and {} learns in the place of the rule; "
                      "leave one of them out",
                      (*instead)->name));
    if (!covers(offer.provides, s->needs() & Provides::Gradient))
      refuse(
          "edits the gradient of the weights, but the rule steps by itself; choose another rule or "
          "strategy");
    if (s->follows_steps() && !covers(offer.provides, Provides::Gradient))
      refuse(
          "serves the steps of an optimiser, and this rule changes the weights itself; choose "
          "another rule or strategy");
    if (!covers(offer.provides, s->needs() & Provides::OutputError))
      refuse(
          "edits the error at the outputs, which this rule does not compute; choose another rule "
          "or strategy");
    if (!covers(offer.provides, s->needs() & Provides::OtherBatches))
      refuse(
          "counts on a rule that leaves every change of a weight to the optimiser, but this one "
          "changes weights whenever it sees a batch; use rule = backprop or frozen, or another "
          "strategy");
    if (!covers(offer.provides, s->needs() & Provides::AtOnce))
      refuse(
          "compares gradients of the whole network, but this rule makes them level by level; use "
          "ff.in_turn = no, or another rule or strategy");
    if (!offer.borders && s->needs_borders())
      refuse(
          "must be told when a task ends or which one an example is of, and a task-free stream "
          "says neither; use task_free = no, another strategy, or a policy and settings of this "
          "one that know no tasks");
    if (!offer.examples && s->needs_examples())
      refuse("remembers or looks at examples of a stream, which agents do not have");
  }
}

}  // namespace engram
