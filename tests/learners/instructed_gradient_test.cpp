// Networks whose tasks open sub-networks: gates, the top-down pass that selects them, and what
// learning changes, in double precision against the equations of Abel & Ullman (2024).
#include <algorithm>
#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include "learners/loss.h"
#include "learners/optimizer.h"
#include "learners/rules/rules.h"
#include "models/registry.h"
#include "tests/models/differences.h"
#include "tests/models/harness.h"
#include "utils/error.h"
#include "utils/parallel.h"

namespace engram {
namespace {

using testing::random_batch;
using testing::stack;

static_assert(sizeof(real) == 8);
constexpr int kIn = 12, kHidden = 15, kTasks = 3, kClasses = 4, kRows = 9;

using Masks = std::vector<std::vector<real>>;  ///< of every level, [tasks, units]

struct Instructed {
  Instructed(Rule& rule, std::vector<LayerPtr> layers, const GatingOptions& options,
             ImageShape in = {1, 1, kIn}, int outputs = kClasses, std::uint64_t seed = 4) {
    FeedbackPlan plan = rule.feedback();
    plan.outputs = outputs;
    net = std::make_unique<Network>(in, std::move(layers), Rng(seed), 1, plan,
                                    make_gating(options, kTasks));
  }
  Masks masks() const {
    Masks out;
    net->gating()->refresh(*net);
    for (std::size_t level = 0; level < net->gating()->layers().size(); ++level) {
      const GateMask mask = net->gating()->mask(level);
      out.emplace_back(mask.begin(), mask.end());
    }
    return out;
  }
  std::unique_ptr<Network> net;
};

GatingOptions top_down(Instruction instruction = Instruction::Live) {
  GatingOptions o;
  o.gating = "top_down", o.embedding = 10, o.instruction = instruction;
  return o;
}
std::vector<LayerPtr> fully_connected(LayerPtr head) {
  return stack(linear(kHidden), relu(), linear(kHidden), relu(), std::move(head));
}
std::vector<LayerPtr> convolutional() {
  return stack(conv2d(6, 3, 1, 0), relu(), grouped_conv2d(6, 2, 2, 0, 6), relu(), flatten(),
               linear(20), relu(), linear(kClasses));
}
/// conv, a block with a 1x1 shortcut, a block whose shortcut is the identity.
std::vector<LayerPtr> residual() {
  Synapses plain;
  plain.bias = false;
  auto layers =
      stack(conv2d(4, 3, 1, 1, plain), relu(), conv2d(6, 1, 2, 0, plain), conv2d(6, 3, 2, 1, plain),
            relu(), conv2d(6, 3, 1, 1, plain), relu(), conv2d(6, 3, 1, 1, plain), relu(),
            conv2d(6, 3, 1, 1, plain), relu(), linear(kClasses));
  layers[3]->wiring.reads = 2, layers[5]->wiring.adds = 3, layers[9]->wiring.adds = 3;
  return layers;
}
constexpr ImageShape kImage{8, 8, 2};

std::unique_ptr<Rule> counter_hebb(TopDown weights, FeedbackInit init = FeedbackInit::Counter,
                                   Loss loss = Loss::CrossEntropy) {
  CounterHebbOptions o;
  o.weights = weights, o.init = init;
  return make_counter_hebb(o, {.loss = loss});
}

std::vector<real> gradient(Network& net, Rule& rule, const Batch& batch) {
  net.params().zero_grad();
  rule.learn(net, batch, {.training = true, .rng = Rng(3), .tasks = batch.task}, {});
  const auto g = net.params().grads();
  return {g.begin(), g.end()};
}
CMat slice(Network& net, const std::string& name) {
  const int id = net.params().find(name);
  EXPECT_GE(id, 0) << name;
  return net.params().value(id);
}
CMat slope(Network& net, const std::string& name) {
  return net.params().grad(net.params().find(name));
}

/// Back-propagation by hand through 12-15-15-C under masks, one example after the other.
struct ByHand {
  std::vector<double> w[3], b[3];  ///< as slices: [inputs, outputs]

  ByHand(Network& net, const Masks& masks, const Batch& batch, Loss loss, int heads) {
    for (int r = 0; r < batch.rows(); ++r) {
      const auto task = static_cast<std::size_t>(batch.task[static_cast<std::size_t>(r)]);
      const std::string head = heads > 1 ? "head1.task" + std::to_string(task) : "linear3";
      const std::string names[3] = {"linear1", "linear2", head};
      std::vector<double> h[4];
      const real* x = batch.x.value().row(r);
      h[0].assign(x, x + kIn);
      for (int l = 0; l < 3; ++l) {
        const CMat weight = slice(net, names[l] + ".weight"), bias = slice(net, names[l] + ".bias");
        h[l + 1].resize(static_cast<std::size_t>(weight.cols));
        for (int o = 0; o < weight.cols; ++o) {
          double z = bias.data[o];
          for (int i = 0; i < weight.rows; ++i)
            z += weight.row(i)[o] * h[l][static_cast<std::size_t>(i)];
          const bool open =
              l == 2 ||
              masks[static_cast<std::size_t>(l)][task * kHidden + static_cast<std::size_t>(o)] > 0;
          h[l + 1][static_cast<std::size_t>(o)] = l == 2 ? z : open ? std::max(z, 0.0) : 0;
        }
      }
      std::vector<double> delta =
          loss_gradient(h[3], batch.target[static_cast<std::size_t>(r)], loss);
      for (int l = 2; l >= 0; --l) {
        const CMat weight = slice(net, names[l] + ".weight");
        // Heads of several tasks are laid end to end.
        const std::size_t at = l == 2 && heads > 1 ? task : 0;
        const std::size_t size = weight.size(), width = delta.size();
        w[l].resize(std::max(w[l].size(), size * static_cast<std::size_t>(l == 2 ? heads : 1)));
        b[l].resize(std::max(b[l].size(), width * static_cast<std::size_t>(l == 2 ? heads : 1)));
        std::vector<double> below(h[l].size());
        for (std::size_t o = 0; o < width; ++o) {
          b[l][at * width + o] += delta[o] / batch.rows();
          for (std::size_t i = 0; i < h[l].size(); ++i) {
            w[l][at * size + i * width + o] += delta[o] * h[l][i] / batch.rows();
            if (h[l][i] > 0) below[i] += weight.row(static_cast<int>(i))[o] * delta[o];
          }
        }
        delta = below;
      }
    }
  }

  static std::vector<double> loss_gradient(const std::vector<double>& y, int target, Loss loss) {
    std::vector<double> e(y.size());
    double sum = 0;
    for (const double v : y)
      sum += std::exp(v);
    for (std::size_t c = 0; c < y.size(); ++c) {
      const double wanted = static_cast<int>(c) == target ? 1 : 0,
                   n = static_cast<double>(y.size());
      e[c] = loss == Loss::CrossEntropy ? std::exp(y[c]) / sum - wanted
             : loss == Loss::Bce        ? (1 / (1 + std::exp(-y[c])) - wanted) / n
                                        : 2 * (y[c] - wanted) / n;
    }
    return e;
  }
};

double worst(const std::vector<double>& expected, CMat got, std::size_t offset = 0) {
  double most = 0;
  for (std::size_t i = 0; i < got.size(); ++i)
    most = std::max(most, std::abs(expected[offset + i] - got.data[i]));
  return most;
}

TEST(Instructed, SymmetricCounterHebbIsBackPropagationByHandForEveryLossAndDecoder) {
  for (const Loss loss : {Loss::CrossEntropy, Loss::Bce, Loss::Mse})
    for (const int heads : {1, kTasks})
      for (const auto weights : {TopDown::Shared, TopDown::Separate}) {
        const auto rule = counter_hebb(weights, FeedbackInit::Copy, loss);
        Instructed it(
            *rule,
            fully_connected(heads > 1 ? multi_head(heads, kClasses, false) : linear(kClasses)),
            top_down());
        const Batch batch = random_batch(kRows, kIn, kClasses, kTasks);
        const auto masks = it.masks();
        gradient(*it.net, *rule, batch);
        const ByHand hand(*it.net, masks, batch, loss, heads);
        for (int l = 0; l < 2; ++l) {
          const std::string name = "linear" + std::to_string(l + 1);
          EXPECT_LT(worst(hand.w[l], slope(*it.net, name + ".weight")), 1e-13) << name;
          EXPECT_LT(worst(hand.b[l], slope(*it.net, name + ".bias")), 1e-13) << name;
        }
        for (int h = 0; h < heads; ++h) {
          const std::string name = heads > 1 ? "head1.task" + std::to_string(h) : "linear3";
          const std::size_t at = static_cast<std::size_t>(h) * kHidden * kClasses;
          EXPECT_LT(worst(hand.w[2], slope(*it.net, name + ".weight"), at), 1e-13) << name;
        }
        EXPECT_GT(*std::max_element(hand.w[0].begin(), hand.w[0].end()), 1e-4);
      }
}

TEST(Instructed, EqualTopDownWeightsGiveBackPropagationInEveryKindOfNetwork) {
  for (const auto make : {convolutional, residual}) {
    const auto bp = make_backprop({}, {}), ch = counter_hebb(TopDown::Separate, FeedbackInit::Copy);
    Instructed one(*bp, make(), top_down(), kImage), two(*ch, make(), top_down(), kImage);
    const Batch batch = random_batch(kRows, kImage.size(), kClasses, kTasks);
    gradient(*one.net, *bp, batch), gradient(*two.net, *ch, batch);
    EXPECT_EQ(one.masks(), two.masks());
    double largest = 0;
    for (int id = 0; id < one.net->params().count(); ++id) {
      const CMat a = one.net->params().grad(id);
      const CMat b = slope(*two.net, one.net->params().param(id).name);
      for (std::size_t i = 0; i < a.size(); ++i) {
        EXPECT_NEAR(a.data[i], b.data[i], 1e-13);
        largest = std::max(largest, std::abs(a.data[i]));
      }
    }
    EXPECT_GT(largest, 1e-3);
  }
}

TEST(Instructed, GradientsAreThoseOfTheLossUnderTheMasks) {
  for (const auto make : {convolutional, residual}) {
    const auto bp = make_backprop({}, {});
    Instructed it(*bp, make(), top_down(), kImage);
    const Batch batch = random_batch(5, kImage.size(), kClasses, kTasks);
    EXPECT_LT(testing::gradient_error(*it.net, batch, {true, Rng(3), batch.task}), 2e-6);
  }
}

TEST(Instructed, MasksAreTheSignsOfTheTopDownPass) {
  for (const auto weights : {TopDown::Shared, TopDown::Separate}) {
    const auto rule = counter_hebb(weights);
    Instructed it(*rule,
                  stack(linear(kHidden), relu(), linear(kHidden), relu(), linear(kHidden), relu(),
                        linear(kClasses)),
                  top_down());
    // The store's states are the task head: code [tasks, 10], core [10, hidden].
    const real* code = it.net->params().states().data();
    const real* core = code + kTasks * 10;
    const std::string kept = weights == TopDown::Shared ? ".weight" : ".feedback";
    const auto masks = it.masks();
    for (int task = 0; task < kTasks; ++task) {
      std::vector<double> t(kHidden);
      for (int u = 0; u < kHidden; ++u)
        for (int e = 0; e < 10; ++e)
          t[static_cast<std::size_t>(u)] +=
              std::max(code[task * 10 + e], 0.0) * core[e * kHidden + u];
      for (int level = 2; level >= 0; --level) {
        for (std::size_t u = 0; u < kHidden; ++u) {
          EXPECT_EQ(
              masks[static_cast<std::size_t>(level)][static_cast<std::size_t>(task) * kHidden + u],
              t[u] > 0 ? 1 : 0)
              << level;
          t[u] = std::max(t[u], 0.0);
        }
        if (level == 0) break;
        const CMat v = slice(*it.net, "linear" + std::to_string(level + 1) + kept);
        std::vector<double> below(kHidden);
        for (int i = 0; i < kHidden; ++i)
          for (int o = 0; o < kHidden; ++o)
            below[static_cast<std::size_t>(i)] += v.row(i)[o] * t[static_cast<std::size_t>(o)];
        t = below;
      }
    }
  }
}

/// Ten steps on batches of all tasks.
void train(Network& net, Rule& rule, const std::string& optimizer, int steps = 10,
           int only_task = -1) {
  OptimizerOptions o;
  o.optimizer = optimizer, o.lr = optimizer == "sgd" ? 0.1 : 0.01;
  const auto opt = optimizer == "sgd" ? make_sgd(o, net.params()) : make_adam(o, net.params());
  for (int s = 0; s < steps; ++s) {
    Batch batch =
        random_batch(kRows, net.in().size(), kClasses, kTasks, static_cast<std::uint64_t>(s + 1));
    if (only_task >= 0) std::fill(batch.task.begin(), batch.task.end(), only_task);
    gradient(net, rule, batch);
    opt->step(o.lr);
  }
}

TEST(Instructed, EqualTopDownWeightsStayEqualAndLearnWhatSharedOnesLearn) {
  for (const std::string optimizer : {"sgd", "adam"}) {
    const auto shared = counter_hebb(TopDown::Shared);
    const auto copied = counter_hebb(TopDown::Separate, FeedbackInit::Copy);
    Instructed one(*shared, fully_connected(linear(kClasses)), top_down()),
        two(*copied, fully_connected(linear(kClasses)), top_down());
    train(*one.net, *shared, optimizer), train(*two.net, *copied, optimizer);
    for (const std::string name : {"linear1", "linear2", "linear3"}) {
      const CMat w = slice(*two.net, name + ".weight"), s = slice(*one.net, name + ".weight");
      for (std::size_t i = 0; i < w.size(); ++i)
        EXPECT_NEAR(w.data[i], s.data[i], 1e-12) << optimizer;
      if (name == "linear1") continue;
      const CMat v = slice(*two.net, name + ".feedback");
      EXPECT_TRUE(std::equal(w.data, w.data + w.size(), v.data)) << optimizer << " " << name;
    }
  }
}

TEST(Instructed, AStepChangesOnlySynapsesBetweenOpenUnits) {
  const auto rule = counter_hebb(TopDown::Shared);
  Instructed it(*rule, fully_connected(linear(kClasses)), top_down(Instruction::Frozen));
  const auto masks = it.masks();
  const auto before = [&](const char* name) {
    const CMat m = slice(*it.net, name);
    return std::vector<real>(m.data, m.data + m.size());
  };
  const auto w2 = before("linear2.weight"), b2 = before("linear2.bias"),
             w3 = before("linear3.weight");
  train(*it.net, *rule, "sgd", 5, 1);
  const CMat now2 = slice(*it.net, "linear2.weight"), bias2 = slice(*it.net, "linear2.bias"),
             now3 = slice(*it.net, "linear3.weight");
  const auto open = [&](std::size_t level, int u) {
    return masks[level][kHidden + static_cast<std::size_t>(u)] > 0;
  };
  int changed = 0, shut = 0;
  for (int i = 0; i < kHidden; ++i)
    for (int o = 0; o < kHidden; ++o) {
      const bool moved = now2.row(i)[o] != w2[static_cast<std::size_t>(i * kHidden + o)];
      if (!open(0, i) || !open(1, o)) {
        EXPECT_FALSE(moved);
        ++shut;
      }
      changed += moved;
    }
  for (int o = 0; o < kHidden; ++o) {
    if (open(1, o)) continue;
    EXPECT_EQ(bias2.data[o], b2[static_cast<std::size_t>(o)]);
    for (int c = 0; c < kClasses; ++c)
      EXPECT_EQ(now3.row(o)[c], w3[static_cast<std::size_t>(o * kClasses + c)]);
  }
  EXPECT_GT(changed, 10);
  EXPECT_GT(shut, 10);
}

TEST(Instructed, TheTaskHeadNeverLearnsAndMasksDriftOnlyWhereTheirWeightsDo) {
  const auto moved = [](TopDown weights, bool learn, Instruction instruction) {
    CounterHebbOptions o;
    o.weights = weights, o.learn_feedback = learn;
    const auto rule = make_counter_hebb(o, {});
    Instructed it(*rule, fully_connected(linear(kClasses)), top_down(instruction));
    const auto states = it.net->params().states();
    const std::vector<real> head(states.begin(), states.end());
    const auto before = it.masks();
    train(*it.net, *rule, "sgd", 60);
    EXPECT_TRUE(std::equal(head.begin(), head.end(), it.net->params().states().begin()));
    const auto after = it.masks();
    EXPECT_EQ(before[1], after[1]);  // no learnt weights above the top level
    return before[0] != after[0];
  };
  EXPECT_TRUE(moved(TopDown::Shared, true, Instruction::Live));
  EXPECT_TRUE(moved(TopDown::Separate, true, Instruction::Live));
  EXPECT_FALSE(moved(TopDown::Shared, true, Instruction::Frozen));
  EXPECT_FALSE(moved(TopDown::Separate, true, Instruction::Frozen));
  EXPECT_FALSE(moved(TopDown::Separate, false, Instruction::Live));  // feedback alignment
}

TEST(Instructed, SeparateTopDownWeightsKeepTheirDistance) {
  for (const std::string optimizer : {"sgd", "adam"}) {
    const auto rule = counter_hebb(TopDown::Separate);
    Instructed it(*rule, fully_connected(linear(kClasses)), top_down());
    const auto distance = [&] {
      const CMat w = slice(*it.net, "linear2.weight"), v = slice(*it.net, "linear2.feedback");
      std::vector<double> d(w.size());
      for (std::size_t i = 0; i < w.size(); ++i)
        d[i] = w.data[i] - v.data[i];
      return d;
    };
    const auto before = distance();
    train(*it.net, *rule, optimizer);
    const auto after = distance();
    for (std::size_t i = 0; i < before.size(); ++i)
      EXPECT_NEAR(before[i], after[i], 1e-13) << optimizer;
  }
}

TEST(Instructed, HeadsOfOtherTasksSleepInBothDirections) {
  const auto rule = counter_hebb(TopDown::Separate);
  Instructed it(*rule, fully_connected(multi_head(kTasks, kClasses, false)), top_down());
  OptimizerOptions o;
  o.optimizer = "adam", o.lr = 0.01, o.weight_decay = 0.1;
  const auto adam = make_adam(o, it.net->params());
  std::vector<real> kept;
  for (const int task : {0, 1}) {
    const int current[] = {task};
    it.net->begin_experience(current);
    const CMat v = slice(*it.net, "head1.task0.feedback");
    if (task == 1) kept.assign(v.data, v.data + v.size());
    for (int s = 0; s < 5; ++s) {
      Batch batch = random_batch(kRows, kIn, kClasses, kTasks, static_cast<std::uint64_t>(s + 1));
      std::fill(batch.task.begin(), batch.task.end(), task);
      gradient(*it.net, *rule, batch);
      adam->step(o.lr);
    }
    if (task == 1) {
      EXPECT_TRUE(std::equal(kept.begin(), kept.end(), v.data));
    }
  }
}

TEST(Gating, KeepsAtMostTheShareAskedForAndNeverNone) {
  GatingOptions o = top_down();
  o.keep_fraction = 0.2;
  const auto rule = make_backprop({}, {});
  Instructed it(*rule, fully_connected(linear(kClasses)), o);
  for (const auto& mask : it.masks())
    for (int task = 0; task < kTasks; ++task) {
      const auto open =
          std::count(mask.begin() + task * kHidden, mask.begin() + (task + 1) * kHidden, 1.0);
      EXPECT_LE(open, 3);
      EXPECT_GE(open, 1);
    }
}

TEST(Gating, RandomMasksHaveTheirShareAndTasksDiffer) {
  GatingOptions o;
  o.gating = "xdg", o.keep_fraction = 0.4;
  const auto rule = make_backprop({}, {});
  Instructed it(*rule, fully_connected(linear(kClasses)), o);
  std::set<std::vector<real>> seen;
  for (const auto& mask : it.masks())
    for (int task = 0; task < kTasks; ++task) {
      const std::vector<real> own(mask.begin() + task * kHidden,
                                  mask.begin() + (task + 1) * kHidden);
      EXPECT_EQ(std::count(own.begin(), own.end(), 1.0), 6);
      seen.insert(own);
    }
  EXPECT_EQ(seen.size(), 2u * kTasks);
  // What is closed is silent, whatever lists of active units the layers below hand on.
  Batch batch = random_batch(kRows, kIn, kClasses, kTasks);
  Tape tape;
  it.net->evaluate(batch.x, tape, {.tasks = batch.task});
  const auto masks = it.masks();
  int silent = 0;
  for (int b = 0; b < kRows; ++b)
    for (std::size_t u = 0; u < kHidden; ++u)
      if (masks[0][static_cast<std::size_t>(batch.task[static_cast<std::size_t>(b)]) * kHidden +
                   u] == 0) {
        EXPECT_EQ(tape[1].out.value().row(b)[u], 0);
        ++silent;
      }
  EXPECT_EQ(silent, kRows * 9);
}

TEST(Gating, RefusesWhatItCannotGate) {
  const auto rule = make_backprop({}, {});
  const auto message = [&](std::vector<LayerPtr> layers, GatingOptions o, ImageShape in) {
    try {
      Instructed it(*rule, std::move(layers), o, in);
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string("accepted");
  };
  EXPECT_NE(message(stack(linear(4)), top_down(), {1, 1, 4}).find("no relu"), std::string::npos);
  EXPECT_NE(
      message(stack(conv2d(2, 3, 1, 0), relu(), max_pool(2, 2), linear(4)), top_down(), kImage)
          .find("strided"),
      std::string::npos);
  GatingOptions greedy = top_down();
  greedy.min_active = 0.95;
  EXPECT_NE(message(fully_connected(linear(4)), greedy, {1, 1, kIn}).find("min_active"),
            std::string::npos);
  GatingOptions misspelt;
  misspelt.gating = "top_donw";
  EXPECT_NE(message(fully_connected(linear(4)), misspelt, {1, 1, kIn}).find("top_down"),
            std::string::npos);
}

TEST(Instructed, HasTheSameBitsForAnyNumberOfThreads) {
  const auto bits = [](int threads) {
    set_threads(threads);
    const auto rule = counter_hebb(TopDown::Separate);
    Instructed it(*rule, convolutional(), top_down(), kImage);
    train(*it.net, *rule, "adam");
    const auto values = it.net->params().values();
    set_threads(1);
    return std::vector<real>(values.begin(), values.end());
  };
  const auto one = bits(1);
  EXPECT_EQ(one, bits(2));
  EXPECT_EQ(one, bits(3));
}

}  // namespace
}  // namespace engram
