// How well feedback agrees with the weights: figures against their definitions, and against what is
// known of some rules.
#include <cmath>
#include <numbers>

#include <gtest/gtest.h>

#include "tests/learners/examples.h"

namespace engram {
namespace {

using testing::Example;
using testing::examples;
using testing::Numbers;
using testing::random_batch;
using testing::Reference;
using testing::Ruled;
using testing::stack;

double dot(const Numbers& a, const Numbers& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    sum += a[i] * b.at(i);
  return sum;
}
double degrees(const Numbers& a, const Numbers& b) {
  return std::acos(dot(a, b) / std::sqrt(dot(a, a) * dot(b, b))) * 180 / std::numbers::pi;
}
std::vector<Alignment> alignment_of(Ruled& r, const Batch& batch) {
  return r.rule->alignment(*r.net, batch, {true, Rng(77).fork("pass", 0), batch.task});
}

TEST(Alignment, IsTheAngleOfMatricesAndOfUpdates) {
  for (const Example& example : examples()) {
    Ruled r("feedback_alignment", {}, example.in, example.layers());
    const Batch batch = random_batch(6, example.in.size(), r.net->outputs());
    const Reference reference(*r.net, example.nodes);
    const auto own = reference.gradients(batch, Loss::CrossEntropy, [&](int n) {
      return Reference::numbers(reference.matrix(n).slice());
    });
    const auto exact =
        reference.gradients(batch, Loss::CrossEntropy, [&](int n) { return reference.weight(n); });
    const auto found = alignment_of(r, batch);
    ASSERT_EQ(static_cast<int>(found.size()), reference.size());
    for (int n = 0; n < reference.size(); ++n) {
      const Alignment& a = found[static_cast<std::size_t>(n)];
      const std::string weight = reference.name(n) + ".weight";
      // Degrees of small angles come from cosines near 1.
      EXPECT_NEAR(a.update_angle, degrees(own.at(weight), exact.at(weight)), 1e-5) << weight;
      if (n == 0) {  // no error goes down through it
        EXPECT_TRUE(std::isnan(a.feedback_angle) && std::isnan(a.norm_ratio));
        EXPECT_GT(a.update_angle, 1);
        continue;
      }
      const Numbers w = reference.weight(n), b = Reference::numbers(reference.matrix(n).slice());
      EXPECT_NEAR(a.feedback_angle, degrees(b, w), 1e-9) << weight;
      EXPECT_NEAR(a.norm_ratio, std::sqrt(dot(b, b) / dot(w, w)), 1e-12) << weight;
    }
    EXPECT_NEAR(found.back().update_angle, 0, 1e-5);  // the head's update is exact
  }
}

TEST(Alignment, OfACopyIsPerfectAndOfScaledCopiesToo) {
  Ruled r("feedback_alignment", {{"feedback_alignment.init", "copy"}}, {1, 1, 6},
          examples().front().layers());
  const Batch batch = random_batch(6, 6, 4);
  const auto expect_aligned = [&](double ratio) {
    const auto found = alignment_of(r, batch);
    for (std::size_t l = 0; l < found.size(); ++l) {
      EXPECT_NEAR(found[l].update_angle, 0, 1e-5);
      if (l == 0) continue;
      EXPECT_NEAR(found[l].feedback_angle, 0, 1e-5);
      EXPECT_NEAR(found[l].norm_ratio, ratio, 1e-12);
    }
  };
  expect_aligned(1);
  for (const SynapticMatrix* s : {r.net->layer(2).synapses()[0], r.net->layer(4).synapses()[0]})
    for (real& b : s->slice().all())
      b *= 3;
  expect_aligned(3);
}

TEST(Alignment, OfUniformSignsAndUniformWeightsIsThirtyDegrees) {
  // arccos(E|w| / sqrt(E w^2)) = arccos(sqrt(3) / 2)
  Ruled r("usf", {}, {1, 1, 30}, stack(linear(200), relu(), linear(300), relu(), linear(3)));
  const auto found = alignment_of(r, random_batch(4, 30, 3));
  EXPECT_NEAR(found[1].feedback_angle, 30, 0.3);
  EXPECT_NEAR(found[1].norm_ratio, 1, 0.01);
  EXPECT_GT(found[0].update_angle, 1);
}

TEST(Alignment, OfDirectErrorsHasNoAngleOfMatrices) {
  Ruled r("direct_feedback", {}, {1, 1, 6}, examples().front().layers());
  const auto found = alignment_of(r, random_batch(6, 6, 4));
  EXPECT_TRUE(std::isnan(found[1].feedback_angle));
  EXPECT_GT(found[1].norm_ratio, 0);
  EXPECT_GT(found[0].update_angle, 1);
  EXPECT_NEAR(found[2].update_angle, 0, 1e-5);
}

TEST(Alignment, OfBackpropagationIsNotAsked) {
  Ruled r("backprop", {}, {1, 1, 6}, examples().front().layers());
  EXPECT_TRUE(alignment_of(r, random_batch(6, 6, 4)).empty());
  Ruled shared("counter_hebb", {{"counter_hebb.weights", "shared"}}, {1, 1, 6},
               examples().front().layers());
  EXPECT_TRUE(alignment_of(shared, random_batch(6, 6, 4)).empty());
}

TEST(Alignment, LeavesWeightsAndFeedbackAsTheyAre) {
  for (const char* rule : {"feedback_alignment", "kolen_pollack", "brsf"}) {
    Ruled r(rule, {}, {1, 1, 6}, examples().front().layers());
    const auto values = r.net->params().values();
    const std::vector<real> before(values.begin(), values.end());
    alignment_of(r, random_batch(6, 6, 4));
    EXPECT_EQ(std::vector<real>(values.begin(), values.end()), before) << rule;
    for (const real g : r.all_gradients())
      EXPECT_EQ(g, 0) << rule;
  }
}

TEST(Alignment, GrowsAtTheTopAsWeightsLearnToFitFixedFeedback) {
  Ruled r("feedback_alignment", {}, {1, 1, 10},
          stack(linear(40), relu(), linear(40), relu(), linear(4)));
  // Four noisy classes around random centres.
  const auto batch_of = [](std::uint64_t step) {
    const Batch centres = random_batch(4, 10, 4, 1, 99);
    Batch batch = random_batch(32, 10, 4, 1, 1000 + step);
    for (int b = 0; b < batch.rows(); ++b)
      for (int i = 0; i < 10; ++i) {
        real& x = batch.x.value().row(b)[i];
        x = real{0.5} * x + centres.x.value().row(batch.target[static_cast<std::size_t>(b)])[i];
      }
    return batch;
  };
  const double before = alignment_of(r, batch_of(0)).back().feedback_angle;
  const auto optimizer = make_optimizer({.lr = 0.1}, r.net->params());
  for (std::uint64_t step = 0; step < 300; ++step)
    r.learn(batch_of(step), step), optimizer->step(0.1);
  const double after = alignment_of(r, batch_of(0)).back().feedback_angle;
  EXPECT_GT(before, 80);
  EXPECT_LT(after, 80);
  EXPECT_LT(after, before - 10);
}

}  // namespace
}  // namespace engram
