// The feedback-alignment family, in double precision, against the equations of its papers: one sum
// per synapse, with the matrices that each rule is said to have.
#include <cmath>
#include <numbers>

#include <gtest/gtest.h>

#include "tests/learners/examples.h"
#include "utils/error.h"
#include "utils/parallel.h"

namespace engram {
namespace {

using testing::Example;
using testing::examples;
using testing::Keys;
using testing::Numbers;
using testing::random_batch;
using testing::Reference;
using testing::Ruled;
using testing::stack;
using Way = Reference::Way;

static_assert(sizeof(real) == 8, "rules are checked in double precision");

/// The perceptron of the specification and all networks that other rules are tested on.
std::vector<Example> all_examples() {
  std::vector<Example> all = examples();
  all.push_back({"5-4-4-3",
                 {1, 1, 5},
                 [] { return stack(linear(4), relu(), linear(4), relu(), linear(3)); },
                 {{0}, {2, 0, 1, 0, 1, 0}, {4, 0, 1, 0, 1, 1, -1, false}}});
  return all;
}
double sign(double x) {
  return x > 0 ? 1 : x < 0 ? -1 : 0;
}
/// magnitude(i) * sign(w[i])
template <class Magnitude>
Numbers concordant(const Numbers& w, Magnitude magnitude) {
  Numbers r(w.size());
  for (std::size_t i = 0; i < w.size(); ++i)
    r[i] = magnitude(i) * sign(w[i]);
  return r;
}
Numbers slice(const Reference& reference, int n) {
  return Reference::numbers(reference.matrix(n).slice());
}

/// What the rule did on one batch less what the equations say with these matrices.
template <class Carrier>
double error_of_rule(const Example& example, const char* rule, const Keys& keys, Carrier carrier,
                     Way way = Way::Chain) {
  Ruled r(rule, keys, example.in, example.layers());
  const Reference reference(*r.net, example.nodes);
  // A weight of exactly 0 sends no error down by its sign.
  const Mat w = r.net->params().value(reference.matrix(reference.size() - 1).weight_id());
  w.data[0] = 0;
  const Batch batch = random_batch(6, example.in.size(), r.net->outputs());
  r.learn(batch);
  const auto expected = reference.gradients(
      batch, Loss::CrossEntropy, [&](int n) { return carrier(reference, n); }, way);
  const auto exact =
      reference.gradients(batch, Loss::CrossEntropy, [&](int n) { return reference.weight(n); });
  EXPECT_GT(testing::worst_difference(*r.net, exact), 1e-6) << "not another rule than backprop";
  return testing::worst_difference(*r.net, expected);
}

constexpr double kTolerance = 1e-13;

TEST(Feedback, AlignmentSendsErrorsThroughItsFixedMatrices) {
  for (const Example& example : all_examples())
    EXPECT_LT(error_of_rule(example, "feedback_alignment", {}, slice), kTolerance) << example.name;
}

TEST(Feedback, UniformSignsHaveTheDeviationOfTheInitialLaw) {
  for (const Example& example : all_examples()) {
    if (std::string(example.name) == "residual blocks") continue;  // another law, below
    EXPECT_LT(error_of_rule(example, "usf", {},
                            [](const Reference& reference, int n) {
                              // U(-a, a), a = 1 / sqrt(fan_in), deviates by a / sqrt(3).
                              const double s = 1 / std::sqrt(3.0 * reference.matrix(n).fans().in);
                              return concordant(reference.weight(n), [&](auto) { return s; });
                            }),
              kTolerance)
        << example.name;
  }
}

TEST(Feedback, FixedSignsHaveTheMagnitudesThatAreSavedWithTheModel) {
  for (const Example& example : all_examples())
    EXPECT_LT(error_of_rule(example, "frsf", {},
                            [](const Reference& reference, int n) {
                              const Numbers m = slice(reference, n);
                              return concordant(reference.weight(n),
                                                [&](std::size_t i) { return std::abs(m[i]); });
                            }),
              kTolerance)
        << example.name;
}

TEST(Feedback, BatchwiseSignsFollowTheirMatrices) {
  for (const Example& example : all_examples())
    EXPECT_LT(error_of_rule(example, "brsf", {},
                            [](const Reference& reference, int n) {
                              const Numbers m = Reference::numbers(reference.matrix(n).feedback());
                              const double bound =
                                  init_bound(WeightInit::HeUniform, reference.matrix(n).fans());
                              for (const double x : m)
                                EXPECT_LE(std::abs(x), bound);
                              return concordant(reference.weight(n),
                                                [&](std::size_t i) { return std::abs(m[i]); });
                            }),
              kTolerance)
        << example.name;
}

TEST(Feedback, DirectErrorsReachEveryLayerFromTheOutputs) {
  for (const Example& example : all_examples()) {
    EXPECT_LT(error_of_rule(example, "direct_feedback", {}, slice, Way::DirectDense), kTolerance)
        << example.name;
    bool grouped = false;  // whose channels the network's error reaches place by place only
    for (const testing::Node& node : example.nodes)
      grouped = grouped || node.groups > 1;
    if (grouped) continue;
    EXPECT_LT(error_of_rule(example, "direct_feedback",
                            {{"direct_feedback.convolutions", "shared"}}, slice, Way::DirectShared),
              kTolerance)
        << example.name;
  }
}

TEST(Feedback, BatchwiseSignsAreDrawnAnewForEachStepAndTheSameAgain) {
  const auto after = [](std::uint64_t step, int threads) {
    set_threads(threads);
    Ruled r("brsf", {}, {1, 1, 30}, stack(linear(200), relu(), linear(300), relu(), linear(3)));
    r.learn(random_batch(4, 30, 3), step);
    set_threads(1);
    return Reference::numbers(r.net->layer(2).synapses().front()->feedback());
  };
  const Numbers first = after(0, 1);
  EXPECT_EQ(first, after(0, 1));
  EXPECT_EQ(first, after(0, 2));
  const Numbers second = after(1, 1);
  int equal = 0;
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(sign(first[i]), sign(second[i]));
    equal += first[i] == second[i];
  }
  EXPECT_LT(equal, 100);  // of 60000 24-bit numbers
  // |U(-a, a)|: mean a / 2, mean square a^2 / 3.
  const double a = 1 / std::sqrt(200.0), n = static_cast<double>(first.size());
  double mean = 0, square = 0;
  for (const double x : first)
    mean += std::abs(x) / n, square += x * x / n;
  EXPECT_NEAR(mean, a / 2, 5 * a / std::sqrt(12 * n));
  EXPECT_NEAR(square, a * a / 3, 5 * a * a * std::sqrt(4 / 45. / n));
}

TEST(Feedback, HasNoEntryWhereNoWeightIs) {
  const Synapses some{.density = 0.4};
  for (const char* rule :
       {"feedback_alignment", "usf", "brsf", "frsf", "kolen_pollack", "counter_hebb"}) {
    Ruled r(rule, {}, {6, 6, 2},
            stack(conv2d(3, 3, 1, 0, some), relu(), conv2d(4, 3, 1, 0, some), relu(),
                  linear(9, some), relu(), linear(3)));
    const auto optimizer = make_optimizer({.lr = 0.1, .momentum = 0.9}, r.net->params());
    for (std::uint64_t step = 0; step < 3; ++step) {
      r.learn(random_batch(5, 72, 3), step);
      r.net->params().mask_gradients();
      optimizer->step(0.1);
    }
    int absent = 0, present = 0;
    for (const int l : {2, 4}) {
      const SynapticMatrix& s = *r.net->layer(l).synapses().front();
      const auto& mask = r.net->params().param(s.weight_id()).mask;
      ASSERT_EQ(mask.size(), s.feedback().size());
      for (std::size_t i = 0; i < mask.size(); ++i) {
        if (mask[i] != 0) {
          present += s.feedback().data[i] != 0;
          continue;
        }
        ++absent;
        EXPECT_EQ(s.feedback().data[i], 0) << rule;
      }
    }
    EXPECT_GT(absent, 100) << rule;
    EXPECT_GT(present, 50) << rule;
  }
}

TEST(Feedback, OfTheFamilyStaysAsItIsUnlessItLearns) {
  for (const char* rule : {"feedback_alignment", "direct_feedback", "frsf"}) {
    Ruled r(rule, {}, {1, 1, 5}, stack(linear(4), relu(), linear(4), relu(), linear(3)));
    EXPECT_FALSE(r.has("linear1.feedback"));  // no error goes down through the first layer
    const Numbers before = r.value("linear2.feedback"), top = r.value("linear3.feedback");
    const auto optimizer = make_optimizer({.lr = 0.1, .weight_decay = 0.1}, r.net->params());
    for (std::uint64_t step = 0; step < 3; ++step)
      r.learn(random_batch(5, 5, 3), step), optimizer->step(0.1);
    EXPECT_EQ(r.value("linear2.feedback"), before) << rule;
    EXPECT_EQ(r.value("linear3.feedback"), top) << rule;
  }
}

TEST(Feedback, StartsByItsLaw) {
  struct Moments {
    double mean = 0, deviation = 0, most = 0;
  };
  const auto of = [](const char* rule, const Keys& keys, const char* name) {
    Ruled r(rule, keys, {5, 5, 4},
            stack(conv2d(40, 2, 1, 0), relu(), conv2d(50, 3, 1, 0), relu(), linear(150), relu(),
                  linear(60)));
    Moments m;
    const Numbers all = r.value(name);
    for (const double x : all)
      m.mean += x, m.deviation += x * x, m.most = std::max(m.most, std::abs(x));
    m.mean /= static_cast<double>(all.size());
    m.deviation = std::sqrt(m.deviation / static_cast<double>(all.size()));
    return m;
  };
  const auto expect_uniform = [](const Moments& m, double bound) {
    EXPECT_NEAR(m.mean, 0, 0.05 * bound);
    EXPECT_NEAR(m.deviation, bound / std::sqrt(3), 0.02 * bound);
    EXPECT_LE(m.most, bound);
    EXPECT_GT(m.most, 0.99 * bound);
  };
  const double fan = 1 / std::sqrt(150.0);
  expect_uniform(of("feedback_alignment", {}, "linear2.feedback"), fan);
  expect_uniform(of("feedback_alignment", {}, "conv2.feedback"), 1 / std::sqrt(360.0));
  // Top-down weights gather from the outputs of a linear layer, and count the inputs of a kernel.
  const Keys counter{{"feedback_alignment.init", "counter"}};
  expect_uniform(of("feedback_alignment", counter, "linear2.feedback"), std::sqrt(6 / 60.0));
  expect_uniform(of("counter_hebb", {}, "linear2.feedback"), std::sqrt(6 / 60.0));
  expect_uniform(of("counter_hebb", {}, "conv2.feedback"), std::sqrt(6 / 360.0));
  expect_uniform(of("kolen_pollack", {}, "linear2.feedback"), fan);
  const Moments magnitudes = of("frsf", {}, "linear2.feedback");
  EXPECT_NEAR(magnitudes.mean, fan / 2, 0.02 * fan);
  EXPECT_NEAR(magnitudes.deviation, fan / std::sqrt(3), 0.02 * fan);
}

TEST(Feedback, FromACopyIsDisturbedByNoiseAsAsked) {
  Ruled exact("counter_hebb", {{"counter_hebb.init", "copy"}}, {1, 1, 40},
              stack(linear(90), relu(), linear(90), relu(), linear(3)));
  EXPECT_EQ(exact.value("linear2.feedback"), exact.value("linear2.weight"));
  Ruled noisy("counter_hebb", {{"counter_hebb.init", "copy"}, {"counter_hebb.init_noise", "0.05"}},
              {1, 1, 40}, stack(linear(90), relu(), linear(90), relu(), linear(3)));
  const Numbers w = noisy.value("linear2.weight"), v = noisy.value("linear2.feedback");
  double mean = 0, square = 0;
  for (std::size_t i = 0; i < w.size(); ++i)
    mean += v[i] / w[i] - 1, square += (v[i] / w[i] - 1) * (v[i] / w[i] - 1);
  const double n = static_cast<double>(w.size());
  EXPECT_NEAR(mean / n, 0, 5 * 0.05 / std::sqrt(n));
  EXPECT_NEAR(std::sqrt(square / n), 0.05, 0.003);
}

TEST(Feedback, IsRefusedWhereItMakesNoSense) {
  const auto layers = [](Synapses s) { return stack(linear(9, s), relu(), linear(3, s)); };
  EXPECT_THROW(Ruled("kolen_pollack", {}, {1, 1, 20}, layers({}), Loss::CrossEntropy, 0), Error);
  for (const char* rule : {"feedback_alignment", "direct_feedback", "usf", "brsf", "frsf",
                           "kolen_pollack", "counter_hebb"})
    EXPECT_THROW(
        Ruled(rule, {}, {1, 1, 20}, layers({.density = 0.3, .storage = WeightStorage::Sparse})),
        Error)
        << rule;
  EXPECT_NO_THROW(Ruled("backprop", {}, {1, 1, 20},
                        layers({.density = 0.3, .storage = WeightStorage::Sparse})));
}

TEST(Feedback, NoErrorGoesBelowTheLowestLayerThatLearns) {
  Ruled plain("backprop", {}, {1, 1, 6}, stack(linear(5), relu(), linear(4)));
  Ruled normed("backprop", {}, {1, 1, 6}, stack(unit_norm(), linear(5), relu(), linear(4)));
  const Batch batch = random_batch(9, 6, 4);
  EXPECT_EQ(plain.learn(batch).macs.dense, normed.learn(batch).macs.dense);
  EXPECT_EQ(plain.net->lowest_learning(), 0);
  EXPECT_EQ(normed.net->lowest_learning(), 1);
}

TEST(Feedback, GoesDownThroughTheHeadOfEachTask) {
  for (const RuleEntry& entry : rules()) {
    if (!entry.model.empty()) continue;  // teaches a model of its own, without errors
    const std::string rule(entry.name);
    const auto made = make_rule(rule, {}, {.loss = {}, .weight_decay = 0.01});
    if (entry.local || !covers(made->provides(), Provides::Gradient | Provides::OutputError))
      continue;
    const auto layers = [] { return stack(linear(7), relu(), multi_head(3, 4, false)); };
    Ruled r(rule, {}, {1, 1, 5}, layers());
    const Batch batch = random_batch(9, 5, 4, 3);
    r.learn(batch);
    // By hand: each example by the head of its own task.
    Ruled plain("backprop", {}, {1, 1, 5}, layers());
    plain.learn(batch);
    for (int task = 0; task < 3; ++task) {
      const std::string name = "head1.task" + std::to_string(task) + ".weight";
      EXPECT_EQ(r.gradient(name), plain.gradient(name)) << rule;
    }
    if (rule == "backprop") continue;
    EXPECT_NE(r.gradient("linear1.weight"), plain.gradient("linear1.weight")) << rule;
    Numbers expected(7 * 5);
    Tape tape;
    Signal error;
    std::as_const(*r.net).evaluate(batch.x, tape, {.tasks = batch.task});
    cross_entropy(tape.back().out, batch, error);
    const auto heads = r.net->layer(2).synapses();
    for (int b = 0; b < batch.rows(); ++b)
      for (int h = 0; h < 7; ++h) {
        if (tape[1].out.value().row(b)[h] <= 0) continue;
        double t = 0;
        for (int o = 0; o < 4; ++o)
          t += heads[static_cast<std::size_t>(b % 3)]->feedback().row(h)[o] *
               error.value().row(b)[o];
        for (int i = 0; i < 5; ++i)
          expected[static_cast<std::size_t>(i * 7 + h)] += t * batch.x.value().row(b)[i];
      }
    const Numbers found = r.gradient("linear1.weight");
    for (std::size_t i = 0; i < expected.size(); ++i)
      EXPECT_NEAR(found[i], expected[i], kTolerance) << rule;
  }
}

}  // namespace
}  // namespace engram
