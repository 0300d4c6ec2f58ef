// Agents piece by piece: what they remember, choose and want to learn.
#include "learners/agents/agents.h"

#include <cmath>
#include <map>

#include <gtest/gtest.h>

#include "learners/replay_memory.h"
#include "models/registry.h"
#include "models/sparse_synapses.h"
#include "tests/learners/small_worlds.h"

namespace engram {
namespace {

std::vector<real> numbers(ReplayMemory& memory) {
  std::vector<real> all;
  for (int i = 0; i < memory.size(); ++i)
    all.push_back(memory.row(i)[0]);
  return all;
}

TEST(ReplayMemory, OverwritesTheOldestWhenFull) {
  ReplayMemory memory(3, 2);
  for (const int n : {1, 2, 3, 4, 5}) {
    const auto row = memory.add();
    ASSERT_EQ(row.size(), 2u);
    row[0] = static_cast<real>(n), row[1] = static_cast<real>(-n);
  }
  EXPECT_EQ(memory.size(), 3);
  EXPECT_EQ(numbers(memory), (std::vector<real>{4, 5, 3}));
  EXPECT_EQ(memory.row(1)[1], -5);
  memory.clear();
  EXPECT_EQ(memory.size(), 0);
  memory.add()[0] = 9;
  EXPECT_EQ(numbers(memory), std::vector<real>{9});
}

TEST(ReplayMemory, DrawsEveryRowAsOftenAndOnlyThoseThatAreThere) {
  ReplayMemory memory(50, 1);
  for (int i = 0; i < 10; ++i)
    memory.add()[0] = static_cast<real>(i);
  std::vector<int> rows(20'000), count(10, 0);
  memory.draw(Rng(3), rows);
  for (const int row : rows) {
    ASSERT_TRUE(row >= 0 && row < 10);
    ++count[static_cast<std::size_t>(row)];
  }
  double chi = 0;
  for (const int n : count)
    chi += (n - 2000.) * (n - 2000.) / 2000.;
  EXPECT_LT(chi, 27.9);  // 9 degrees of freedom, one in a thousand
}

TEST(ReplayMemory, ItsStateIsAllThereIs) {
  ReplayMemory a(4, 1), b(4, 1);
  for (int i = 0; i < 6; ++i)
    a.add()[0] = static_cast<real>(i);
  const auto from = a.state(), to = b.state();
  ASSERT_EQ(from.size(), to.size());
  for (std::size_t i = 0; i < from.size(); ++i)
    std::ranges::copy(from[i], to[i].begin());
  a.add()[0] = 6, b.add()[0] = 6;
  EXPECT_EQ(numbers(a), numbers(b));
}

/// A linear network of 5 inputs and 2 outputs, and a DQN with it.
struct Lone {
  explicit Lone(DqnOptions o = small()) {
    net = make_net(1);
    agent = make_dqn(o, {.world = world, .inputs = 5, .net = net.get(), .twin = [&] {
                           return make_net(2);  // other weights: it must copy them itself
                         }});
  }
  static DqnOptions small() {
    DqnOptions o;
    o.memory = 100, o.batch = 40, o.starts = 1, o.copy_every = 3, o.gamma = 0.9;
    o.reward_scale = 0.5;
    return o;
  }
  static std::unique_ptr<Network> make_net(std::uint64_t seed) {
    ModelOptions m;
    m.hidden_layers = 0, m.dropout = 0;
    return build_model(m, {1, 1, 5}, {1, 2, 1}, Rng(seed));
  }
  Signal one_hot(int state) const {
    Signal s;
    const Mat x = s.resize(1, 5);
    std::ranges::fill(x.all(), real{0});
    x.row(0)[state] = 1;
    return s;
  }
  /// Remembers a step from state to state by a choice, which exploring must have made.
  void remember(int from, int choice, int to, double reward, Ended ended) {
    const Signal before = one_hot(from), after = one_hot(to);
    real action = 0;
    std::uint64_t dice = 0;
    do  // until chance makes that choice
      agent->explore({world, before}, {0, 1}, Rng(dice++), {&action, 1, 1});
    while ((action > 0) != (choice == 1));
    const real r = static_cast<real>(reward);
    agent->remember({world, before, after, {&r, 1}, {&ended, 1}});
  }
  /// Values of both choices in a state, from the weights.
  static std::array<double, 2> values(const Network& net, int state) {
    const ParamStore& p = net.params();
    std::array<double, 2> q{};
    for (int a = 0; a < 2; ++a)
      for (int id = 0; id < p.count(); ++id) {
        const CMat w = p.value(id);
        q[static_cast<std::size_t>(a)] +=
            static_cast<double>(w.rows == 5 ? w.row(state)[a] : w.data[a]);
      }
    return q;
  }
  ChainWorld world{5, 1};
  std::unique_ptr<Network> net;
  std::unique_ptr<Agent> agent;
};

struct Step {
  int from, choice, to;
  double reward;
  Ended ended;
};
const std::vector<Step> kSteps{{0, 1, 1, 0, Ended::No},
                               {1, 0, 0, 0.5, Ended::No},
                               {2, 1, 3, -1, Ended::Truncated},
                               {3, 1, 4, 2, Ended::Terminal},
                               {3, 0, 2, 0, Ended::No}};

void expect_targets(Lone& lone, const std::vector<real>& copied, bool double_q) {
  const auto copy = Lone::make_net(3);
  std::ranges::copy(copied, copy->params().values().begin());
  Batch batch;
  lone.agent->recall(batch, Rng(11));
  ASSERT_EQ(batch.rows(), 40);
  ASSERT_EQ(batch.goal.rows(), 40);
  ASSERT_EQ(batch.mask.size(), 40u);
  std::map<std::pair<int, int>, int> met;
  bool disagree = false;
  for (int i = 0; i < 40; ++i) {
    const real* x = batch.x.value().row(i);
    const int from = static_cast<int>(std::find(x, x + 5, real{1}) - x);
    const auto mask = batch.mask[static_cast<std::size_t>(i)];
    ASSERT_EQ(mask.size(), 2u);
    ASSERT_EQ(mask[0] + mask[1], 1);
    const int choice = mask[1];
    ++met[{from, choice}];
    const auto step = std::ranges::find_if(
        kSteps, [&](const Step& s) { return s.from == from && s.choice == choice; });
    ASSERT_NE(step, kSteps.end());
    const auto online = Lone::values(*lone.net, step->to), judge = Lone::values(*copy, step->to);
    const auto& chooser = double_q ? online : judge;
    const std::size_t best = chooser[1] > chooser[0];
    disagree = disagree || (online[1] > online[0]) != (judge[1] > judge[0]);
    const double future = step->ended == Ended::Terminal ? 0 : 0.9 * judge[best];
    EXPECT_NEAR(batch.goal.value().row(i)[choice], 0.5 * step->reward + future, 1e-5)
        << from << " " << choice;
  }
  EXPECT_EQ(met.size(), kSteps.size());
  EXPECT_TRUE(disagree) << "the test cannot tell who chooses";
}

TEST(Dqn, TargetsAreThoseOfTheEquation) {
  for (const bool double_q : {true, false}) {
    DqnOptions o = Lone::small();
    o.double_q = double_q;
    Lone lone(o);
    const auto values = lone.net->params().values();
    const std::vector<real> copied(values.begin(), values.end());
    for (const Step& s : kSteps)
      lone.remember(s.from, s.choice, s.to, s.reward, s.ended);
    // The network has moved on since it was copied: what it would choose is the other way round.
    for (real& w : lone.net->params().values())
      w = -w;
    expect_targets(lone, copied, double_q);
  }
}

TEST(Dqn, TheJudgeIsRenewedEverySoManyUpdates) {
  Lone lone;
  for (const Step& s : kSteps)
    lone.remember(s.from, s.choice, s.to, s.reward, s.ended);
  const auto judge = [&] {
    const auto state = lone.agent->state();
    return std::vector<real>(state[2].begin(), state[2].end());
  };
  const auto online = [&] {
    const auto raw = lone.net->params().raw_values();
    return std::vector<real>(raw.begin(), raw.end());
  };
  EXPECT_EQ(judge(), online());  // from the beginning
  for (int n = 1; n <= 7; ++n) {
    const auto before = judge();
    for (real& w : lone.net->params().values())
      w += real{0.125};
    lone.agent->after_update(n);
    EXPECT_EQ(judge(), n % 3 == 0 ? online() : before) << n;
  }
}

/// A network whose hidden synapses can be moved, and its judge.
struct Movable {
  Movable() {
    net = make();
    agent = make_dqn(Lone::small(), {.world = world, .inputs = 5, .net = net.get(), .twin = [&] {
                                       auto twin = make();
                                       judge = twin.get();
                                       return twin;
                                     }});
  }
  static std::unique_ptr<Network> make() {
    ModelOptions m;
    m.hidden = {12}, m.dropout = 0, m.rewirable = true;
    m.sparsify = true, m.percent_on_fc = 1, m.weight_sparsity_fc = 0.4;
    return build_model(m, {1, 1, 5}, {1, 2, 1}, Rng(1));
  }
  /// Every synapse leads to the next input.
  void move() {
    for (int l = 0; l < net->depth(); ++l) {
      SparseSynapses* const s = net->layer(l).rewirable();
      if (!s) continue;
      std::vector<std::uint32_t> slots;
      std::vector<SparseSynapses::Edge> edges;
      for (std::uint32_t slot = 0; slot < s->entries(); ++slot) {
        const auto [output, input] = s->edge(slot);
        slots.push_back(slot), edges.push_back({output, (input + 1) % 5});
      }
      s->rewire(slots, edges);
    }
  }
  static std::vector<real> answers(const Network& of) {
    std::vector<real> all;
    Tape tape;
    for (int state = 0; state < 5; ++state) {
      of.evaluate(Lone().one_hot(state), tape, {});
      const CMat out = std::as_const(tape.back().out).value();
      all.insert(all.end(), out.data, out.data + out.size());
    }
    return all;
  }
  ChainWorld world{5, 1};
  std::unique_ptr<Network> net;
  Network* judge = nullptr;
  std::unique_ptr<Agent> agent;
};

TEST(Dqn, TheJudgeFollowsWhereSynapsesMove) {
  Movable m, resumed;
  const auto before = Movable::answers(*m.net);
  EXPECT_EQ(Movable::answers(*m.judge), before);
  m.move();
  const auto after = Movable::answers(*m.net);
  ASSERT_NE(after, before);
  EXPECT_EQ(Movable::answers(*m.judge), before);
  m.agent->after_update(3);
  EXPECT_EQ(Movable::answers(*m.judge), after);
  // And when it is read from a file.
  const auto from = m.agent->state(), to = resumed.agent->state();
  ASSERT_EQ(from.size(), to.size());
  for (std::size_t i = 0; i < from.size(); ++i)
    std::ranges::copy(from[i], to[i].begin());
  resumed.agent->restored();
  EXPECT_EQ(Movable::answers(*resumed.judge), after);
}

TEST(Dqn, EpsilonFallsLinearlyAndStays) {
  DqnOptions o = Lone::small();
  o.epsilon = 1, o.epsilon_final = 0.2, o.epsilon_share = 0.5;
  Lone lone(o);
  EXPECT_DOUBLE_EQ(lone.agent->epsilon({0, 1000}), 1);
  EXPECT_DOUBLE_EQ(lone.agent->epsilon({250, 1000}), 0.6);
  EXPECT_DOUBLE_EQ(lone.agent->epsilon({500, 1000}), 0.2);
  EXPECT_DOUBLE_EQ(lone.agent->epsilon({999, 1000}), 0.2);
}

TEST(Dqn, ExploresAsOftenAsEpsilonSays) {
  DqnOptions o = Lone::small();
  o.epsilon = 1, o.epsilon_final = 0, o.epsilon_share = 1;
  Lone lone(o);
  const Signal seen = lone.one_hot(2);
  real best = 0, action = 0;
  lone.agent->act({lone.world, seen}, Rng(1), {&best, 1, 1});
  for (const auto& [interactions, epsilon] : {std::pair{0, 1.}, {500, 0.5}, {1000, 0.}}) {
    int other = 0;
    for (std::uint64_t i = 0; i < 2000; ++i) {
      lone.agent->explore({lone.world, seen}, {interactions, 1000}, Rng(i), {&action, 1, 1});
      other += action != best;
    }
    EXPECT_NEAR(other / 2000., epsilon / 2, epsilon == 0 ? 0 : 0.035) << epsilon;
  }
}

TEST(Dqn, BatchesAreDueEverySoManyInteractionsOnceThereIsEnough) {
  DqnOptions o = Lone::small();
  o.starts = 3, o.train_every = 4;
  Lone lone(o);
  lone.remember(0, 1, 1, 0, Ended::No), lone.remember(0, 1, 1, 0, Ended::No);
  EXPECT_EQ(lone.agent->updates(0, 8), 0);
  lone.remember(0, 1, 1, 0, Ended::No);
  EXPECT_EQ(lone.agent->updates(0, 3), 0);
  EXPECT_EQ(lone.agent->updates(3, 4), 1);
  EXPECT_EQ(lone.agent->updates(4, 5), 0);
  EXPECT_EQ(lone.agent->updates(5, 45), 10);  // as of forty bodies
}

TEST(Dqn, MemoriesOfARegimeAreForgottenUnlessToldOtherwise) {
  for (const bool clear : {true, false}) {
    ChainWorld world;
    const auto net = Lone::make_net(1);
    const auto agent =
        make_dqn(Lone::small(),
                 {.world = world, .inputs = 5, .clear_memory = clear, .net = net.get(), .twin = [] {
                    return Lone::make_net(2);
                  }});
    const Signal seen = Lone().one_hot(0);
    const real r = 0;
    const Ended e = Ended::No;
    real action = 0;
    agent->explore({world, seen}, {0, 1}, Rng(1), {&action, 1, 1});
    agent->remember({world, seen, seen, {&r, 1}, {&e, 1}});
    agent->begin_regime();
    EXPECT_EQ(agent->updates(0, 2), clear ? 0 : 1);
  }
}

TEST(Levels, AreTheExpertAndAnyChoice) {
  LinearWorld world(2);
  world.reset(Rng(1));
  const Signal nothing;
  std::vector<real> actions(4);
  make_expert({}, {world})->act({world, nothing}, Rng(1), {actions.data(), 2, 2});
  for (int b = 0; b < 2; ++b)
    for (int k = 0; k < 2; ++k)
      EXPECT_FLOAT_EQ(static_cast<float>(actions[static_cast<std::size_t>(2 * b + k)]),
                      static_cast<float>(world.right(b, k)));
  const auto random = make_random({}, {world});
  int ones = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    random->act({world, nothing}, Rng(i), {actions.data(), 2, 2});
    EXPECT_EQ(actions[0], actions[1]);
    ones += actions[0] == 1;
  }
  EXPECT_NEAR(ones, 500, 60);
}

}  // namespace
}  // namespace engram
