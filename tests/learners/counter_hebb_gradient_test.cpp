// Counter-Hebb learning, in double precision: equal to the gradient where top-down weights are
// those of the bottom-up network, and what the paper says where they are not.
#include <cmath>

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

static_assert(sizeof(real) == 8, "equality is checked in double precision");

constexpr Loss kLosses[] = {Loss::CrossEntropy, Loss::Bce, Loss::Mse};

Batch batch_for(const Network& net, std::uint64_t seed = 5) {
  return random_batch(6, net.in().size(), net.outputs(), 1, seed);
}
double cosine(const Numbers& a, const Numbers& b) {
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    ab += a[i] * b[i], aa += a[i] * a[i], bb += b[i] * b[i];
  return ab / std::sqrt(aa * bb);
}
double largest(const Numbers& a) {
  double most = 0;
  for (const double x : a)
    most = std::max(most, std::abs(x));
  return most;
}
Numbers minus(Numbers a, const Numbers& b) {
  for (std::size_t i = 0; i < a.size(); ++i)
    a[i] -= b.at(i);
  return a;
}
/// "NAME.weight" of every layer that has a feedback matrix.
std::vector<std::string> layers_with_feedback(Ruled& r) {
  std::vector<std::string> names;
  for (const std::string& layer : r.net->weight_layers())
    if (r.has(layer + ".feedback")) names.push_back(layer);
  return names;
}

TEST(CounterHebb, WithSharedWeightsAndBackpropagationAreTheGradientOfTheTextbook) {
  for (const Example& example : examples())
    for (const Loss loss : kLosses)
      for (const char* rule : {"backprop", "counter_hebb"}) {
        testing::Keys keys;
        if (std::string(rule) == "counter_hebb") keys = {{"counter_hebb.weights", "shared"}};
        Ruled r(rule, keys, example.in, example.layers(), loss);
        const Batch batch = batch_for(*r.net);
        r.learn(batch);
        const Reference reference(*r.net, example.nodes);
        const auto exact =
            reference.gradients(batch, loss, [&](int n) { return reference.weight(n); });
        EXPECT_GT(largest(exact.at(reference.name(0) + ".weight")), 1e-5) << example.name;
        EXPECT_LT(testing::worst_difference(*r.net, exact), 1e-13) << example.name << ", " << rule;
      }
}

TEST(CounterHebb, WithSeparateWeightsFollowsItsEquations) {
  for (const Example& example : examples()) {
    Ruled r("counter_hebb", {}, example.in, example.layers());
    const Batch batch = batch_for(*r.net);
    r.learn(batch);
    const Reference reference(*r.net, example.nodes);
    const auto expected = reference.gradients(batch, Loss::CrossEntropy, [&](int n) {
      return Reference::numbers(reference.matrix(n).feedback());
    });
    EXPECT_LT(testing::worst_difference(*r.net, expected), 1e-13) << example.name;
    for (const std::string& layer : layers_with_feedback(r))  // dV = dW
      EXPECT_EQ(r.gradient(layer + ".feedback"), r.gradient(layer + ".weight")) << layer;
  }
}

struct Stepped {
  Stepped(Ruled& r, OptimizerOptions o) : ruled(r), options(o) {
    optimizer = make_optimizer(options, r.net->params());
  }
  void step(std::uint64_t number) {
    ruled.learn(batch_for(*ruled.net, number + 1), number);
    optimizer->step(options.lr);
  }
  Ruled& ruled;
  OptimizerOptions options;
  std::unique_ptr<Optimizer> optimizer;
};
OptimizerOptions sgd() {
  return {.optimizer = "sgd", .lr = 0.05};
}
OptimizerOptions adam() {
  return {.optimizer = "adam", .lr = 0.01};
}

TEST(CounterHebb, FromACopyStaysSymmetricAndEqualsSharedWeights) {
  for (const Example& example : examples())
    for (const OptimizerOptions& o : {sgd(), adam()}) {
      Ruled shared("counter_hebb", {{"counter_hebb.weights", "shared"}}, example.in,
                   example.layers());
      Ruled copy("counter_hebb", {{"counter_hebb.init", "copy"}}, example.in, example.layers());
      Stepped one(shared, o), two(copy, o);
      const auto names = layers_with_feedback(copy);
      ASSERT_FALSE(names.empty());
      const Numbers first = copy.value(names.front() + ".weight");
      for (std::uint64_t s = 0; s < 10; ++s) {
        one.step(s), two.step(s);
        for (const std::string& name : names) {
          ASSERT_EQ(copy.value(name + ".weight"), copy.value(name + ".feedback")) << name << s;
          // Adam divides by roots of squares that may be as small as rounding.
          ASSERT_LT(largest(minus(copy.value(name + ".weight"), shared.value(name + ".weight"))),
                    1e-9);
        }
      }
      EXPECT_GT(largest(minus(copy.value(names.front() + ".weight"), first)), 1e-4);
    }
}

TEST(CounterHebb, WithSeparateWeightsUpdatesTheHeadExactlyAndNothingElse) {
  for (const Example& example : examples()) {
    Ruled exact("backprop", {}, example.in, example.layers());
    Ruled own("counter_hebb", {}, example.in, example.layers());
    exact.learn(batch_for(*exact.net)), own.learn(batch_for(*own.net));
    const auto names = own.net->weight_layers();
    for (const std::string& name : names) {
      const Numbers a = own.gradient(name + ".weight"), b = exact.gradient(name + ".weight");
      if (name == names.back()) {
        EXPECT_EQ(a, b) << example.name;
        EXPECT_EQ(own.gradient(name + ".bias"), exact.gradient(name + ".bias"));
      } else {
        EXPECT_LT(std::abs(cosine(a, b)), 0.999) << example.name << " " << name;
      }
    }
  }
}

TEST(CounterHebb, KeepsTheDifferenceOfItsWeightsWithoutDecayAndShrinksItWithDecay) {
  for (const Example& example : examples())
    for (const char* rule : {"counter_hebb", "kolen_pollack"})
      for (const double decay : {0.0, 0.3})
        for (OptimizerOptions o : {sgd(), adam()}) {
          if (decay > 0 && o.optimizer == "adam") continue;                  // no closed form
          if (decay == 0 && std::string(rule) == "kolen_pollack") continue;  // refused
          o.weight_decay = decay;
          Ruled r(rule, {}, example.in, example.layers());
          Stepped trained(r, o);
          std::map<std::string, Numbers> before;
          for (const std::string& name : layers_with_feedback(r))
            before[name] = minus(r.value(name + ".weight"), r.value(name + ".feedback"));
          ASSERT_FALSE(before.empty());
          double factor = 1;
          for (std::uint64_t s = 0; s < 6; ++s)
            trained.step(s), factor *= 1 - o.lr * decay;
          for (auto& [name, difference] : before) {
            for (double& d : difference)
              d *= factor;
            const Numbers now = minus(r.value(name + ".weight"), r.value(name + ".feedback"));
            EXPECT_GT(largest(now), 0.01);
            EXPECT_LT(largest(minus(now, difference)), 1e-14) << rule << " " << name << o.optimizer;
          }
        }
}

TEST(CounterHebb, WithoutLearningFeedbackNeverChangesIt) {
  for (const Example& example : examples()) {
    OptimizerOptions o = sgd();
    o.weight_decay = 0.1;
    Ruled r("counter_hebb", {{"counter_hebb.learn_feedback", "false"}}, example.in,
            example.layers());
    Stepped trained(r, o);
    std::map<std::string, Numbers> before;
    for (const std::string& name : layers_with_feedback(r))
      before[name] = r.value(name + ".feedback");
    const Numbers top = r.value(r.net->weight_layers().back() + ".weight");
    for (std::uint64_t s = 0; s < 5; ++s)
      trained.step(s);
    for (const auto& [name, values] : before)
      EXPECT_EQ(r.value(name + ".feedback"), values) << name;
    EXPECT_NE(r.value(r.net->weight_layers().back() + ".weight"), top);
  }
}

TEST(CounterHebb, WithBatchNormIsTheGradientOnlyWithItsDerivative) {
  const auto layers = [] { return testing::residual_layers(true); };
  const ImageShape in{6, 5, 2};
  Ruled exact("backprop", {}, in, layers());
  Ruled none("counter_hebb", {{"counter_hebb.weights", "shared"}}, in, layers());
  Ruled jacobian("counter_hebb",
                 {{"counter_hebb.weights", "shared"}, {"counter_hebb.norm", "jacobian"}}, in,
                 layers());
  for (Ruled* r : {&exact, &none, &jacobian})
    r->learn(batch_for(*r->net));
  EXPECT_EQ(jacobian.all_gradients(), exact.all_gradients());
  const auto names = none.net->weight_layers();
  for (const std::string& name : names) {
    const Numbers a = none.gradient(name + ".weight"), b = exact.gradient(name + ".weight");
    if (name == names.back())
      EXPECT_EQ(a, b);
    else
      EXPECT_LT(cosine(a, b), 0.999) << name;
  }
  EXPECT_EQ(largest(none.gradient("batch_norm1.scale")), 0);
  EXPECT_GT(largest(exact.gradient("batch_norm1.scale")), 0);
}

TEST(CounterHebb, KeepsShortcutsSymmetricIfAsked) {
  const Example& residual = examples().back();
  Ruled r("counter_hebb", {{"counter_hebb.shared_shortcuts", "true"}}, residual.in,
          residual.layers());
  const Batch batch = batch_for(*r.net);
  r.learn(batch);
  const Reference reference(*r.net, residual.nodes);
  const auto with = [&](bool symmetric) {
    return reference.gradients(batch, Loss::CrossEntropy, [&](int n) {
      const bool shortcut = symmetric && reference.node(n).kernel == 1;
      return shortcut ? reference.weight(n) : Reference::numbers(reference.matrix(n).feedback());
    });
  };
  EXPECT_LT(testing::worst_difference(*r.net, with(true)), 1e-13);
  EXPECT_GT(testing::worst_difference(*r.net, with(false)), 1e-6);
}

TEST(CounterHebb, DisturbsUpdatesByOneFactorPerTensorOrSynapse) {
  const Example& mlp = examples().front();
  Ruled calm("counter_hebb", {}, mlp.in, mlp.layers());
  calm.learn(batch_for(*calm.net));
  for (const char* per : {"tensor", "synapse"}) {
    Ruled r("counter_hebb", {{"counter_hebb.update_noise", "0.1"}, {"counter_hebb.noise_per", per}},
            mlp.in, mlp.layers());
    r.learn(batch_for(*r.net));
    const Numbers a = r.gradient("linear2.weight"), b = calm.gradient("linear2.weight");
    double low = 1e9, high = -1e9;
    for (std::size_t i = 0; i < a.size(); ++i)
      if (b[i] != 0) low = std::min(low, a[i] / b[i]), high = std::max(high, a[i] / b[i]);
    if (std::string(per) == "tensor")
      EXPECT_NEAR(low, high, 1e-12);
    else
      EXPECT_GT(high - low, 0.05);
    EXPECT_NE(r.gradient("linear2.feedback"), a);  // factors of its own
  }
}

}  // namespace
}  // namespace engram
