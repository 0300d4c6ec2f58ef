#include "exps/agent_settings.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "exps/run_parts.h"
#include "exps/strategy_settings.h"
#include "learners/registry.h"
#include "learners/strategy.h"
#include "models/registry.h"
#include "utils/find_entry.h"
#include "utils/some_options.h"

namespace engram {
namespace {

using Key = std::string_view;

// Of options that both kinds of run know, those that agents have a use for.
constexpr Key kOfStream[] = {"benchmark"};
constexpr Key kOfLearning[] = {"schedule",       "lr_final", "schedule_hold", "warmup_steps",
                               "step_epochs",    "step_at",  "step_factor",   "restart_epochs",
                               "restart_factor", "sqrt_of"};
constexpr Key kOfRule[] = {"rule", "strategies", "init_seed", "data_seed"};
constexpr Key kOfEvaluation[] = {"keep_weights", "forgetting_definition"};

template <Described T>
T read_some(Config& config, std::span<const Key> keys, T defaults = {}) {
  return config.read(SomeOptions<T>{keys, std::move(defaults)}).options;
}

/// What does for agents what a key does for data sets.
std::string counterpart(const std::string& key) {
  static const std::map<std::string, const char*> kOthers{
      {"epochs", "steps_per_regime"},
      {"train_ep", "steps_per_regime"},
      {"later_epochs", "steps_per_regime"},
      {"batch_size", "dqn.batch or imitation.batch"},
      {"mb_size", "dqn.batch or imitation.batch"},
      {"tasks", "regimes"},
      {"num_batch", "regimes"},
      {"stream", "regimes"},
      {"test_limit", "test_episodes"},
      {"probe_every", "evaluate_every"},
      {"scenario", "regime_input"},
      {"pictures", "film_frames"}};
  const auto found = kOthers.find(key);
  if (found != kOthers.end()) return fmt::format("; use {}", found->second);
  return key == "loss" ? "; every agent has a loss of its own" : "";
}

bool is_for_agents(const OptionGroup& group) {
  return group.name == "simulation" || group.name.starts_with("agent");
}
bool is_for_data(const OptionGroup& group, const std::string& key) {
  const auto kept = [&](std::span<const Key> keys) {
    return std::ranges::find(keys, key) != keys.end();
  };
  if (group.name == "stream") return !kept(kOfStream);
  if (group.name == "learning") return !kept(kOfLearning);
  if (group.name == "rule and strategies") return !kept(kOfRule);
  if (group.name == "evaluation") return !kept(kOfEvaluation);
  return group.name == "scenario" || group.name == "rules of layers that learn by themselves";
}
bool names(const OptionInfo& option, const std::string& key) {
  return option.key == key || std::ranges::find(option.aliases, key) != option.aliases.end();
}

}  // namespace

std::string benchmark_of(const Config& config) {
  const auto value = config.values().find("benchmark");
  return value == config.values().end() ? StreamOptions().benchmark : value->second.text;
}

void checked_at(const Config& config, const std::string& key, const std::function<void()>& check) {
  const auto value = config.values().find(key);
  if (value == config.values().end()) return check();
  try {
    check();
  } catch (const Error& e) {
    const std::string_view what = e.what();
    for (const auto& [_, other] : config.values())
      if (what.starts_with(other.source + ": ")) throw;  // a setting that it read, with its place
    throw Error(e.fault(), fmt::format("{}: {}", value->second.source, what));
  }
}

void require_all_used(const Config& config) {
  const std::vector<OptionGroup> groups = option_groups();
  const std::string benchmark = benchmark_of(config);
  const bool acts = is_simulation(benchmark);
  for (const auto& [key, value] : config.values()) {
    if (value.used || value.inherited) continue;
    for (const OptionGroup& group : groups) {
      const bool here =
          std::ranges::any_of(group.options, [&](const OptionInfo& o) { return names(o, key); });
      if (here && acts && is_for_data(group, key))
        throw Error(Fault::Config,
                    fmt::format("{}: '{}' is for data sets, but benchmark = {} is a simulation{}",
                                value.source, key, benchmark, counterpart(key)));
      if (here && !acts && is_for_agents(group))
        throw Error(Fault::Config,
                    fmt::format("{}: '{}' is for simulations, but benchmark = {} is a data set; "
                                "'engram list simulations' names them",
                                value.source, key, benchmark));
    }
  }
  std::vector<OptionInfo> known;
  for (const OptionGroup& group : groups)
    known.insert(known.end(), group.options.begin(), group.options.end());
  config.require_all_used(known);
}

const AgentEntry& agent_entry(const Settings& s) {
  return find_entry(agents(), s.agent.agent, "agent");
}

Regimes regimes_of(const Settings& s) {
  Regimes regimes{s.simulation.regimes, {}};
  if (regimes.names.empty())
    regimes.names = find_entry(simulations(), s.stream.benchmark, "benchmark").regimes();
  regimes.make = [names = regimes.names, benchmark = s.stream.benchmark, options = s.simulation](
                     int regime, Role role) {
    SimulationOptions those = options;
    // However many learn at once, all are judged by the same worlds.
    if (role == Role::Test) those.bodies = 0;
    return make_simulation(benchmark, those, names[static_cast<std::size_t>(regime)], role);
  };
  return regimes;
}

Senses senses_of(const Settings& s, const Regimes& regimes) {
  return Senses(s.agent.regime_input ? regimes.count() : 0);
}

Minds make_minds(const Settings& s, const Regimes& regimes, std::uint64_t seed) {
  Minds m;
  Config config = s.config;
  const auto world = regimes.make(0, Role::Train);
  const Rng init = root_of(s.rule.init_seed, seed);
  const int inputs = senses_of(s, regimes).inputs(*world), outputs = agent_entry(s).outputs(*world);
  const auto make_net = [&] {
    return build_model(s.model, {1, 1, inputs}, {1, outputs, 1}, init.fork("init"), 1,
                       m.rule->feedback());
  };
  AgentContext context{.world = *world, .inputs = inputs, .clear_memory = s.agent.clear_memory};
  if (outputs > 0) {
    m.rule = make_rule(s.rule.rule, s.config, {agent_entry(s).loss, s.optimizer.weight_decay});
    m.net = make_net();
    m.optimizer = make_optimizer(s.optimizer, m.net->params());
    m.rule->prepare(*m.net, init.fork("rule"));
    m.strategies =
        make_strategies(s.rule.strategies, config,
                        {.net = *m.net, .loss = agent_entry(s).loss, .rule = m.rule.get()});
    context.net = m.net.get(), context.twin = make_net;
  }
  m.agent = agent_entry(s).make(config, context);
  return m;
}

namespace {

void check_dendrites(const Settings& s) {
  if (s.model.dendrites.on())
    throw Error(Fault::Config,
                fmt::format("dendrites.segments = {}: contexts of dendrites are made of images, "
                            "which agents do not have; use 0",
                            s.model.dendrites.segments));
}

void check_model(const Settings& s) {
  if (s.model.gating.on())
    throw Error(Fault::Config,
                fmt::format("gating = {} opens units by the task of an example, which agents do "
                            "not know; use regime_input = yes to tell them the regime",
                            s.model.gating.gating));
}

/// Rules that send an error of any kind down, from the outputs to the lowest layer.
void check_rule(const Settings& s) {
  const RuleEntry& entry = find_entry(rules(), s.rule.rule, "rule");
  if (entry.local || !entry.model.empty())
    throw Error(Fault::Config, fmt::format("rule = {} is not for agents, which learn by the error "
                                           "of their outputs; use backprop or feedback_alignment",
                                           s.rule.rule));
}

void check_regimes(const Settings& s) {
  const auto& names = s.simulation.regimes;
  for (auto name = names.begin(); name != names.end(); ++name)
    if (std::find(names.begin(), name, *name) != name)
      throw Error(Fault::Config, fmt::format("regimes: '{}' stands there twice", *name));
  const Regimes regimes = regimes_of(s);
  for (int r = 0; r < regimes.count(); ++r)
    regimes.make(r, Role::Train);
}

}  // namespace

void read_agent_settings(Settings& s, Config& config) {
  s.stream = read_some<StreamOptions>(config, kOfStream);
  s.simulation = config.read<SimulationOptions>();
  s.agent = config.read<AgentOptions>();
  s.evaluation = read_some<EvaluationOptions>(config, kOfEvaluation);
  const auto at = [&config](const char* key, auto check) { checked_at(config, key, check); };
  at("agent", [&] { agent_entry(s).read(config); });
  at("regimes", [&] { check_regimes(s); });
  if (agent_entry(s).outputs(*regimes_of(s).make(0, Role::Train)) > 0) {
    s.model = config.read<ModelOptions>();  // for the name, whose defaults may be others
    s.model = config.read(default_options(model_name(s.model)));
    s.learner = read_some<LearnerOptions>(config, kOfLearning);
    s.optimizer = config.read<OptimizerOptions>();
    s.rule = read_some<RuleOptions>(config, kOfRule);
    at("model", [&] { find_entry(models(), model_name(s.model), "model"); });
    at("strategies", [&] { read_strategies(s, config); });
    at("gating", [&] { check_model(s); });
    at("dendrites.segments", [&] { check_dendrites(s); });
    at("rule", [&] {
      find_entry(rules(), s.rule.rule, "rule").read(config);
      check_rule_teaches(s.rule.rule, model_name(s.model));
      check_rule(s);
    });
    at("optimizer", [&] { find_entry(optimizers(), s.optimizer.optimizer, "optimizer"); });
  }
  require_all_used(config);
}

}  // namespace engram
