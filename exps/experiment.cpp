#include "exps/experiment.h"

#include <fmt/format.h>

#include "exps/agent_settings.h"
#include "exps/recorded_settings.h"
#include "exps/strategy_settings.h"
#include "learners/hebbian/hebbian_rule.h"
#include "learners/registry.h"
#include "learners/strategy.h"
#include "models/registry.h"
#include "utils/digest.h"

namespace engram {

std::string Settings::digest() const {
  return sha256(chosen_settings(config.resolved_text()));
}

std::vector<OptionGroup> option_groups() {
  std::vector<OptionGroup> groups{{"stream", list_options<StreamOptions>()},
                                  {"scenario", list_options<ScenarioOptions>()},
                                  {"model", list_options<ModelOptions>()},
                                  {"learning", list_options<LearnerOptions>()},
                                  {"optimizer", list_options<OptimizerOptions>()},
                                  {"rule and strategies", list_options<RuleOptions>()},
                                  {"fine-tuning", list_options<FineTuningOptions>()},
                                  {"evaluation", list_options<EvaluationOptions>()}};
  groups.push_back({"rules of layers that learn by themselves", list_options<HebbianOptions>()});
  for (const RuleEntry& r : rules())
    groups.push_back({"rule " + std::string(r.name), r.options()});
  for (const StrategyEntry& s : strategies())
    groups.push_back({"strategy " + std::string(s.name), s.options()});
  groups.push_back({"simulation", list_options<SimulationOptions>()});
  groups.push_back({"agent", list_options<AgentOptions>()});
  for (const AgentEntry& a : agents())
    groups.push_back({"agent " + std::string(a.name), a.options()});
  groups.push_back({std::string(kSweepGroup), list_options<SweepOptions>()});
  return groups;
}

std::unique_ptr<Rule> make_rule(const Settings& s) {
  auto rule = make_rule(s.rule.rule, s.config, {s.rule.loss, s.optimizer.weight_decay});
  const FineTuningOptions& o = s.fine_tuning;
  if (!o.freezes() && o.reset_head == ResetHead::Never) return rule;
  return make_fine_tuned(o, std::move(rule));
}

HeadShape head_shape(const Settings& s, const Targets& targets) {
  if (s.model.gating.on() && targets.scenario() != Scenario::Task)
    throw Error(
        Fault::Config,
        fmt::format("gating = {} opens units by task, so the task must be known at test, but "
                    "scenario = {}; use scenario = task (with head = shared or per_task)",
                    s.model.gating.gating, name_of(targets.scenario())));
  return {targets.heads(), targets.width(), targets.tasks()};
}

namespace {

/// The generator of PFF paints pixels, which it clips to [0, 1]: of an input that is centred and
/// scaled it could never reach what lies outside.
void check_inputs(const Settings& s, Config& config) {
  if (s.rule.rule != "pff" || s.stream.normalise == Normalise::None) return;
  if (!config.read<PffRuleOptions>().generative) return;
  throw Error(Fault::Config,
              fmt::format("pff.generative = yes paints images in [0, 1], which inputs under "
                          "normalise = {} are not; use normalise = none or pff.generative = no",
                          name_of(s.stream.normalise)));
}

/// What would have no effect, or not the one that is meant.
void check_fine_tuning(const Settings& s, Config& config) {
  const FineTuningOptions& o = s.fine_tuning;
  const auto refuse = [](const std::string& why) { throw Error(Fault::Config, why); };
  if (!o.weights_until.empty() && o.weights.empty())
    refuse("weights_until has no effect without weights");
  if (o.frozen_from != FrozenFrom::Start && !o.freezes())
    refuse("frozen_from has no effect without frozen_until");
  const RuleEntry& rule = find_entry(rules(), s.rule.rule, "rule");
  const bool changes = o.freezes() || o.reset_head != ResetHead::Never;
  if (changes && rule.local)
    refuse(
        fmt::format("frozen_until and reset_head do not fit rule = {}, whose layers learn by "
                    "themselves; hebbian.later_rate = 0 freezes them after the first task",
                    s.rule.rule));
  if (changes && !rule.model.empty())
    refuse(
        fmt::format("frozen_until and reset_head do not fit rule = {}, which teaches one circuit "
                    "as a whole",
                    s.rule.rule));
  // A resumed run would not know which weights blocks began with.
  if (!o.weights.empty() && rule.local && config.read<HebbianOptions>().blocks)
    refuse("hebbian.blocks begins with weights that are drawn, not with those of a file");
}

/// What acts where a task begins or ends, for a stream that tells nobody. Scenario and head are
/// looked at where the stream is known.
void check_task_free(const Settings& s, Config& config) {
  if (!s.stream.task_free) return;
  const auto refuse = [](bool found, const char* what) {
    if (found)
      throw Error(Fault::Config, fmt::format("task_free = true tells nobody where a task begins, "
                                             "but {}",
                                             what));
  };
  const ScheduleOptions& rate = s.learner.schedule;
  const bool of_run = rate.schedule == Schedule::InverseSqrt && rate.sqrt_of == StepsOf::Run;
  refuse((rate.schedule != Schedule::Constant && !of_run) || rate.warmup_steps > 0,
         "the schedule starts anew with every task; use schedule = constant without warm-up, or "
         "inverse_sqrt with sqrt_of = run");
  refuse(s.learner.later_epochs.value_or(s.learner.epochs) != s.learner.epochs,
         "later_epochs treats the first task in another way; leave it at auto");
  refuse(s.optimizer.optimizer_state == StatePolicy::Reset,
         "optimizer_state = reset acts there; use keep");
  refuse(s.fine_tuning.reset_head != ResetHead::Never, "reset_head acts there; use never");
  refuse(s.fine_tuning.freezes() && s.fine_tuning.frozen_from == FrozenFrom::FirstTask,
         "frozen_from = first_task acts there; use start");
  if (!find_entry(rules(), s.rule.rule, "rule").local) return;
  const auto local = config.read<HebbianOptions>();
  refuse(local.blocks || local.later_rate != 1 || local.epochs > 0,
         "hebbian.blocks, hebbian.later_rate and hebbian.epochs act there; use false, 1 and 0");
}

}  // namespace

Settings read_settings(std::string experiment, Config config) {
  Settings s;
  s.experiment = std::move(experiment);
  s.sweep = take_sweep_settings(config);
  if (is_simulation(benchmark_of(config))) {
    read_agent_settings(s, config);
    s.config = std::move(config);
    return s;
  }
  s.stream = config.read<StreamOptions>();
  s.scenario = config.read<ScenarioOptions>();
  s.model = config.read<ModelOptions>();  // for the name, whose defaults may be others
  s.model = config.read(default_options(model_name(s.model)));
  s.learner = config.read<LearnerOptions>();
  s.optimizer = config.read<OptimizerOptions>();
  s.rule = config.read<RuleOptions>();
  s.fine_tuning = config.read<FineTuningOptions>();
  s.evaluation = config.read<EvaluationOptions>();

  // Absent synapses that may come to life, as in the reference, need their memory.
  if (s.learner.rezero != Rezero::Step) {
    if (s.model.weight_storage == WeightStorage::Sparse)
      throw Error(Fault::Config,
                  "weight_storage = sparse keeps no absent synapses, which rezero = "
                  "train_forward and never would let learn; use dense");
    s.model.weight_storage = WeightStorage::Dense;
  }

  const auto at = [&config](const char* key, auto check) { checked_at(config, key, check); };
  at("benchmark", [&] { check_benchmark(s.stream); });
  at("model", [&] { find_entry(models(), model_name(s.model), "model"); });
  at("gating", [&] {
    if (s.model.gating.on()) find_entry(gatings(), s.model.gating.gating, "gating");
  });
  at("rule", [&] {
    find_entry(rules(), s.rule.rule, "rule").read(config);
    check_rule_teaches(s.rule.rule, model_name(s.model));
    make_rule(s.rule.rule, config, {s.rule.loss, s.optimizer.weight_decay});
  });
  check_fine_tuning(s, config);
  check_task_free(s, config);
  at("normalise", [&] { check_inputs(s, config); });
  at("evaluate_validation", [&] {
    if (s.evaluation.evaluate_validation && s.stream.validation == 0)
      throw Error(Fault::Config,
                  "evaluate_validation = yes needs a validation part: set "
                  "validation to the share of the training images that it holds");
  });
  at("optimizer", [&] { find_entry(optimizers(), s.optimizer.optimizer, "optimizer"); });
  at("strategies", [&] { read_strategies(s, config); });

  require_all_used(config);
  s.config = std::move(config);
  return s;
}

}  // namespace engram
