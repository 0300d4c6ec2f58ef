// Everything that an agent learns with, and small plans for it.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "learners/agent_learner.h"
#include "learners/registry.h"
#include "models/registry.h"
#include "tests/learners/small_worlds.h"
#include "utils/find_entry.h"

namespace engram {

inline Regimes chains(int count, int bodies = 1) {
  Regimes regimes;
  for (int r = 0; r < count; ++r)
    regimes.names.push_back("chain " + std::to_string(r));
  regimes.make = [bodies](int, Role) { return std::make_unique<ChainWorld>(5, bodies); };
  return regimes;
}

struct Plan {
  std::string agent = "dqn", rule = "backprop";
  std::vector<std::string> strategies{};
  AgentOptions options{};
  std::vector<std::pair<std::string, std::string>> keys{};
  int hidden = 12;
  double lr = 0.01;
  double density = 1;  ///< of the hidden synapses; below 1 they can be moved
};

inline Plan chain_plan(int steps) {
  Plan p;
  p.options.steps_per_regime = steps, p.options.evaluate_every = 500;
  p.keys = {{"dqn.memory", "400"},     {"dqn.batch", "16"},         {"dqn.starts", "50"},
            {"dqn.copy_every", "40"},  {"dqn.train_every", "2"},    {"dqn.gamma", "0.9"},
            {"dqn.reward_scale", "1"}, {"dqn.epsilon_share", "0.8"}};
  return p;
}

/// Everything that an agent learns with.
struct Household {
  Household(const Plan& plan, const Regimes& regimes, std::uint64_t seed = 5)
      : world(regimes.make(0, Role::Train)) {
    Config config;
    for (const auto& [key, value] : plan.keys)
      config.set(key, value, "test");
    const AgentEntry& entry = find_entry(agents(), plan.agent, "agent");
    rule = make_rule(plan.rule, config, {.loss = entry.loss, .weight_decay = 1e-4});
    const Senses senses(plan.options.regime_input ? regimes.count() : 0);
    ModelOptions m;
    m.hidden_units = plan.hidden, m.dropout = 0;
    if (plan.hidden == 0) m.hidden_layers = 0;
    if (plan.density < 1)
      m.sparsify = m.rewirable = true, m.percent_on_fc = 1, m.weight_sparsity_fc = plan.density;
    const auto build = [&] {
      return build_model(m, {1, 1, senses.inputs(*world)}, {1, entry.outputs(*world), 1},
                         Rng(seed).fork("init"), 1, rule->feedback());
    };
    net = build();
    rule->prepare(*net, Rng(seed).fork("rule"));
    agent = entry.make(config, {.world = *world,
                                .inputs = senses.inputs(*world),
                                .clear_memory = plan.options.clear_memory,
                                .net = net.get(),
                                .twin = build});
    oo.optimizer = "adam", oo.lr = plan.lr, oo.weight_decay = 1e-4;
    optimizer = make_optimizer(oo, net->params());
    for (const std::string& name : plan.strategies)
      strategies.push_back(make_strategy(name, config, {.net = *net, .loss = entry.loss}));
    learner = std::make_unique<AgentLearner>(
        plan.options, ScheduleOptions{}, oo,
        AgentParts{*agent, *net, *rule, *optimizer, strategies}, regimes, Rng(seed));
  }
  std::vector<real> weights() const {
    const auto values = net->params().values();
    return {values.begin(), values.end()};
  }

  std::unique_ptr<Simulation> world;
  std::unique_ptr<Rule> rule;
  std::unique_ptr<Network> net;
  std::unique_ptr<Agent> agent;
  OptimizerOptions oo;
  std::unique_ptr<Optimizer> optimizer;
  StrategyList strategies;
  std::unique_ptr<AgentLearner> learner;
  Cursor cursor;
};

struct Notes final : public AgentObserver {
  void before_training() override { order += "["; }
  void after_epoch(const EpochRow& row, std::int64_t interactions, double mean) override {
    rows.push_back(row), places.push_back(interactions), returns.push_back(mean);
    order += "e";
  }
  void after_regime(int) override { order += "|"; }
  void may_save(const Cursor&) override { ++offers; }
  bool stop_requested() override { return offers == stop_at; }
  std::vector<EpochRow> rows;
  std::vector<std::int64_t> places;
  std::vector<double> returns;
  std::string order;
  int offers = 0, stop_at = -1;
};

}  // namespace engram
