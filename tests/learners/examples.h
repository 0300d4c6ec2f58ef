// Small networks of each kind that rules are tested on, with the nodes of their textbook twins.
#pragma once

#include <vector>

#include "learners/carried_error.h"
#include "learners/registry.h"
#include "models/blocks.h"
#include "tests/learners/reference.h"
#include "tests/models/harness.h"

namespace engram::testing {

struct Example {
  const char* name;
  ImageShape in;
  std::vector<LayerPtr> (*layers)();
  std::vector<Node> nodes;
};

inline std::vector<LayerPtr> residual_layers(bool norm) {
  ModelOptions o;
  o.batch_norm = norm;
  std::vector<LayerPtr> all =
      stack(conv2d(3, 3, 1, 1, {.init = WeightInit::HeUniform, .bias = false}), relu());
  o.init = WeightInit::HeUniform;
  add_residual_block(all, o, 4, 2, Shortcut::Projected);
  add_residual_block(all, o, 4, 1, Shortcut::Identity);
  all.push_back(linear(4));
  return all;
}

inline const std::vector<Example>& examples() {
  static const std::vector<Example> all{
      {"fully connected",
       {1, 1, 6},
       [] { return stack(linear(7), relu(), linear(5), relu(), linear(4)); },
       {{0}, {2, 0, 1, 0, 1, 0}, {4, 0, 1, 0, 1, 1, -1, false}}},
      {"convolutions with depth-wise pooling",
       {12, 12, 1},
       [] {
         return stack(conv2d(4, 3, 1, 0), relu(), grouped_conv2d(4, 2, 2, 0, 4), relu(),
                      conv2d(3, 3, 1, 0), relu(), grouped_conv2d(3, 3, 2, 1, 3), relu(), linear(5),
                      relu(), linear(4));
       },
       {{0, 3},
        {2, 2, 2, 0, 4, 0},
        {4, 3, 1, 0, 1, 1},
        {6, 3, 2, 1, 3, 2},
        {8, 0, 1, 0, 1, 3},
        {10, 0, 1, 0, 1, 4, -1, false}}},
      {"convolutions with stride 2 and padding 1",
       {7, 6, 2},
       [] { return stack(conv2d(3, 3, 2, 1), relu(), conv2d(4, 3, 2, 1), relu(), linear(3)); },
       {{0, 3, 2, 1}, {2, 3, 2, 1, 1, 0}, {4, 0, 1, 0, 1, 1, -1, false}}},
      {"residual blocks",
       {6, 5, 2},
       [] { return residual_layers(false); },
       {{0, 3, 1, 1},
        {2, 3, 2, 1, 1, 0},
        {4, 3, 1, 1, 1, 1, -1, false},
        {5, 1, 2, 0, 1, 0, 2},
        {7, 3, 1, 1, 1, 3},
        {9, 3, 1, 1, 1, 4, 3},
        {11, 0, 1, 0, 1, 5, -1, false}}},
  };
  return all;
}

using Keys = std::vector<std::pair<const char*, const char*>>;

/// A rule with a network built and prepared for it.
struct Ruled {
  Ruled(const std::string& rule_name, const Keys& keys, ImageShape in, std::vector<LayerPtr> layers,
        Loss loss = Loss::CrossEntropy, double decay = 0.01) {
    Config config;
    for (const auto& [key, value] : keys)
      config.set(key, value, "test");
    rule = make_rule(rule_name, config, {.loss = loss, .weight_decay = decay});
    FeedbackPlan plan = rule->feedback();
    plan.outputs = layers_outputs(in, layers);
    net = std::make_unique<Network>(in, std::move(layers), Rng(11), 1, plan);
    rule->prepare(*net, Rng(12));
  }
  BatchStats learn(const Batch& batch, std::uint64_t step = 0) {
    net->params().zero_grad();
    return rule->learn(*net, batch, {true, Rng(77).fork("pass", step), batch.task}, {});
  }
  std::vector<real> all_gradients() {
    const auto g = net->params().grads();
    return {g.begin(), g.end()};
  }
  Numbers gradient(const std::string& name) {
    return Reference::numbers(net->params().grad(net->params().find(name)));
  }
  Numbers value(const std::string& name) {
    return Reference::numbers(net->params().value(net->params().find(name)));
  }
  bool has(const std::string& name) { return net->params().find(name) >= 0; }

  std::unique_ptr<Rule> rule;
  std::unique_ptr<Network> net;

 private:
  static int layers_outputs(ImageShape in, const std::vector<LayerPtr>& layers) {
    ParamStore unused;  // the top layer alone tells how many outputs there are
    return layers.back()->bind(in, {.name = "top"}, unused).size();
  }
};

}  // namespace engram::testing
