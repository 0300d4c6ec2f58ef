// How the learning rate of agents moves within a regime.
#include <cmath>

#include <gtest/gtest.h>

#include "tests/learners/agent_household.h"

namespace engram {
namespace {

constexpr double kRate = 0.01;

/// The rate of every step of the world from which something was learnt, and the interactions of
/// the regime before it.
struct Rates final : public AgentObserver {
  explicit Rates(int of_bodies) : bodies(of_bodies) {}
  void after_step(const Cursor& c, double) override {
    if (c.total_steps == steps) return;
    steps = c.total_steps;
    all.push_back({c.experience, c.step - bodies, c.learning_rate});
  }
  struct Rate {
    int regime = 0;
    std::int64_t from = 0;
    double rate = 0;
  };
  int bodies;
  std::int64_t steps = 0;
  std::vector<Rate> all;
};

/// Two regimes of 600 interactions.
std::vector<Rates::Rate> rates_of(const ScheduleOptions& schedule, int bodies) {
  Plan plan = chain_plan(600);
  plan.options.evaluate_every = 200;
  const Regimes regimes = chains(2, bodies);
  Household h(plan, regimes);
  OptimizerOptions sgd;
  sgd.lr = kRate;
  const auto optimizer = make_optimizer(sgd, h.net->params());
  AgentLearner learner(plan.options, schedule, sgd,
                       {*h.agent, *h.net, *h.rule, *optimizer, h.strategies}, regimes, Rng(5));
  Rates rates(bodies);
  EXPECT_TRUE(learner.run(h.cursor, rates));
  EXPECT_GT(rates.all.size(), 100u);
  return rates.all;
}

TEST(AgentSchedule, ALinearRateEndsAtItsFinalFraction) {
  for (const int bodies : {1, 4, 7}) {  // seven overshoot the end of a regime
    SCOPED_TRACE(bodies);
    for (const auto& [regime, from, rate] : rates_of({.schedule = Schedule::Linear}, bodies)) {
      EXPECT_GE(rate, 0);
      EXPECT_NEAR(rate, kRate * (1 - static_cast<double>(from) / 599), 1e-12);
    }
  }
  EXPECT_NEAR(rates_of({.schedule = Schedule::Linear}, 1).back().rate, 0, 1e-12);
}

TEST(AgentSchedule, AnInverseRootIsOfTheRegimeOrOfTheRun) {
  for (const StepsOf of : {StepsOf::Task, StepsOf::Run}) {
    const ScheduleOptions o{.schedule = Schedule::InverseSqrt, .sqrt_of = of};
    for (const auto& [regime, from, rate] : rates_of(o, 1)) {
      const auto before = of == StepsOf::Run ? 600 * regime : 0;
      EXPECT_NEAR(rate, kRate / std::sqrt(static_cast<double>(before + from + 1)), 1e-12);
    }
  }
}

}  // namespace
}  // namespace engram
