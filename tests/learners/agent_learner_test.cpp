// The loop of agents: what is learnt, in which order, and to the same bits.
#include "learners/agent_learner.h"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/learners/agent_household.h"
#include "utils/parallel.h"

namespace engram {
namespace {

/// How many steps of its own choice take the agent to the end of a chain; 20: it does not get
/// there.
int steps_to_the_end(Agent& agent, int regimes = 0, int regime = 0) {
  ChainWorld world(5, 1);
  world.reset(Rng(0));
  Senses senses(regimes);
  Signal seen;
  real action = 0, reward = 0;
  Ended ended = Ended::No;
  for (int n = 1; n <= 20; ++n) {
    senses.look(world, regime, seen);
    agent.act({world, seen}, Rng(0), {&action, 1, 1});
    world.step({&action, 1, 1}, {&reward, 1}, {&ended, 1});
    if (ended == Ended::Terminal) return n;
  }
  return 20;
}

TEST(AgentLearner, LearnsAChainByQ) {
  for (const int bodies : {1, 4}) {
    const Regimes regimes = chains(1, bodies);
    Household h(chain_plan(6000), regimes);
    Notes notes;
    ASSERT_TRUE(h.learner->run(h.cursor, notes));
    EXPECT_EQ(steps_to_the_end(*h.agent), 4);
    // Values are known: 1 beside the end, 0.9 times as much with every step away from it.
    ChainWorld world(5, 1);
    Signal seen;
    Tape tape;
    for (int state = 3; state >= 0; --state) {
      Mat x = seen.resize(1, 5);
      std::ranges::fill(x.all(), real{0});
      x.row(0)[state] = 1;
      h.net->evaluate(seen, tape, {});
      EXPECT_NEAR(tape.back().out.value().row(0)[1], std::pow(0.9, 3 - state), 0.1)
          << "state " << state << ", " << bodies << " bodies";
    }
    EXPECT_GT(notes.returns.back(), 0.8);
    EXPECT_EQ(notes.order, "[eeeeeeeeeeee|");
    EXPECT_EQ(notes.places.back(), 6000);
    EXPECT_TRUE(std::isnan(notes.rows.front().train_accuracy));
    EXPECT_LT(notes.rows.back().loss, 0.01);
  }
}

TEST(AgentLearner, ImitationBecomesItsLinearExpert) {
  Regimes regimes{{"linear"}, [](int, Role) { return std::make_unique<LinearWorld>(2); }};
  Plan plan;
  plan.agent = "imitation", plan.hidden = 0, plan.lr = 0.02;
  plan.options.steps_per_regime = 3000, plan.options.evaluate_every = 1000;
  plan.keys = {{"imitation.batch", "32"}};
  Household h(plan, regimes);
  Notes notes;
  ASSERT_TRUE(h.learner->run(h.cursor, notes));
  LinearWorld world(2);
  world.reset(Rng(3));
  Senses senses(0);
  Signal seen;
  senses.look(world, 0, seen);
  std::vector<real> actions(4);
  h.agent->act({world, seen}, Rng(0), {actions.data(), 2, 2});
  for (int b = 0; b < 2; ++b)
    for (int k = 0; k < 2; ++k)
      EXPECT_NEAR(actions[static_cast<std::size_t>(2 * b + k)], world.right(b, k), 2e-3);
  EXPECT_LT(notes.rows.back().loss, 1e-4);
}

TEST(AgentLearner, TheExpertActsInTheFirstEpisodes) {
  LinearWorld* made = nullptr;  // the last one, to look into it
  Regimes regimes{{"linear"}, [&](int, Role) {
                    auto world = std::make_unique<LinearWorld>(2);
                    made = world.get();
                    return world;
                  }};
  Plan plan;
  plan.agent = "imitation", plan.hidden = 0, plan.lr = 1e-9;  // learns nothing to speak of
  plan.options.steps_per_regime = 48, plan.options.evaluate_every = 100;
  plan.keys = {{"imitation.expert_episodes", "3"}};
  Household h(plan, regimes);
  struct Watch final : public AgentObserver {
    void after_regime(int) override { taken = (*made)->taken; }
    LinearWorld** made;
    std::vector<double> taken;
  } watch;
  watch.made = &made;
  ASSERT_TRUE(h.learner->run(h.cursor, watch));
  ASSERT_EQ(watch.taken.size(), 48u);
  LinearWorld world(2);
  world.reset(Rng(0));
  std::vector<real> none(4);
  std::vector<real> reward(2);
  std::vector<Ended> how(2);
  for (std::size_t t = 0; t < 24; ++t) {
    for (std::size_t b = 0; b < 2; ++b) {
      // Episodes 0 and 1 begin at once, 2 and 3 after six steps.
      const std::size_t episode = 2 * (t / 6) + b;
      const double right = world.right(static_cast<int>(b), 0);
      if (episode < 3)
        EXPECT_NEAR(watch.taken[2 * t + b], right, 1e-6) << t << " " << b;
      else
        EXPECT_GT(std::abs(watch.taken[2 * t + b] - right), 1e-6) << t << " " << b;
    }
    world.step({none.data(), 2, 2}, reward, how);
  }
}

TEST(AgentLearner, RegimeInputTellsWhatIsWanted) {
  // The same observations with opposite experts: only those who are told can do both.
  Regimes regimes{{"plus", "minus"},
                  [](int r, Role) { return std::make_unique<LinearWorld>(2, r == 0 ? 1 : -1); }};
  for (const bool told : {true, false}) {
    Plan plan;
    plan.agent = "imitation", plan.hidden = 24, plan.lr = 0.01;
    plan.options.steps_per_regime = 4000, plan.options.regime_input = told;
    plan.options.clear_memory = false;
    Household h(plan, regimes);
    Notes notes;
    ASSERT_TRUE(h.learner->run(h.cursor, notes));
    EXPECT_EQ(notes.order, "[e|e|");
    LinearWorld first(2);
    Senses senses(told ? 2 : 0);
    Signal seen;
    senses.look(first, 0, seen);
    std::vector<real> actions(4);
    h.agent->act({first, seen}, Rng(0), {actions.data(), 2, 2});
    double far = 0;
    for (int b = 0; b < 2; ++b)
      far += std::abs(static_cast<double>(actions[static_cast<std::size_t>(2 * b)]) -
                      first.right(b, 0));
    if (told)
      EXPECT_LT(far, 0.2);
    else
      EXPECT_GT(far, 0.4);
  }
}

TEST(AgentLearner, RulesAndStrategiesCompose) {
  for (const char* rule : {"backprop", "feedback_alignment", "direct_feedback", "kolen_pollack"}) {
    Plan plan = chain_plan(2000);
    plan.rule = rule, plan.strategies = {"l2"};
    const Regimes regimes = chains(2);
    Household h(plan, regimes);
    Notes notes;
    ASSERT_TRUE(h.learner->run(h.cursor, notes)) << rule;
    EXPECT_TRUE(std::isfinite(notes.rows.back().loss)) << rule;
    EXPECT_EQ(notes.rows.back().alignment.empty(), std::string(rule) == "backprop") << rule;
  }
  Plan plan = chain_plan(100);
  plan.rule = "class_means";
  const Regimes regimes = chains(1);
  EXPECT_THROW(Household(plan, regimes), Error);
}

TEST(AgentLearner, L2HoldsWeightsBack) {
  const auto moved = [](const char* lambda) {
    Plan plan = chain_plan(1500);
    plan.strategies = {"l2"};
    plan.keys.emplace_back("l2.lambda", lambda);
    const Regimes regimes = chains(2);
    Household h(plan, regimes);
    struct Watch final : public AgentObserver {
      void after_regime(int regime) override {
        if (regime == 0) first = h->weights();
      }
      Household* h;
      std::vector<real> first;
    } watch;
    watch.h = &h;
    EXPECT_TRUE(h.learner->run(h.cursor, watch));
    double sum = 0;
    const auto last = h.weights();
    for (std::size_t i = 0; i < last.size(); ++i)
      sum += std::abs(static_cast<double>(last[i] - watch.first[i]));
    return sum;
  };
  EXPECT_LT(moved("100"), 0.5 * moved("0"));
}

TEST(AgentLearner, SameBitsForAnyNumberOfThreads) {
  std::vector<real> first;
  for (const int threads : {1, 2, 3}) {
    set_threads(threads);
    for (const char* agent : {"dqn", "imitation"}) {
      Plan plan = chain_plan(1200);
      plan.agent = agent, plan.hidden = 70;
      const Regimes regimes = chains(1, 3);
      Household h(plan, regimes);
      Notes notes;
      ASSERT_TRUE(h.learner->run(h.cursor, notes));
      const auto weights = h.weights();
      if (threads == 1 && std::string(agent) == "dqn") first = weights;
      if (std::string(agent) == "dqn") {
        EXPECT_EQ(weights, first) << threads;
      }
    }
  }
  set_threads(1);
}

TEST(AgentLearner, GoesOnFromAnywhereToTheSameBits) {
  for (const auto& [agent, strategy] :
       {std::pair{"dqn", "l2"}, {"imitation", "l2"}, {"dqn", "set"}, {"imitation", "set"}}) {
    Plan plan = chain_plan(700);
    plan.agent = agent;
    plan.options.evaluate_every = 300;
    plan.strategies = {strategy};
    if (strategy == std::string("set")) plan.density = 0.4;
    const Regimes regimes = chains(2, 2);
    Household whole(plan, regimes);
    Notes all;
    ASSERT_TRUE(whole.learner->run(whole.cursor, all));
    // Early, within an epoch, at the border of regimes, in the second one.
    for (const int stop : {1, 130, 350, 351, 500}) {
      Household first(plan, regimes), second(plan, regimes);
      Notes before, after;
      before.stop_at = stop;
      ASSERT_FALSE(first.learner->run(first.cursor, before)) << stop;
      const auto carry = [&](auto from, auto to) {
        ASSERT_EQ(from.size(), to.size());
        for (std::size_t i = 0; i < from.size(); ++i)
          std::ranges::copy(from[i], to[i].begin());
      };
      std::ranges::copy(first.net->params().raw_values(),
                        second.net->params().raw_values().begin());
      std::ranges::copy(first.net->params().states(), second.net->params().states().begin());
      second.net->restored();
      carry(first.optimizer->state(), second.optimizer->state());
      second.optimizer->set_steps(first.optimizer->steps());
      carry(first.agent->state(), second.agent->state());
      carry(first.strategies[0]->state(), second.strategies[0]->state());
      second.cursor = first.cursor;
      second.learner->load(first.learner->save());
      ASSERT_TRUE(second.learner->run(second.cursor, after)) << stop;
      EXPECT_EQ(second.weights(), whole.weights()) << agent << ", stopped after " << stop;
      std::vector<double> losses, expected;
      for (const Notes* notes : {&before, &after})
        for (const EpochRow& row : notes->rows)
          losses.push_back(row.loss);
      for (const EpochRow& row : all.rows)
        expected.push_back(row.loss);
      ASSERT_EQ(losses.size(), expected.size());
      for (std::size_t i = 0; i < losses.size(); ++i)
        EXPECT_DOUBLE_EQ(losses[i], expected[i]) << agent << ", stopped after " << stop;
    }
  }
}

/// Notes where every step of a regime stands.
struct Places final : Strategy {
  explicit Places(std::size_t regimes) : of(regimes) {}
  void after_step(Training& t, const Batch&) override {
    EXPECT_EQ(t.epochs, 3);
    EXPECT_EQ(t.epoch_steps, 117);
    EXPECT_TRUE(t.epoch >= 0 && t.epoch < t.epochs && t.epoch_step >= 0 &&
                t.epoch_step < t.epoch_steps);
    of[static_cast<std::size_t>(t.phase)].push_back(t.epoch * t.epoch_steps + t.epoch_step);
  }
  std::vector<std::vector<std::int64_t>> of;
};

TEST(AgentLearner, StrategiesKnowWhereInARegimeAStepIs) {
  for (const int bodies : {1, 4}) {
    Plan plan = chain_plan(700);  // a batch is due every second interaction, in 3 stretches
    plan.options.evaluate_every = 300;
    const Regimes regimes = chains(2, bodies);
    Household h(plan, regimes);
    auto places = std::make_unique<Places>(2);
    const Places& noted = *places;
    h.strategies.push_back(std::move(places));
    Notes nobody;
    ASSERT_TRUE(h.learner->run(h.cursor, nobody));
    std::vector<std::int64_t> all;  // but for the first 24, when there was too little to learn from
    for (std::int64_t step = 24; step < 350; ++step)
      all.push_back(step);
    for (const auto& of_regime : noted.of)
      EXPECT_EQ(of_regime, all) << bodies;
  }
}

TEST(AgentLearner, SynapsesMoveWhenTheirStrategiesSay) {
  for (const char* strategy : {"set", "rigl", "dynamic_synapses"}) {
    SCOPED_TRACE(strategy);
    Plan plan = chain_plan(1000);
    plan.strategies = {strategy}, plan.density = 0.4;
    for (const auto& key : {std::pair{"rigl.every", "20"},
                            {"dynamic_synapses.every", "20"},
                            {"dynamic_synapses.claims", "no"}})
      plan.keys.emplace_back(key);
    const Regimes regimes = chains(1);
    Household h(plan, regimes);
    struct Watch final : public AgentObserver {
      std::vector<real> structure() const {
        const auto states = net->params().states();
        return {states.begin(), states.end()};
      }
      void after_step(const Cursor&, double) override {
        auto now = structure();
        moved += now != last;
        last = std::move(now);
      }
      Network* net = nullptr;
      std::vector<real> last;
      int moved = 0;
    } watch;
    watch.net = h.net.get(), watch.last = watch.structure();
    ASSERT_TRUE(h.learner->run(h.cursor, watch));
    if (strategy == std::string("set"))
      EXPECT_EQ(watch.moved, 2);  // of 500 interactions each
    else
      EXPECT_GT(watch.moved, 1);
  }
}

TEST(AgentLearner, RefusesAWorldThatWasNotSavedHere) {
  const Regimes regimes = chains(1);
  Household h(chain_plan(100), regimes);
  EXPECT_THROW(h.learner->load(std::vector<double>{0, 0}), Error);
  EXPECT_THROW(h.learner->load(std::vector<double>{0, 0, 7, 0}), Error);
  EXPECT_THROW(h.learner->load(std::vector<double>{0, 0, std::nan(""), 0}), Error);
}

TEST(AgentLearner, LongGradientsAreShortened) {
  // One step of plain descent: the weights move by the learning rate times the norm, at most.
  for (const double longest : {0., 0.01}) {
    Plan plan = chain_plan(60);
    plan.keys.emplace_back("dqn.longest_gradient", std::to_string(longest));
    plan.keys.emplace_back("dqn.reward_scale", "1000");
    std::erase_if(plan.keys, [](const auto& key) { return key.second == "1"; });
    const Regimes regimes = chains(1);
    Household h(plan, regimes);
    OptimizerOptions sgd;
    sgd.lr = 1;
    const auto optimizer = make_optimizer(sgd, h.net->params());
    AgentLearner learner(plan.options, {}, sgd,
                         {*h.agent, *h.net, *h.rule, *optimizer, h.strategies}, regimes, Rng(5));
    struct Watch final : public AgentObserver {
      void after_step(const Cursor& c, double) override {
        const auto now = h->weights();
        if (c.total_steps == 1 && moved == 0)
          for (std::size_t i = 0; i < now.size(); ++i)
            moved += std::pow(static_cast<double>(now[i] - before[i]), 2);
        before = now;
      }
      Household* h;
      std::vector<real> before;
      double moved = 0;
    } watch;
    watch.h = &h, watch.before = h.weights();
    ASSERT_TRUE(learner.run(h.cursor, watch));
    if (longest > 0)
      EXPECT_NEAR(std::sqrt(watch.moved), longest, 1e-4);
    else
      EXPECT_GT(std::sqrt(watch.moved), 0.02);
  }
}

}  // namespace
}  // namespace engram
