// Strategies that hold weights by importance, against their equations worked out over a softmax of
// one linear layer, whose gradients are known in closed form.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include <gtest/gtest.h>

#include "learners/gradient_of.h"
#include "learners/sample_gradients.h"
#include "learners/weight_anchor.h"
#include "models/layers.h"
#include "tests/learners/strategy_bench.h"
#include "utils/error.h"

namespace engram::testing {
namespace {

using Numbers = std::vector<double>;

/// z = W'x + b and its softmax over the outputs of a mask, from the weights as the store has them:
/// [inputs][outputs], then the biases.
struct Softmax {
  Numbers x, z, p;
  Softmax(const StrategyBench& s, const Batch& batch, int row) {
    const auto weights = s.weights();
    const int in = s.net->in().size(), out = s.net->outputs();
    const CMat images = batch.x.value();
    for (int i = 0; i < in; ++i)
      x.push_back(static_cast<double>(images.row(row)[i]));
    double sum = 0;
    for (int y = 0; y < out; ++y) {
      double a = weights[static_cast<std::size_t>(in * out + y)];
      for (int i = 0; i < in; ++i)
        a += weights[static_cast<std::size_t>(i * out + y)] * x[static_cast<std::size_t>(i)];
      const auto row_at = static_cast<std::size_t>(row);
      const bool in_mask = batch.mask.empty() || batch.mask[row_at].empty() ||
                           batch.mask[row_at][static_cast<std::size_t>(y)] != 0;
      z.push_back(a), p.push_back(in_mask ? std::exp(a) : 0);
      sum += p.back();
    }
    for (double& v : p)
      v /= sum;
  }
};

/// value(j) for the bias of output j, value(j) times power(x_i) for its weight from input i.
void add_outer(const Softmax& m, const std::function<double(std::size_t)>& of_output, int power,
               Numbers& sums) {
  const std::size_t in = m.x.size(), out = m.p.size();
  for (std::size_t j = 0; j < out; ++j) {
    for (std::size_t i = 0; i < in; ++i)
      sums[i * out + j] += of_output(j) * std::pow(m.x[i], power);
    sums[in * out + j] += of_output(j);
  }
}

/// The importance that a strategy of one penalty has after task 0: what it pulls with when every
/// weight is one unit away from the anchor.
Numbers pull_of(StrategyBench& s, Strategy& strategy, int task, double unit = 1) {
  auto t = s.training(task);
  const auto values = s.net->params().values();
  const Numbers before = s.weights();
  for (real& v : values)
    v += static_cast<real>(unit);
  s.net->params().zero_grad();
  strategy.shape_gradient(t);
  const auto g = s.net->params().grads();
  Numbers pull(g.begin(), g.end());
  s.net->params().zero_grad();
  for (std::size_t i = 0; i < before.size(); ++i)
    s.net->params().values()[i] = static_cast<real>(before[i]);
  return pull;
}

void expect_near(const Numbers& ours, const Numbers& theirs, double tolerance) {
  ASSERT_EQ(ours.size(), theirs.size());
  double largest = 0;
  for (const double v : theirs)
    largest = std::max(largest, std::abs(v));
  EXPECT_GT(largest, 0);
  for (std::size_t i = 0; i < ours.size(); ++i)
    EXPECT_NEAR(ours[i], theirs[i], tolerance * largest) << "weight " << i;
}

struct FisherCase {
  const char* name;
  /// E over labels of (d log p(y) / d z_j)^2 for an example with this label.
  std::function<double(const Softmax&, std::size_t j, int label)> square;
};

double slope(const Softmax& m, std::size_t j, std::size_t y) {
  return m.p[j] - (y == j ? 1 : 0);
}

TEST(Ewc, FisherEstimatesAreThoseOfTheirNames) {
  const std::vector<FisherCase> cases{
      {"exact",
       [](const Softmax& m, std::size_t j, int) {
         double sum = 0;
         for (std::size_t y = 0; y < m.p.size(); ++y)
           sum += m.p[y] * slope(m, j, y) * slope(m, j, y);
         return sum;
       }},
      {"empirical",
       [](const Softmax& m, std::size_t j, int label) {
         return std::pow(slope(m, j, static_cast<std::size_t>(label)), 2);
       }},
      {"predicted", [](const Softmax& m, std::size_t j, int) {
         const auto best =
             static_cast<std::size_t>(std::max_element(m.p.begin(), m.p.end()) - m.p.begin());
         return std::pow(slope(m, j, best), 2);
       }}};
  for (const FisherCase& c : cases)
    for (const bool masked : {false, true}) {
      BenchPlan plan;
      plan.scenario = {.scenario = Scenario::Class, .head = masked ? Head::Masked : Head::Shared};
      StrategyBench s(plan);
      Strategy& ewc = s.add("ewc", {{"ewc.fisher", c.name}, {"ewc.lambda", "1"}});
      auto t = s.training(0);
      ewc.end_experience(t);
      const Batch batch = s.batch(0);
      Numbers fisher(s.weights().size(), 0);
      for (int b = 0; b < batch.rows(); ++b) {
        const Softmax m(s, batch, b);
        const int label = batch.target[static_cast<std::size_t>(b)];
        add_outer(
            m, [&](std::size_t j) { return c.square(m, j, label) / batch.rows(); }, 2, fisher);
      }
      SCOPED_TRACE(std::string(c.name) + (masked ? ", masked" : ""));
      expect_near(pull_of(s, ewc, 1), fisher, 1e-4);
    }
}

TEST(Ewc, TheSampledFisherTendsToTheExactOne) {
  BenchPlan plan;
  plan.each = 4000, plan.scenario = {.scenario = Scenario::Class};
  StrategyBench s(plan);
  const auto biases = s.net->params().values().last(4);
  std::ranges::copy(std::vector<real>{0, 1, 2, -1}, biases.begin());  // labels of unequal chances
  Strategy &exact = s.add("ewc", {{"ewc.lambda", "1"}}),
           &sampled = s.add("ewc", {{"ewc.lambda", "1"}, {"ewc.fisher", "sample"}});
  auto t = s.training(0);
  exact.end_experience(t), sampled.end_experience(t);
  expect_near(pull_of(s, sampled, 1), pull_of(s, exact, 1), 0.05);
}

TEST(Ewc, Exact500LooksAt500Examples) {
  BenchPlan plan;
  plan.each = 400;  // 800 in a task
  StrategyBench s(plan);
  Strategy& few = s.add("ewc", {{"ewc.fisher", "exact_500"}, {"ewc.lambda", "1"}});
  Strategy& same = s.add("ewc", {{"ewc.fisher_examples", "500"}, {"ewc.lambda", "1"}});
  Strategy& all = s.add("ewc", {{"ewc.lambda", "1"}});
  auto t = s.training(0);
  for (Strategy* e : {&few, &same, &all})
    e->end_experience(t);
  EXPECT_EQ(pull_of(s, few, 1), pull_of(s, same, 1));
  EXPECT_NE(pull_of(s, few, 1), pull_of(s, all, 1));
  expect_near(pull_of(s, few, 1), pull_of(s, all, 1), 0.1);
}

TEST(Ewc, TheBatchedFisherSquaresTheMeanGradient) {
  BenchPlan plan;
  plan.scenario = {.scenario = Scenario::Class};
  StrategyBench s(plan);
  Strategy& ewc = s.add("ewc", {{"ewc.fisher", "batched"}, {"ewc.lambda", "1"}});  // one batch
  auto t = s.training(0);
  ewc.end_experience(t);
  const Batch batch = s.batch(0);
  Numbers mean(s.weights().size(), 0);
  for (int b = 0; b < batch.rows(); ++b) {
    const Softmax m(s, batch, b);
    const auto label = static_cast<std::size_t>(batch.target[static_cast<std::size_t>(b)]);
    add_outer(
        m, [&](std::size_t j) { return slope(m, j, label) / batch.rows(); }, 1, mean);
  }
  for (double& v : mean)
    v *= v;
  expect_near(pull_of(s, ewc, 1), mean, 1e-4);
}

TEST(Ewc, SeparatePenaltiesAddUpAndTheOnlineOneForgets) {
  for (const bool online : {false, true}) {
    BenchPlan plan;
    plan.classes = 6, plan.tasks = 3, plan.scenario = {.scenario = Scenario::Class};
    StrategyBench s(plan);
    Strategy& ewc = s.add("ewc", {{"ewc.lambda", "3"},
                                  {"ewc.anchors", online ? "online" : "separate"},
                                  {"ewc.gamma", "0.5"}});
    // The Fisher information of a task alone, where a fresh strategy meets it.
    const auto fisher_of = [&](int task) {
      Strategy& fresh = s.add("ewc", {{"ewc.lambda", "1"}});
      auto t = s.training(task);
      fresh.end_experience(t);
      return pull_of(s, fresh, 2);
    };
    const auto move = [&](double by) {
      for (std::size_t i = 0; i < s.weights().size(); ++i)
        s.net->params().values()[i] += static_cast<real>(by * (i % 3 == 0 ? 1 : -0.5));
    };
    const Numbers first = s.weights(), f1 = fisher_of(0);
    auto t = s.training(0);
    ewc.end_experience(t);
    move(0.3);
    const Numbers second = s.weights(), f2 = fisher_of(1);
    auto later = s.training(1);
    ewc.end_experience(later);
    move(0.2);
    const Numbers now = s.weights();
    Numbers expected;
    for (std::size_t i = 0; i < now.size(); ++i)
      expected.push_back(online ? 3 * (0.5 * f1[i] + f2[i]) * (now[i] - second[i])
                                : 3 * (f1[i] * (now[i] - first[i]) + f2[i] * (now[i] - second[i])));
    expect_near(pull_of(s, ewc, 2, 0), expected, 1e-4);
  }
}

TEST(Ewc, LambdaIsHalvedUnlessToldOtherwise) {
  StrategyBench s;
  Strategy &half = s.add("ewc", {{"ewc.lambda", "2"}}),
           &whole = s.add("ewc", {{"ewc.lambda", "2"}, {"ewc.half", "no"}});
  auto t = s.training(0);
  half.end_experience(t), whole.end_experience(t);
  const Numbers a = pull_of(s, half, 1), b = pull_of(s, whole, 1);
  for (std::size_t i = 0; i < a.size(); ++i)
    EXPECT_NEAR(b[i], 2 * a[i], 1e-6 * std::abs(b[i]));
}

TEST(Mas, OmegaIsTheMeanMagnitudeAndNotTheMagnitudeOfTheMean) {
  BenchPlan plan;
  plan.scenario = {.scenario = Scenario::Class, .head = Head::Shared};
  StrategyBench s(plan);
  Strategy& mas = s.add("mas", {{"mas.lambda", "0.5"}});  // so that the pull is Omega
  Strategy& batched = s.add("mas", {{"mas.lambda", "0.5"}, {"mas.batch", "100"}});
  auto t = s.training(0);
  mas.end_experience(t), batched.end_experience(t);
  const Batch batch = s.batch(0);
  Numbers omega(s.weights().size(), 0), mean = omega;
  for (int b = 0; b < batch.rows(); ++b) {
    const Softmax m(s, batch, b);
    add_outer(
        m, [&](std::size_t j) { return std::abs(2 * m.z[j]) / batch.rows(); }, 1, omega);
    add_outer(
        m, [&](std::size_t j) { return 2 * m.z[j] / batch.rows(); }, 1, mean);
  }
  for (double& v : mean)
    v = std::abs(v);
  expect_near(pull_of(s, mas, 1), omega, 1e-4);
  expect_near(pull_of(s, batched, 1), mean, 1e-4);
}

TEST(Mas, BlendsTasksAndMayTakeTheMeanOfTheOutputsThatCompete) {
  BenchPlan plan;
  plan.scenario = {.scenario = Scenario::Class, .head = Head::Masked};
  StrategyBench s(plan);
  Strategy& mas = s.add("mas", {{"mas.lambda", "0.5"},
                                {"mas.keep", "0.25"},
                                {"mas.add", "0.75"},
                                {"mas.mean_outputs", "yes"}});
  Numbers omega(s.weights().size(), 0);
  for (const int task : {0, 1}) {
    auto t = s.training(task);
    mas.end_experience(t);
    const Batch batch = s.batch(task);
    const std::size_t competing = task == 0 ? 2 : 4;
    for (double& v : omega)
      v *= 0.25;
    for (int b = 0; b < batch.rows(); ++b) {
      const Softmax m(s, batch, b);
      const double scale = 0.75 * 2 / static_cast<double>(competing) / batch.rows();
      add_outer(
          m, [&](std::size_t j) { return j < competing ? scale * std::abs(m.z[j]) : 0; }, 1, omega);
    }
  }
  expect_near(pull_of(s, mas, 1), omega, 1e-4);
}

TEST(WeightAnchor, MovesWithTheOneThatIsReplacedWhateverItMatters) {
  StrategyBench s;
  const std::size_t n = s.weights().size();
  WeightAnchor anchor(n);
  std::vector<real> one(n, 1), none(n, 0), values(n, 0);
  anchor.replace(1, one, values);
  std::ranges::fill(values, real{3});
  anchor.replace(0.5, none, values);
  std::ranges::copy(values, s.net->params().values().begin());
  s.net->params().values()[0] += 1;
  s.net->params().zero_grad();
  anchor.pull(2, s.net->params());
  for (std::size_t i = 0; i < n; ++i)
    EXPECT_EQ(s.net->params().grads()[i], i == 0 ? 2 * 2 * 0.5 : 0) << i;
}

TEST(Si, OmegaIsWhatTheStepsTookOffTheLossOverTheDistance) {
  struct Case {
    const char *clip_negative, *cut;
    double lowest, most;
  };
  const double inf = std::numeric_limits<double>::infinity();
  for (const Case& c :
       {Case{"yes", "0", 0, inf}, Case{"no", "0", -inf, inf}, Case{"no", "0.05", -inf, 0.05}}) {
    StrategyBench s;
    Strategy& si = s.add("si", {{"si.c", "0.5"},
                                {"si.xi", "0.1"},
                                {"si.clip_negative", c.clip_negative},
                                {"si.cut", c.cut}});
    auto t = s.training(0);
    const Batch batch = s.batch(0);
    si.begin_experience(t);
    const std::size_t n = s.weights().size();
    const Numbers start = s.weights();
    // Two steps by hand: gradients and moves that have nothing to do with each other.
    Numbers path(n, 0);
    Rng rng(4);
    for (int step = 0; step < 2; ++step) {
      s.net->params().zero_grad();
      const auto g = s.net->params().grads();
      Numbers gradient, move;
      for (std::size_t i = 0; i < n; ++i) {
        gradient.push_back(rng.normal()), move.push_back(0.1 * rng.normal());
        g[i] = static_cast<real>(gradient[i]);
        path[i] -= gradient[i] * move[i];
      }
      si.shape_gradient(t);
      for (std::size_t i = 0; i < n; ++i)
        s.net->params().values()[i] += static_cast<real>(move[i]);
      si.after_step(t, batch);
    }
    si.end_experience(t);
    const Numbers end = s.weights();
    Numbers omega;
    for (std::size_t i = 0; i < n; ++i) {
      const double moved = end[i] - start[i];
      omega.push_back(std::clamp(path[i] / (moved * moved + 0.1), c.lowest, c.most));
    }
    if (c.most < inf) {
      EXPECT_EQ(std::ranges::max(omega), c.most) << "the case says nothing";
    }
    expect_near(pull_of(s, si, 1), omega, 1e-3);
  }
}

TEST(Si, TheGradientOfThePenaltyIsNotCounted) {
  StrategyBench s;
  Strategy& si = s.add("si", {{"si.c", "10"}});
  const Batch batch = s.batch(0);
  auto first_task = s.training(0), second_task = s.training(1);
  const auto step = [&](Training& t, double gradient, double move) {
    s.net->params().zero_grad();
    for (real& g : s.net->params().grads())
      g = static_cast<real>(gradient);
    si.shape_gradient(t);
    for (real& v : s.net->params().values())
      v += static_cast<real>(move);
    si.after_step(t, batch);
  };
  si.begin_experience(first_task);
  step(first_task, -1, 0.5);
  si.end_experience(first_task);
  const double first = 0.5 / (0.25 + 0.1);
  // In the second task the penalty pulls hard, but the loss has no gradient: nothing is earned.
  si.begin_experience(second_task);
  step(second_task, 0, 0.2), step(second_task, 0, 0.2);
  si.end_experience(second_task);
  for (const double pull : pull_of(s, si, 1))
    EXPECT_NEAR(pull, 2 * 10 * first, 1e-3);
}

TEST(Si, LeavesLayersThatAreToBeSkippedFree) {
  std::vector<LayerPtr> below;
  below.push_back(linear(3));
  BenchPlan plan;
  plan.scenario = {.scenario = Scenario::Class, .head = Head::Shared};
  StrategyBench s(plan, std::move(below));
  Strategy& si = s.add("si", {{"si.skip", "linear1"}});
  auto t = s.training(0);
  si.begin_experience(t);
  s.net->params().zero_grad();
  for (int id = 2; id < 4; ++id)  // linear2
    for (real& g : s.net->params().grad(id).all())
      g = -1;
  si.shape_gradient(t);
  EXPECT_EQ(s.net->params().param(0).form, GradientForm::Zero);  // not even asked for
  for (real& v : s.net->params().values())
    v += real{0.5};
  si.after_step(t, s.batch(0));
  si.end_experience(t);
  const Numbers pull = pull_of(s, si, 1);
  const std::size_t free = s.net->params().param(2).offset;
  for (std::size_t i = 0; i < pull.size(); ++i)
    EXPECT_NEAR(pull[i], i < free ? 0 : 2 * 0.1 * 0.5 / (0.25 + 0.1), 1e-5) << i;
}

TEST(Si, ANewSynapseOwesNothingToTheStepInWhichItBegan) {
  StrategyBench s;
  Strategy& si = s.add("si");
  auto t = s.training(0);
  si.begin_experience(t);
  const auto values = s.net->params().values();
  std::ranges::fill(s.net->params().grads(), real{1});
  si.shape_gradient(t);
  for (real& w : values)
    w -= real{0.25};
  values[1] = 2;  // by a strategy before this one
  const std::vector<std::size_t> places{1};
  si.renew(t, places);
  si.after_step(t, s.batch(0));
  const auto path = si.state()[2];
  EXPECT_NEAR(path[0], 0.25, 1e-6);
  EXPECT_EQ(path[1], 0);
}

TEST(Si, RefusesToSkipWhatIsNotThere) {
  StrategyBench s;
  EXPECT_THROW(s.add("si", {{"si.skip", "dendrites"}}), Error);
}

TEST(SampleGradients, AtOnceAndOneByOneAgreeThroughHiddenLayers) {
  // The rule's own gradients, an example at a time, are the other way to the same sums.
  StrategyBench s({}, stack(linear(5), relu(), linear(4), relu()));
  const Batch batch = s.batch(0);
  for (const auto of : {SampleGradients::Of::Square, SampleGradients::Of::Magnitude}) {
    SampleGradients gradients(*s.net, of);
    const CMat logits = gradients.forward(batch.x, batch.task);
    Signal error;
    Batch labelled = batch;
    output_error({}, signal(logits.rows, logits.cols, {logits.data, logits.data + logits.size()}),
                 labelled, error);
    for (real& e : error.value().all())
      e *= static_cast<real>(batch.rows());  // each example's own
    std::vector<real> ours(s.weights().size(), 0), one;
    gradients.add(error, ours);
    Numbers sums(ours.size(), 0);
    auto t = s.training(0);
    for (std::uint32_t b = 0; b < static_cast<std::uint32_t>(batch.rows()); ++b) {
      gradient_of(t, s.batch(0, {b}), Rng(0), one);
      for (std::size_t i = 0; i < one.size(); ++i) {
        const auto g = static_cast<double>(one[i]);
        sums[i] += of == SampleGradients::Of::Square ? g * g : std::abs(g);
      }
    }
    expect_near({ours.begin(), ours.end()}, sums, 1e-4);
  }
}

TEST(Strategies, AreRefusedWhereTheyCannotWork) {
  const auto refusal = [](const Offer& offer, const char* name) -> std::string {
    StrategyBench s;
    s.add(name);
    try {
      check_served(s.strategies, offer);
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  };
  const Provides all = Provides::Gradient | Provides::OutputError;
  EXPECT_EQ(refusal({all}, "ewc"), "");
  EXPECT_NE(refusal({all, false}, "ewc").find("ewc must be told when a task ends"),
            std::string::npos);
  EXPECT_NE(refusal({Provides::Gradient}, "lwf").find("lwf edits the error"), std::string::npos);
  EXPECT_NE(refusal({Provides::OutputError}, "si").find("si edits the gradient"),
            std::string::npos);
  EXPECT_NE(refusal({all, true, false}, "mas").find("agents"), std::string::npos);
}

}  // namespace
}  // namespace engram::testing
