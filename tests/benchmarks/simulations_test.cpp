// What every simulation of the table keeps to, in every regime.
#include "benchmarks/simulations/simulations.h"

#include <cmath>
#include <limits>

#include "tests/benchmarks/helpers.h"
#include "tests/benchmarks/simulation_helpers.h"
#include "utils/parallel.h"

namespace engram {
namespace {

using testing::HasSubstr;

std::string complaint(std::string_view name, std::string_view regime) {
  try {
    make_simulation(name, {}, regime, Role::Train);
  } catch (const Error& e) {
    EXPECT_EQ(e.fault(), Fault::Config);
    return e.what();
  }
  return "";
}

TEST(Simulations, AreKnownByName) {
  EXPECT_TRUE(is_simulation("flock"));
  EXPECT_TRUE(is_simulation("drive"));
  EXPECT_FALSE(is_simulation("mnist"));
  EXPECT_FALSE(is_simulation(""));
}

TEST(Simulations, SuggestTheNearestNames) {
  EXPECT_THAT(complaint("flocks", "mixed"), HasSubstr("did you mean 'flock'"));
  EXPECT_THAT(complaint("drive", "trafic"), HasSubstr("did you mean 'traffic'"));
  EXPECT_THAT(complaint("flock", "circus"), HasSubstr("known: mixed, align"));
}

struct Case {
  std::string name, regime;
};
void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name << " " << c.regime;
}

std::vector<Case> all_cases() {
  std::vector<Case> out;
  for (const SimulationEntry& entry : simulations())
    for (const std::string& regime : entry.regimes())
      out.push_back({std::string(entry.name), regime});
  return out;
}

class EverySimulation : public testing::TestWithParam<Case> {
 protected:
  Play make(Role role = Role::Train, int bodies = 5) {
    return play(GetParam().name, GetParam().regime, role, bodies);
  }
  /// Steps at random, restarting whoever ended; rewards and sights of all of it.
  std::vector<real> wander(Play& p, int steps, std::uint64_t seed = 1) {
    std::vector<real> out;
    Rng rng(seed);
    for (int t = 0; t < steps; ++t) {
      p.choose_at_random(rng);
      p.step();
      out.insert(out.end(), p.rewards.begin(), p.rewards.end());
      p.observed();
      out.insert(out.end(), p.seen.begin(), p.seen.end());
      p.world->restart(p.ended);
    }
    return out;
  }
};

TEST_P(EverySimulation, HasAsManyBodiesAsItsAuthorsOrAsAsked) {
  EXPECT_GT(make(Role::Train, 0).world->bodies(), 0);
  EXPECT_EQ(make(Role::Test, 0).world->bodies(), GetParam().name == "drive" ? 20 : 80);
  EXPECT_EQ(make(Role::Train, 7).world->bodies(), 7);
  EXPECT_FALSE(make().world->describe().empty());
}

TEST_P(EverySimulation, RepeatsItselfFromTheSameNumbers) {
  Play a = make(), b = make(), c = make();
  a.world->reset(Rng(1)), b.world->reset(Rng(2)), c.world->reset(Rng(1));
  const auto first = wander(a, 400);
  EXPECT_NE(first, wander(b, 400));
  EXPECT_EQ(first, wander(c, 400));
  a.world->reset(Rng(1));
  EXPECT_EQ(first, wander(a, 400)) << "reset forgets the past";
}

TEST_P(EverySimulation, HasTheSameBitsOnAnyNumberOfThreads) {
  Play a = make(Role::Train, 40), b = make(Role::Train, 40);
  a.world->reset(Rng(1)), b.world->reset(Rng(1));
  const auto alone = wander(a, 60);
  set_threads(3);
  const auto shared = wander(b, 60);
  set_threads(1);
  EXPECT_EQ(alone, shared);
}

TEST_P(EverySimulation, GoesOnFromACheckpointBitForBit) {
  Play a = make(), b = make();
  a.world->reset(Rng(1)), b.world->reset(Rng(9));
  wander(a, 333, 5);
  const std::vector<double> saved = a.world->save();
  b.world->load(saved);
  EXPECT_EQ(saved, b.world->save());
  EXPECT_EQ(wander(a, 700, 6), wander(b, 700, 6));
  Play fresh = make();
  fresh.world->load(saved);
  EXPECT_EQ(saved, fresh.world->save()) << "without a reset before it";
}

TEST_P(EverySimulation, RefusesBrokenCheckpointsAndStaysAsItWas) {
  Play p = make();
  p.world->reset(Rng(1));
  wander(p, 50);
  const std::vector<double> good = p.world->save();
  std::vector<std::vector<double>> broken(5, good);
  broken[0].pop_back(), broken[1].push_back(0), broken[2].clear();
  broken[3].back() = 1e300, broken[4].back() = std::numeric_limits<double>::quiet_NaN();
  for (const auto& bad : broken) {
    try {
      p.world->load(bad);
      ADD_FAILURE() << "took what it should not";
    } catch (const Error& e) {
      EXPECT_EQ(e.fault(), Fault::Data);
    }
    EXPECT_EQ(p.world->save(), good);
  }
  EXPECT_THROW(make(Role::Train, 6).world->load(good), Error) << "of another number of bodies";
  Play other = play(GetParam().name == "drive" ? "flock" : "drive", "mixed", Role::Train, 5);
  EXPECT_THROW(other.world->load(good), Error);
}

TEST_P(EverySimulation, RefusesActionsThatAreNoNumbers) {
  Play p = make();
  p.world->reset(Rng(1));
  const auto before = p.world->save();
  p.actions[1] = std::numeric_limits<real>::quiet_NaN();
  try {
    p.step();
    ADD_FAILURE();
  } catch (const Error& e) {
    EXPECT_EQ(e.fault(), Fault::Numerical);
  }
  EXPECT_EQ(p.world->save(), before);
}

TEST_P(EverySimulation, ClipsActionsToWhatIsPossible) {
  Play a = make(), b = make();
  a.world->reset(Rng(1)), b.world->reset(Rng(1));
  for (int t = 0; t < 30; ++t) {
    std::fill(a.actions.begin(), a.actions.end(), real(1e30));
    std::fill(b.actions.begin(), b.actions.end(), real(1e6));
    a.step(), b.step();
  }
  EXPECT_EQ(a.world->save(), b.world->save());
}

TEST_P(EverySimulation, LeavesThoseWhoEndedWhereTheyAre) {
  Play p = make();
  p.world->reset(Rng(3));
  Rng rng(2);
  for (int t = 0; t < 900; ++t) {
    p.choose_at_random(rng);
    p.step();
  }
  for (const Ended e : p.ended)
    EXPECT_NE(e, Ended::No);
  p.observed();
  const auto seen = p.seen;
  const auto saved = p.world->save();
  const auto ended = p.ended;
  p.choose_at_random(rng);
  p.step();
  EXPECT_EQ(p.world->save(), saved);
  EXPECT_EQ(p.ended, ended);
  p.observed();
  EXPECT_EQ(p.seen, seen);
  for (const real reward : p.rewards)
    EXPECT_EQ(reward, 0);
  p.world->restart(p.ended);
  p.step();
  for (const Ended e : p.ended)
    EXPECT_EQ(e, Ended::No);
}

TEST_P(EverySimulation, IsBestPlayedByItsExpert) {
  double expert = 0, random = 0;
  Play a = make(Role::Test, 0), b = make(Role::Test, 0);
  a.world->reset(Rng(1)), b.world->reset(Rng(1));
  Rng rng(4);
  for (int t = 0; t < 250; ++t) {
    a.ask_expert(), b.choose_at_random(rng);
    a.step(), b.step();
    for (std::size_t i = 0; i < a.rewards.size(); ++i)
      expert += static_cast<double>(a.rewards[i]), random += static_cast<double>(b.rewards[i]);
  }
  EXPECT_GT(expert, random + 0.05 * 250 * a.world->bodies());
}

TEST_P(EverySimulation, DrawsAPicture) {
  Play p = make();
  p.world->reset(Rng(1));
  wander(p, 20);
  const Frame frame = p.world->draw(2);
  EXPECT_GE(frame.height, 100);
  EXPECT_EQ(std::ssize(frame.pixels), 3 * frame.height * frame.width);
  std::vector<std::uint8_t> colours = frame.pixels;
  std::sort(colours.begin(), colours.end());
  EXPECT_GT(std::unique(colours.begin(), colours.end()) - colours.begin(), 20);
}

INSTANTIATE_TEST_SUITE_P(All, EverySimulation, testing::ValuesIn(all_cases()),
                         [](const auto& c) { return c.param.name + "_" + c.param.regime; });

}  // namespace
}  // namespace engram
