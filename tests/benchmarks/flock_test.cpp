#include "benchmarks/simulations/flock.h"

#include <cmath>

#include "benchmarks/simulations/boids.h"
#include "tests/benchmarks/helpers.h"
#include "tests/benchmarks/simulation_helpers.h"

namespace engram {
namespace {

/// What save() gives of a flock in its first step: world, bodies, seed, episode, step, then x, y,
/// vx, vy of each.
constexpr std::size_t kFirstBoid = 5;

/// A flock with its first boids where they are wanted, each x, y, vx, vy; the others far from them.
Play flock_with(std::string_view regime, const std::vector<std::array<double, 4>>& boids) {
  Play p = play("flock", regime, Role::Train, 4);
  p.world->reset(Rng(1));
  std::vector<double> state = p.world->save();
  for (std::size_t i = 0; i < 4; ++i) {
    const std::array<double, 4> far{1000, 200.0 * static_cast<double>(i), 0, 0};
    const auto& boid = i < boids.size() ? boids[i] : far;
    for (std::size_t k = 0; k < 4; ++k)
      state[kFirstBoid + 4 * i + k] = boid[k];
  }
  p.world->load(state);
  return p;
}

TEST(Flock, ShowsEightNumbers) {
  Play p = flock_with("mixed", {{100, 100, 1, -2}, {110, 100, 3, 0}, {100, 130, 1, 2}});
  const Mat seen = p.observed();
  const std::array<double, 8> expected{
      0.25, -0.5, 0.25, 0.75, 5.0 / 50, 15.0 / 50, 10 * -10 / 100.0, 0};
  for (int k = 0; k < 8; ++k)
    EXPECT_NEAR(seen.row(0)[k], expected[static_cast<std::size_t>(k)], 1e-6) << k;
  for (int k = 2; k < 8; ++k)
    EXPECT_EQ(seen.row(3)[k], 0) << "there is nobody";
}

TEST(Flock, TeacherOfEachRegimeSaysItsOwn) {
  const std::vector<std::array<double, 4>> boids{{100, 100, 1, -2}, {110, 100, 3, 0}};
  const auto taught = [&](std::string_view regime) {
    Play p = flock_with(regime, boids);
    p.ask_expert();
    EXPECT_EQ(p.actions[6], 0) << "alone";
    return Point{p.actions[0], p.actions[1]};
  };
  EXPECT_NEAR(taught("align").x, 0.25 * 2, 1e-6);
  EXPECT_NEAR(taught("align").y, 0.25 * 2, 1e-6);
  EXPECT_NEAR(taught("cohesion").x, 0.02 * 10, 1e-6);
  EXPECT_NEAR(taught("cohesion").y, 0, 1e-6);
  EXPECT_NEAR(taught("separation").x, 4 * -0.1, 1e-6);
  EXPECT_NEAR(taught("mixed").x, 0.125 * 2 + 0.01 * 10 - 2 * 0.1, 1e-6);
  EXPECT_NEAR(taught("mixed").y, 0.125 * 2, 1e-6);
}

TEST(Flock, PaysByTheDistanceFromTheTeacher) {
  Play p = flock_with("align", {{100, 100, 1, -2}, {110, 100, 3, 0}});
  p.actions = {0.5, 0.5, 0.5, 0.5, 0.3F, -0.4F, 0, 0};
  p.step();
  EXPECT_NEAR(p.rewards[0], 0, 1e-6);
  EXPECT_NEAR(p.rewards[1], -0.875 * std::sqrt(2.0) / 4, 1e-6)
      << "the other has turned by 0.5 already, 0.375 that way is right";
  EXPECT_NEAR(p.rewards[2], -0.5 / 4, 1e-6);
  EXPECT_NEAR(p.rewards[3], 0, 1e-6);
}

TEST(Flock, SeesThoseBeforeWhereTheTeacherMovesThem) {
  // The first flies out of sight of the second.
  Play p = flock_with("align", {{100, 100, -4, 0}, {147, 100, 0, 4}});
  const Mat seen = p.observed();
  EXPECT_NEAR(seen.row(0)[2], 1, 1e-6);
  EXPECT_EQ(seen.row(1)[2], 0);
  p.ask_expert();
  EXPECT_NEAR(p.actions[0], 1, 1e-6);
  EXPECT_EQ(p.actions[2], 0);
}

TEST(Flock, UnderTheTeacherIsAFlockThatMovesOneByOne) {
  Play p = play("flock", "mixed", Role::Test);
  p.world->reset(Rng(6));
  const std::vector<double> state = p.world->save();
  Boids boids(80);
  for (int i = 0; i < 80; ++i) {
    const double* const boid = state.data() + kFirstBoid + 4 * i;
    boids.place(i, {boid[0], boid[1]}, {boid[2], boid[3]});
  }
  for (int t = 0; t < 300; ++t) {
    p.ask_expert();
    p.step();
    boids.advance([&](int i) {
      const Neighbours others = boids.around(i);
      Point force = 2 * others.apart;
      if (others.near > 0) {
        force += 0.125 * (others.velocity - boids.velocity(i));
        force += 0.01 * (others.centre - boids.centre(i));
      }
      return Point{static_cast<real>(force.x), static_cast<real>(force.y)};
    });
  }
  const std::vector<double> after = p.world->save();
  for (int i = 0; i < 80; ++i) {
    const double* const boid = after.data() + kFirstBoid + 4 * i;
    EXPECT_EQ(boids.corner(i), (Point{boid[0], boid[1]})) << i;
    EXPECT_NEAR(length(boids.velocity(i) - Point{boid[2], boid[3]}), 0, 1e-6) << i;
  }
}

TEST(Flock, OffersEightDirectionsAndNone) {
  const Play p = play("flock", "mixed", Role::Train);
  const CMat choices = p.world->choices();
  ASSERT_EQ(choices.rows, 9);
  for (int i = 0; i < 8; ++i)
    EXPECT_NEAR(std::hypot(choices.row(i)[0], choices.row(i)[1]), 0.3, 1e-6);
  EXPECT_EQ(choices.row(8)[0], 0);
  EXPECT_EQ(choices.row(8)[1], 0);
  EXPECT_EQ(p.world->bodies(), 40);
}

TEST(Flock, EndsAfterThreeHundredStepsAndScattersAnew) {
  Play p = play("flock", "mixed", Role::Test);
  p.world->reset(Rng(1));
  const auto first = p.world->save();
  for (int t = 1; t <= 300; ++t) {
    p.ask_expert();
    p.step();
    EXPECT_EQ(p.ended[79], t == 300 ? Ended::Truncated : Ended::No) << t;
  }
  p.world->restart(p.ended);
  EXPECT_NE(first, p.world->save());
}

TEST(Flock, FliesTogetherWhenTaughtTo) {
  const auto figures = [](std::string_view regime, bool taught) {
    Play p = play("flock", regime, Role::Test);
    p.world->reset(Rng(2));
    Rng rng(3);
    for (int t = 0; t < 300; ++t) {
      if (taught)
        p.ask_expert();
      else
        p.choose_at_random(rng);
      p.step();
    }
    p.world->measures(5, p.figures);
    return p.figures;
  };
  const auto mixed = figures("mixed", true), random = figures("mixed", false);
  const auto align = figures("align", true), cohesion = figures("cohesion", true);
  EXPECT_GT(mixed[1], 0.9) << "local polarisation";
  EXPECT_GT(align[1], 0.97);
  EXPECT_LT(random[1], 0.9);
  EXPECT_LT(cohesion[2], 30) << "nearest";
  EXPECT_GT(align[2], 33);
  EXPECT_GT(mixed[3], 2 * random[3]) << "degree";
}

}  // namespace
}  // namespace engram
