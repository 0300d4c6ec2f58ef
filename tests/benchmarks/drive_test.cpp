#include "benchmarks/simulations/drive.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "tests/benchmarks/helpers.h"
#include "tests/benchmarks/simulation_helpers.h"

namespace engram {
namespace {

DriveWorld world_of(const DriveRegime& regime, std::uint64_t number = 1) {
  DriveWorld world;
  world.begin(regime, Rng(3).fork("world", number));
  return world;
}

struct Driven {
  double reward = 0, last = 0;
};
/// The same action until the end or for so many steps.
Driven hold(DriveWorld& world, const DriveRegime& regime, DriveAction action, int steps) {
  Driven out;
  for (int t = 0; t < steps && world.end() == DriveEnd::None; ++t)
    out.reward += out.last = world.step(regime, action);
  return out;
}

TEST(Drive, StartsAtRestInTheMiddleLane) {
  const DriveRegime& regime = drive_regime("mixed");
  const DriveWorld world = world_of(regime);
  EXPECT_NEAR(world.place().along, 5, 1e-9);
  EXPECT_NEAR(world.place().across, 0, 1e-9);
  EXPECT_EQ(world.car().speed, 0);
  EXPECT_EQ(world.progress(), 0);
}

TEST(Drive, PaysProgressInTheMiddleOfALaneAndSpeedAndCalm) {
  const DriveRegime& regime = drive_regime("mixed");
  DriveWorld world = world_of(regime);
  world.put({.along = 20, .across = 0.35}, 0, 10);
  EXPECT_NEAR(world.step(regime, {0, 0}), 1.0 * 0.8 + 0.1 * 36 / 120, 1e-9);
  const double before = world.place().along;
  const double reward = world.step(regime, {0.1, 0});
  const double off = std::abs(world.place().across);
  EXPECT_NEAR(reward,
              (world.place().along - before) * (1 - 2 * off / 3.5) - 0.1 * 0.1 * 36 / 20 + 0.03,
              1e-9);
  world.put({.along = 20, .across = 3.5}, 0, 10);
  EXPECT_NEAR(world.step(regime, {0, 0}), 1.03, 1e-9) << "any lane will do";
  world.put({.along = 20, .across = 1.75}, 0, 10);
  EXPECT_NEAR(world.step(regime, {0, 0}), 0.03, 1e-9) << "but not a line between two";
}

TEST(Drive, EndsByLeavingTheRoad) {
  const DriveRegime& regime = drive_regime("mixed");
  for (const double side : {-1.0, 1.0}) {
    DriveWorld world = world_of(regime);
    world.put({.along = 20, .across = side * 5.2}, side * 0.3, 10);
    EXPECT_EQ(hold(world, regime, {0, 0}, 1).reward, -5);
    EXPECT_EQ(world.end(), DriveEnd::OutOfRoad);
    EXPECT_EQ(world.step(regime, {0, 1}), 0) << "nothing happens after the end";
  }
  DriveWorld world = world_of(regime);
  world.put({.along = 1}, std::numbers::pi, 10);
  EXPECT_EQ(hold(world, regime, {0, 0}, 2).last, -5) << "backwards out of the start";
}

TEST(Drive, EndsByArriving) {
  const DriveRegime& regime = drive_regime("mixed");
  DriveWorld world = world_of(regime);
  world.put({.along = world.track().length() - 5.5}, 0, 10);
  EXPECT_EQ(world.step(regime, {0, 0}), 20);
  EXPECT_EQ(world.end(), DriveEnd::Arrived);
}

TEST(Drive, EndsByHittingAVehicle) {
  const DriveRegime& regime = drive_regime("traffic");
  DriveWorld world = world_of(regime);
  ASSERT_EQ(world.traffic().size(), 3u);
  const Vehicle& other = world.traffic()[0];
  EXPECT_EQ(other.begin, 40);
  world.put({.along = 30, .across = other.across}, 0, 20);
  const Driven driven = hold(world, regime, {0, 0}, 20);
  EXPECT_EQ(world.end(), DriveEnd::Crashed);
  EXPECT_EQ(driven.last, -10);
  const double gap = world.along(0) - world.place().along;
  EXPECT_LT(gap, 4) << "nose to tail";
  EXPECT_GT(gap, 4 - 0.1 * (20 - other.speed)) << "in the step in which they met";
}

TEST(Drive, EndsInTheEnd) {
  const DriveRegime& regime = drive_regime("mixed");
  DriveWorld world = world_of(regime);
  EXPECT_EQ(hold(world, regime, {0, -1}, DriveWorld::kMostSteps - 1).reward, 0);
  EXPECT_EQ(world.end(), DriveEnd::None);
  world.step(regime, {0, -1});
  EXPECT_EQ(world.end(), DriveEnd::TooLong);
  Play p = play("drive", "mixed", Role::Train);
  p.world->reset(Rng(1));
  for (int t = 0; t < DriveWorld::kMostSteps; ++t) {
    EXPECT_EQ(p.ended[0], Ended::No);
    p.actions = {0, -1};
    p.step();
  }
  EXPECT_EQ(p.ended[0], Ended::Truncated);
}

TEST(Drive, TrafficKeepsItsDistance) {
  for (std::uint64_t i = 0; i < 100; ++i) {
    const DriveWorld world = world_of(drive_regime("traffic"), i);
    for (std::size_t a = 0; a < 3; ++a) {
      const Vehicle& one = world.traffic()[a];
      EXPECT_GE(one.speed, 5);
      EXPECT_LE(one.speed, 8);
      EXPECT_EQ(std::abs(one.across), one.across == 0 ? 0 : 3.5);
      for (std::size_t b = a + 1; b < 3; ++b) {
        const Vehicle& ahead = world.traffic()[b];
        EXPECT_GE(ahead.begin - one.begin, 25);
        if (ahead.across == one.across) {
          EXPECT_GE(ahead.speed, one.speed) << "never runs into it";
        }
      }
    }
  }
}

// One by one what drive.h says.
TEST(Drive, ShowsWhatItSays) {
  const DriveRegime& regime = drive_regime("traffic");
  DriveWorld world = world_of(regime);
  const Track::Segment& curve = world.track().segments()[1];
  world.put({.along = curve.begin + 10, .across = 2}, 0.1, 12);
  world.step(regime, {0.2, -0.5});
  const Lidar lidar(240);
  std::vector<real> seen(275);
  world.see(lidar, seen);

  const Place place = world.place();
  const Car& car = world.car();
  const double off_road = wrapped_angle(car.heading - world.track().heading(place.along));
  EXPECT_NEAR(seen[0], (5.25 - place.across) / 10.5, 1e-6);
  EXPECT_NEAR(seen[1], (5.25 + place.across) / 10.5, 1e-6);
  EXPECT_NEAR(seen[2], 0.5 + 0.5 * off_road / (std::numbers::pi / 3), 1e-6);
  EXPECT_NEAR(seen[3], car.speed / (120 / 3.6), 1e-6);
  EXPECT_NEAR(seen[4], 0.6, 1e-6);
  EXPECT_NEAR(seen[5], 0.25, 1e-6);
  EXPECT_NEAR(seen[6], 0.5 + 0.25 * car.speed * car.curvature, 1e-6);
  EXPECT_NEAR(seen[7], 0.5 + 0.5 * (place.across - 3.5) / 1.75, 1e-6);
  EXPECT_NEAR(seen[8], 0.5 + 0.5 * car.curvature * car.speed * car.speed / 9, 1e-6);

  const Point ahead = direction(car.heading),
              goal = world.track().point(curve.end(), 0) - car.centre();
  const double left = curve.end() - place.along;
  const auto clip = [](double x) { return std::clamp(x, 0.0, 1.0); };
  EXPECT_NEAR(seen[9], clip(0.5 + dot(ahead, goal) / 200), 1e-6);
  EXPECT_NEAR(seen[10], clip(0.5 + cross(ahead, goal) / 200), 1e-6);
  EXPECT_NEAR(seen[11], 0.5 + 10 * curve.curvature, 1e-6);
  EXPECT_NEAR(seen[12], clip(left / 100), 1e-6);
  EXPECT_NEAR(seen[13], clip(0.5 + left * curve.curvature / (1.5 * std::numbers::pi)), 1e-6);
  EXPECT_NEAR(seen[16], 0.5, 1e-6) << "then a straight";
  EXPECT_NEAR(seen[17], world.track().segments()[2].length / 100, 1e-6);

  std::vector<std::pair<double, std::size_t>> near;
  for (std::size_t i = 0; i < 3; ++i)
    if (const double d = length(world.others()[i].centre - car.centre()); d < 50)
      near.emplace_back(d, i);
  std::sort(near.begin(), near.end());
  for (std::size_t i = 0; i < 4; ++i) {
    const std::size_t k = 19 + 4 * i;
    if (i >= near.size()) {
      EXPECT_EQ(seen[k], 1);
      EXPECT_EQ(seen[k + 1], real(0.5));
      continue;
    }
    const Rectangle& other = world.others()[near[i].second];
    const Point drift = world.traffic()[near[i].second].speed * other.ahead - car.speed * ahead;
    EXPECT_NEAR(seen[k], 0.5 + dot(ahead, other.centre - car.centre()) / 100, 1e-6);
    EXPECT_NEAR(seen[k + 1], 0.5 + cross(ahead, other.centre - car.centre()) / 100, 1e-6);
    EXPECT_NEAR(seen[k + 2], 0.5 + 0.5 * dot(ahead, drift) / (120 / 3.6), 1e-6);
    EXPECT_NEAR(seen[k + 3], 0.5 + 0.5 * cross(ahead, drift) / (120 / 3.6), 1e-6);
  }
  EXPECT_FALSE(near.empty());
  EXPECT_LT(*std::min_element(seen.begin() + 35, seen.end()), 1);
}

TEST(Drive, ShowsSharesOfOneAndAsManyBeamsAsAsked) {
  EXPECT_EQ(play("drive", "right", Role::Train, 1, 240).world->observation_size(), 275);
  EXPECT_EQ(play("drive", "right", Role::Train, 1, 0).world->observation_size(), 35);
  for (const std::string& regime : drive_regimes()) {
    Play p = play("drive", regime, Role::Train, 8);
    EXPECT_EQ(p.world->observation_size(), 59);
    p.world->reset(Rng(2));
    Rng rng(2);
    for (int t = 0; t < 300; ++t) {
      if (t % 3 == 0)
        p.choose_at_random(rng);
      else
        p.ask_expert();
      p.step();
      p.observed();
      for (const real x : p.seen)
        ASSERT_TRUE(x >= 0 && x <= 1) << x;
      p.world->restart(p.ended);
    }
  }
}

TEST(Drive, BodiesDoNotKnowOfEachOther) {
  Play many = play("drive", "traffic", Role::Train, 5),
       few = play("drive", "traffic", Role::Train, 2);
  many.world->reset(Rng(2)), few.world->reset(Rng(2));
  Rng rng(2);
  for (int t = 0; t < 600; ++t) {
    many.choose_at_random(rng);
    if (t % 2 == 0) many.ask_expert();
    few.actions.assign(many.actions.begin(), many.actions.begin() + 4);
    many.step(), few.step();
    for (std::size_t i = 0; i < 2; ++i) {
      ASSERT_EQ(many.rewards[i], few.rewards[i]);
      ASSERT_EQ(many.ended[i], few.ended[i]);
    }
    many.world->restart(many.ended), few.world->restart(few.ended);
  }
}

/// What all bodies see at the start says which tracks they are on.
std::vector<real> starts(Role role, int bodies, std::uint64_t seed, int episode = 0) {
  Play p = play("drive", "mixed", role, bodies);
  p.world->reset(Rng(seed));
  std::fill(p.ended.begin(), p.ended.end(), Ended::Terminal);
  for (int e = 0; e < episode; ++e)
    p.world->restart(p.ended);
  p.observed();
  return p.seen;
}

TEST(Drive, IsJudgedOnTwentyTracksThatNobodyLearnsFrom) {
  const auto held_out = starts(Role::Test, 20, 1);
  EXPECT_EQ(held_out, starts(Role::Test, 20, 2)) << "whatever the seed";
  EXPECT_EQ(held_out, starts(Role::Test, 20, 1, 1)) << "and the episode";
  const auto fifth = starts(Role::Test, 4, 1, 1);
  EXPECT_TRUE(std::equal(fifth.begin(), fifth.begin() + 59, held_out.begin() + 4 * 59))
      << "four at a time go through the same twenty";
  EXPECT_NE(starts(Role::Train, 20, 1), starts(Role::Train, 20, 1, 1));
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto train = starts(Role::Train, 20, seed);
    for (std::size_t i = 0; i < 20; ++i)
      for (std::size_t j = 0; j < 20; ++j)
        EXPECT_FALSE(std::equal(train.begin() + static_cast<std::ptrdiff_t>(59 * i),
                                train.begin() + static_cast<std::ptrdiff_t>(59 * (i + 1)),
                                held_out.begin() + static_cast<std::ptrdiff_t>(59 * j)));
  }
}

TEST(Drive, OffersFiveSteersTimesThreeThrottles) {
  const Play p = play("drive", "mixed", Role::Train);
  const CMat choices = p.world->choices();
  ASSERT_EQ(choices.rows, 15);
  EXPECT_NEAR(choices.row(0)[0], -0.4, 1e-6);
  EXPECT_NEAR(choices.row(0)[1], -1, 1e-6);
  EXPECT_NEAR(choices.row(10)[0], 0.12, 1e-6);
  EXPECT_NEAR(choices.row(10)[1], 0.2, 1e-6);
  EXPECT_EQ(p.world->bodies(), 1);
}

class Expert : public testing::TestWithParam<std::string> {
 protected:
  struct Score {
    double reward = 0, arrived = 0, crashed = 0, longest = 0;
  };
  Score score(Role role, int bodies) {
    Play p = play("drive", GetParam(), role, bodies);
    p.world->reset(Rng(11));
    const auto count = static_cast<std::size_t>(p.world->bodies());
    Score out;
    for (int t = 0; t < DriveWorld::kMostSteps; ++t) {
      const auto before = p.ended;
      p.ask_expert();
      p.step();
      for (std::size_t i = 0; i < count; ++i) {
        out.reward += static_cast<double>(p.rewards[i]);
        if (before[i] == Ended::No) out.longest = t;
      }
    }
    for (int i = 0; i < p.world->bodies(); ++i) {
      out.arrived += p.measure(i, 0), out.crashed += p.measure(i, 2);
      if (p.measure(i, 0) > 0) {
        EXPECT_EQ(p.measure(i, 1), 1);
      }
    }
    const double each = 1.0 / static_cast<double>(count);
    out.reward *= each, out.arrived *= each, out.crashed *= each;
    return out;
  }
};

TEST_P(Expert, ArrivesNearlyAlways) {
  const Score train = score(Role::Train, 200), held_out = score(Role::Test, 0);
  RecordProperty("return", std::to_string(train.reward) + " held out " +
                               std::to_string(held_out.reward) + " longest " +
                               std::to_string(train.longest));
  EXPECT_GE(train.arrived, 0.99);
  EXPECT_EQ(held_out.arrived, 1);
  EXPECT_GT(train.reward, 350);
  EXPECT_LT(train.reward, 550);
}

INSTANTIATE_TEST_SUITE_P(Drive, Expert, testing::ValuesIn(drive_regimes()),
                         [](const auto& c) { return c.param; });

}  // namespace
}  // namespace engram
