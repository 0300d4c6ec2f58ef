// A-GEM and GEM: steps against projections and quadratic programs solved by hand.
#include <string>

#include "learners/bounded_qp.h"
#include "tests/learners/replay_bench.h"

namespace engram::testing {
namespace {

/// Sets the gradient at hand, lets strategies shape it, and returns it.
Numbers shaped(StrategyBench& s, Training& t, const Numbers& g) {
  s.net->params().zero_grad();
  const auto grads = s.net->params().grads();
  for (std::size_t i = 0; i < g.size(); ++i)
    grads[i] = static_cast<real>(g[i]);
  for (auto& one : s.strategies)
    one->shape_gradient(t);
  const auto after = s.net->params().grads();
  return {after.begin(), after.end()};
}
double dot(const Numbers& a, const Numbers& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    sum += a[i] * b[i];
  return sum;
}

TEST(Agem, TakesOutWhatRaisesTheLossOfThePast) {
  auto s = three_tasks();
  Strategy& agem = s.add("agem", {{"agem.memory", "30"}});
  auto t = s.training(0);
  Batch batch = s.batch(0);
  agem.extend_batch(t, batch);
  Numbers g(s.weights().size());
  Rng rng(3);
  for (double& v : g)
    v = static_cast<double>(static_cast<real>(rng.normal()));
  EXPECT_EQ(shaped(s, t, g), g);  // there is no past yet
  agem.end_experience(t);
  go_on(s, t, 1), t.step = 1;
  const Numbers past = gradient_alone(t, s.batch(0));  // all of it is remembered
  agem.extend_batch(t, batch);
  const double along = dot(g, past), length = dot(past, past);
  Numbers harmful = g, harmless = g;
  for (std::size_t i = 0; i < g.size(); ++i) {
    harmful[i] -= (along / length + 0.5) * past[i];
    harmless[i] -= (along / length - 0.5) * past[i];
  }
  const Numbers corrected = shaped(s, t, harmful);
  EXPECT_NEAR(dot(corrected, past), 0, 1e-4 * length);
  for (std::size_t i = 0; i < g.size(); ++i)
    EXPECT_NEAR(corrected[i], g[i] - along / length * past[i], 1e-5);
  const Numbers left = shaped(s, t, harmless);
  for (std::size_t i = 0; i < g.size(); ++i)
    EXPECT_EQ(left[i], static_cast<double>(static_cast<real>(harmless[i])));
}

TEST(Agem, ByDefaultTheTaskAtHandIsNotInTheMemory) {
  auto s = three_tasks();
  Strategy& agem = s.add("agem", {{"agem.memory", "6"}});
  auto t = s.training(0);
  agem.after_step(t, s.batch(0));
  EXPECT_EQ(agem.state()[0][0], 0);
  agem.end_experience(t);
  EXPECT_EQ(agem.state()[0][0], 2);  // a third of six
}

TEST(BoundedQp, AgreesWithCasesSolvedByHand) {
  const auto expect = [](std::vector<double> p, std::vector<double> q, double lowest,
                         std::vector<double> v) {
    const auto ours = solve_bounded_qp(p, q, lowest);
    ASSERT_EQ(ours.size(), v.size());
    for (std::size_t i = 0; i < v.size(); ++i)
      EXPECT_NEAR(ours[i], v[i], 1e-9) << i;
  };
  expect({2}, {-3}, 0, {1.5});
  expect({2}, {3}, 0, {0});
  expect({2}, {3}, 0.5, {0.5});
  expect({2, 1, 1, 2}, {-3, -3}, 0, {1, 1});
  expect({2, 1, 1, 2}, {-4, 1}, 0, {2, 0});  // without the bound 3 and -2
  expect({2, 1, 1, 2}, {-4, 1}, 0.5, {1.75, 0.5});
  // The greedy first choice of the third variable is wrong: the best is where it is 0 again.
  expect({1, 0, 0.9, 0, 1, 0.9, 0.9, 0.9, 2}, {-1, -1, -1.5}, 0, {1, 1, 0});
}

TEST(BoundedQp, MeetsTheConditionsOfOptimality) {
  // v >= h, P v + q >= 0, and one of both with equality: together sufficient.
  Rng rng(5);
  for (int trial = 0; trial < 200; ++trial) {
    const std::size_t n = 1 + rng.below(12);
    std::vector<double> a(n * n), p(n * n, 0), q(n);
    for (double& x : a)
      x = rng.normal();
    for (double& x : q)
      x = rng.normal();
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < n; ++j) {
        for (std::size_t k = 0; k < n; ++k)
          p[i * n + j] += a[i * n + k] * a[j * n + k];
        if (i == j) p[i * n + j] += 1e-3;
      }
    const double lowest = trial % 2 == 0 ? 0 : 0.5;
    const auto v = solve_bounded_qp(p, q, lowest);
    for (std::size_t i = 0; i < n; ++i) {
      double slope = q[i];
      for (std::size_t j = 0; j < n; ++j)
        slope += p[i * n + j] * v[j];
      EXPECT_GE(v[i], lowest);
      EXPECT_GE(slope, -1e-6);
      if (v[i] > lowest) {
        EXPECT_NEAR(slope, 0, 1e-6);
      }
    }
  }
}

TEST(Gem, IsTheNearestStepThatHarmsNoPastTask) {
  for (const char* margin : {"0", "0.5"}) {
    auto s = three_tasks();
    Strategy& gem =
        s.add("gem", {{"gem.memory", "18"}, {"gem.margin", margin}, {"gem.ridge", "1e-9"}});
    for (int e = 0; e < 2; ++e) {
      auto t = s.training(e);
      gem.end_experience(t);
    }
    auto t = s.training(2);
    const Numbers g0 = gradient_alone(t, s.batch(0)), g1 = gradient_alone(t, s.batch(1));
    Batch batch = s.batch(2);
    gem.extend_batch(t, batch);
    Numbers g(g0.size());
    Rng rng(8);
    for (std::size_t i = 0; i < g.size(); ++i)
      g[i] = rng.normal() * 0.01 - 0.4 * g0[i] - 0.7 * g1[i];
    ASSERT_LT(dot(g, g0), 0);
    ASSERT_LT(dot(g, g1), 0);
    const Numbers after = shaped(s, t, g);
    // Both are harmed, so without a margin v solves two equations in two unknowns.
    const double a = dot(g0, g0), b = dot(g0, g1), c = dot(g1, g1);
    const double x = -dot(g, g0), y = -dot(g, g1), det = a * c - b * b;
    double v0 = (c * x - b * y) / det, v1 = (a * y - b * x) / det;
    ASSERT_GT(v0, 0);
    ASSERT_GT(v1, 0);
    if (std::string(margin) == "0.5") {
      // At a bound one is the margin, and the other follows; take what fits.
      if (v0 < 0.5)
        v0 = 0.5, v1 = std::max(0.5, (y - b * v0) / c);
      else if (v1 < 0.5)
        v1 = 0.5, v0 = std::max(0.5, (x - b * v1) / a);
    }
    for (std::size_t i = 0; i < g.size(); ++i)
      EXPECT_NEAR(after[i], g[i] + v0 * g0[i] + v1 * g1[i], 1e-4) << margin;
    EXPECT_GE(dot(after, g0), -1e-3 * a);
    EXPECT_GE(dot(after, g1), -1e-3 * c);
    // What harms nobody stays as it is.
    Numbers good(g.size());
    for (std::size_t i = 0; i < g.size(); ++i)
      good[i] = static_cast<double>(static_cast<real>(g0[i] + g1[i]));
    ASSERT_GE(std::min(dot(good, g0), dot(good, g1)), 0);
    EXPECT_EQ(shaped(s, t, good), good);
  }
}

TEST(Gem, TheRidgeStandsOnTheDiagonal) {
  auto s = three_tasks();
  Strategy& gem = s.add("gem", {{"gem.memory", "18"}, {"gem.margin", "0"}, {"gem.ridge", "0.5"}});
  auto t = s.training(0);
  gem.end_experience(t);
  go_on(s, t, 1);
  const Numbers past = gradient_alone(t, s.batch(0));
  Batch batch = s.batch(1);
  gem.extend_batch(t, batch);
  Numbers g;
  for (const double v : past)
    g.push_back(-2 * v);
  const Numbers after = shaped(s, t, g);
  const double length = dot(past, past), v = 2 * length / (length + 0.5);
  for (std::size_t i = 0; i < g.size(); ++i)
    EXPECT_NEAR(after[i], g[i] + v * past[i], 1e-5);
}

TEST(Gem, EveryTaskHasItsPartAndTheOneAtHandNoSay) {
  auto s = three_tasks();
  Strategy& gem = s.add("gem", {{"gem.memory", "9"}, {"gem.insert", "step"}});
  auto t = s.training(0);
  gem.after_step(t, s.batch(0));
  EXPECT_EQ(gem.state()[0][0], 3);  // a third of nine
  Batch batch = s.batch(0);
  gem.extend_batch(t, batch);
  Numbers g = gradient_alone(t, s.batch(0));
  for (double& v : g)
    v = -static_cast<double>(static_cast<real>(v));
  EXPECT_EQ(shaped(s, t, g), g);  // it raises the loss of the task at hand, and no past one's
  go_on(s, t, 1);
  gem.extend_batch(t, batch);
  EXPECT_NE(shaped(s, t, g), g);
}

}  // namespace
}  // namespace engram::testing
