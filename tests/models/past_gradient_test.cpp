// The backward passes of layers that remember others, and of what stands around them in D2BL,
// against central differences in double precision with the randomness held fixed.
#include <gtest/gtest.h>

#include "models/past/map_noise.h"
#include "models/past/past.h"
#include "models/registry.h"
#include "models/synaptic.h"
#include "tests/models/differences.h"
#include "tests/models/harness.h"

namespace engram {
namespace {

using testing::random_batch;
using testing::stack;

static_assert(sizeof(real) == 8, "gradients are checked in double precision");
constexpr double kTolerance = 1e-6;

double worst_error(Network& net, bool training = true, std::uint64_t seed = 77) {
  const Batch batch = random_batch(7, net.in().size(), net.outputs());
  return testing::gradient_error(net, batch, {training, Rng(seed), batch.task}, 1e-6);
}
double worst_error(ImageShape in, std::vector<LayerPtr> layers) {
  Network net(in, std::move(layers), Rng(11));
  return worst_error(net);
}

/// The networks of D2BL, small: three hidden layers of 6 units.
ModelOptions small(PastMechanism mechanism) {
  ModelOptions o;
  o.model = "mlp", o.hidden = {6, 6, 6}, o.dropout = 0, o.activation = Activation::Gelu;
  o.past.mechanism = mechanism, o.past.attention.heads = 3;
  return o;
}
std::unique_ptr<Network> built(const ModelOptions& o) {
  return build_model(o, {1, 1, 5}, {1, 4}, Rng(4));
}

TEST(PastGradient, OfGeluAndLayerNorm) {
  EXPECT_LT(worst_error({1, 1, 5}, stack(linear(9), gelu(), linear(3))), kTolerance);
  EXPECT_LT(worst_error({1, 1, 5}, stack(linear(9), layer_norm(), gelu(), linear(3))), kTolerance);
  EXPECT_LT(worst_error({4, 4, 2}, stack(conv2d(6, 2, 1, 0), layer_norm(), gelu(), linear(3))),
            kTolerance);
}
TEST(PastGradient, OfOneLayerNormAtSeveralPlaces) {
  const auto shared = std::make_shared<NormSlices>();
  EXPECT_LT(worst_error({1, 1, 5}, stack(linear(6), gelu(), layer_norm(shared), linear(6), gelu(),
                                         layer_norm(shared), linear(3))),
            kTolerance);
}
TEST(PastGradient, OfSoftmaxAndGeluBehindTheClassifier) {
  for (const HeadActivation head : {HeadActivation::Softmax, HeadActivation::Gelu}) {
    ModelOptions o = small(PastMechanism::None);
    o.head_activation = head;
    EXPECT_LT(worst_error(*built(o)), kTolerance) << name_of(head);
  }
}

TEST(PastGradient, OfAttentionThroughInputsAndPast) {
  for (const PastOf of : {PastOf::Sums, PastOf::Outputs})
    for (const bool projected : {true, false}) {
      ModelOptions o = small(PastMechanism::Attention);
      o.past.of = of, o.past.attention.projected = projected;
      EXPECT_LT(worst_error(*built(o)), kTolerance) << name_of(of) << projected;
    }
}
TEST(PastGradient, OfAttentionWithHeadsOfTheirOwnAndAnotherWidth) {
  ModelOptions o = small(PastMechanism::Attention);
  o.past.attention.independent_heads = true;
  EXPECT_LT(worst_error(*built(o)), kTolerance);
  o.past.attention.width = 4;
  EXPECT_LT(worst_error(*built(o)), kTolerance);
}
TEST(PastGradient, OfAttentionUnderLayerNormOfTheFirstLayerAlone) {
  ModelOptions o = small(PastMechanism::Attention);
  o.hidden = {6, 6}, o.layer_norm = NormPlace::Before, o.layer_norm_last = false;
  o.past.of = PastOf::Sums, o.past.attention.projected = false;
  EXPECT_LT(worst_error(*built(o)), kTolerance);
}
TEST(PastGradient, OfAttentionWithMutationAndCrossover) {
  for (const double share : {0.0, 0.6, 1.0})
    for (const MapNoisePer per : {MapNoisePer::Call, MapNoisePer::Sample})
      for (const bool independent : {false, true}) {
        ModelOptions o = small(PastMechanism::Attention);
        AttentionOptions& a = o.past.attention;
        a.noise = MapNoise::CrossoverMutation, a.mutation_share = share, a.noise_per = per;
        a.independent_heads = independent, a.crossover = 0.5;
        const auto net = built(o);
        for (const std::uint64_t seed : {1, 2, 3})
          EXPECT_LT(worst_error(*net, true, seed), kTolerance) << share << independent << seed;
        o.past.stochastic_eval = true;
        EXPECT_LT(worst_error(*built(o), false), kTolerance) << share;
      }
}

/// T, a function of a map, against its adjoint: <C, T(S)> moves with S as T*(C) says.
TEST(PastGradient, OfTheNoiseAlone) {
  AttentionOptions o;
  o.noise = MapNoise::CrossoverMutation;
  constexpr int kFeatures = 10;
  Rng draw(8);
  std::vector<real> map(100), weights(100);
  for (std::size_t i = 0; i < map.size(); ++i)
    map[i] = static_cast<real>(draw.normal()), weights[i] = static_cast<real>(draw.normal());
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const PassNoise noise(o, Rng(seed), 2, kFeatures);
    const auto value = [&](std::vector<real> s) {
      noise.apply(3, 1, {s.data(), kFeatures, kFeatures});
      double sum = 0;
      for (std::size_t i = 0; i < s.size(); ++i)
        sum += s[i] * weights[i];
      return sum;
    };
    std::vector<real> adjoint = weights;
    noise.apply_adjoint(3, 1, {adjoint.data(), kFeatures, kFeatures});
    for (std::size_t i = 0; i < map.size(); ++i) {
      auto up = map, down = map;
      up[i] += 1e-3, down[i] -= 1e-3;  // it is linear: any step will do
      EXPECT_NEAR((value(up) - value(down)) / 2e-3, adjoint[i], 1e-9);
    }
  }
}

/// A crossover that copies: both tails are constants to its errors, even where a row met itself.
TEST(PastGradient, OfTheDetachedCopyStopsAtBothTails) {
  AttentionOptions o;
  o.noise = MapNoise::CrossoverMutation, o.mutation_share = 0,
  o.semantics = Crossover::CopyDetached;
  o.crossover = 0.3;
  constexpr int kFeatures = 8, kTail = 6;  // 8 - int(2.4)
  int met_itself = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    // Entries say where they were.
    std::vector<real> map(64), error(64, 1);
    for (std::size_t i = 0; i < map.size(); ++i)
      map[i] = static_cast<real>(i);
    const PassNoise noise(o, Rng(seed), 1, kFeatures);
    noise.apply(0, 0, {map.data(), kFeatures, kFeatures});
    noise.apply_adjoint(0, 0, {error.data(), kFeatures, kFeatures});
    int changed = -1, source = -1, silent = 0;
    for (int i = 0; i < kFeatures; ++i) {
      const auto at = static_cast<std::size_t>(i * kFeatures + kTail);
      if (map[at] != static_cast<real>(at)) {
        changed = i, source = static_cast<int>(map[at]) / kFeatures;
        EXPECT_EQ(map[at + 1], map[at] + 1);
      }
      silent += error[at] == 0;
      EXPECT_EQ(error[at], error[at + 1]);
      EXPECT_EQ(error[at - 1], 1);
    }
    met_itself += changed < 0;
    EXPECT_EQ(silent, changed < 0 ? 1 : 2);
    if (changed >= 0) {
      EXPECT_EQ(error[static_cast<std::size_t>(changed * kFeatures + kTail)], 0);
      EXPECT_EQ(error[static_cast<std::size_t>(source * kFeatures + kTail)], 0);
    }
  }
  EXPECT_GT(met_itself, 0);
  EXPECT_LT(met_itself, 30);
}

/// Stands in for a kde layer with what that one drew: a constant, as it is to errors.
class Remembered final : public Layer {
 public:
  Remembered(KdeUse use, std::vector<real> w) : use_(use), w_(std::move(w)) {}
  std::string kind() const override { return "remembered"; }
  std::string describe() const override { return "a constant"; }
  ImageShape bind(ImageShape in, const Place&, ParamStore&) override { return in; }
  Macs forward(const Signal& x, Record& y, const Pass&) const override {
    const Mat out = y.out.resize(x.rows(), x.cols());
    for (std::size_t i = 0; i < out.size(); ++i)
      out.data[i] = use_ == KdeUse::Shift   ? x.value().data[i] + w_[i]
                    : use_ == KdeUse::Scale ? x.value().data[i] * w_[i]
                                            : w_[i];
    return {};
  }
  Macs backward_input(const Signal&, const Record&, const Signal&, Signal&, const Pass&,
                      const Descent&) const override {
    return {};
  }

 private:
  KdeUse use_;
  std::vector<real> w_;
};

TEST(PastGradient, OfKdeWithWhatWasDrawnHeldFixed) {
  for (const KdePoints points : {KdePoints::Single, KdePoints::Feature, KdePoints::FeatureIndep})
    for (const KdeDraw draw : {KdeDraw::Kde, KdeDraw::Gaussian, KdeDraw::Scalar})
      for (const KdeUse use : {KdeUse::Shift, KdeUse::Scale, KdeUse::Replace})
        for (const bool training : {true, false}) {
          // linear, gelu, kde, linear, gelu, kde, linear
          const auto network = [&](LayerPtr first, LayerPtr second) {
            return std::make_unique<Network>(ImageShape{1, 1, 5},
                                             stack(linear(6), gelu(), std::move(first), linear(6),
                                                   gelu(), std::move(second), linear(4)),
                                             Rng(11));
          };
          const KdeOptions o{.points = points, .use = use, .draw = draw};
          LayerPtr first = kde(o), second = kde(o);
          first->wiring.past = {1}, second->wiring.past = {4, 1};
          const auto net = network(std::move(first), std::move(second));
          const Batch batch = random_batch(7, 5, 4);
          const Pass pass{training, Rng(77), batch.task};
          net->params().zero_grad();
          const auto rule = make_backprop({}, {});
          rule->prepare(*net, Rng(1));
          rule->learn(*net, batch, pass, {});
          const auto fixed = network(std::make_unique<Remembered>(use, rule->tape()[2].saved),
                                     std::make_unique<Remembered>(use, rule->tape()[5].saved));
          ASSERT_EQ(fixed->params().values().size(), net->params().values().size());
          Tape tape;
          Signal error;
          const auto loss = [&] {
            std::as_const(*fixed).evaluate(batch.x, tape, pass);
            return cross_entropy(tape.back().out, batch, error).loss;
          };
          const auto gradient = net->params().grads();
          const auto theta = fixed->params().values();
          for (std::size_t i = 0; i < theta.size(); ++i) {
            const real keep = theta[i];
            theta[i] = keep + 1e-6;
            const double up = loss();
            theta[i] = keep - 1e-6;
            const double down = loss();
            theta[i] = keep;
            ASSERT_NEAR((up - down) / 2e-6, gradient[i], 1e-7)
                << name_of(points) << name_of(draw) << name_of(use);
          }
          // What no error reaches is left alone altogether.
          EXPECT_EQ(net->params().param(0).trainable, use != KdeUse::Replace);
          EXPECT_TRUE(net->params().param(net->params().count() - 1).trainable);
        }
}

/// One layer norm at three places, only the last of which errors reach: it learns, what is below
/// does not, and not even its decay touches that.
TEST(PastGradient, OfSharedSlicesIsThatOfTheLayersThatErrorsReach) {
  ModelOptions o = small(PastMechanism::Kde);
  o.layer_norm = NormPlace::After, o.layer_norm_shared = true, o.past.at = {3};
  o.past.kde.use = KdeUse::Replace;
  const auto net = built(o);
  const Batch batch = random_batch(7, 5, 4);
  const auto rule = make_backprop({}, {});
  net->params().zero_grad();
  rule->learn(*net, batch, {true, Rng(5), batch.task}, {});
  for (const auto& [name, learns] : {std::pair{"linear1.weight", false},
                                     {"linear2.bias", false},
                                     {"layer_norm1.scale", true},
                                     {"layer_norm1.shift", true},
                                     {"linear3.weight", true},
                                     {"linear4.bias", true}})
    EXPECT_EQ(net->params().param(net->params().find(name)).trainable, learns) << name;
}

TEST(PastGradient, OfAConditionedClassifierAboveConvolutions) {
  for (const PastMechanism mechanism : {PastMechanism::Attention, PastMechanism::Kde}) {
    ModelOptions o;
    o.model = "cnn", o.conv_channels = {4, 6}, o.conv_kernel = 3, o.hidden = {7}, o.dropout = 0;
    o.activation = Activation::Gelu, o.past.mechanism = mechanism, o.past.head = true;
    o.past.shape = {2, 2, 3}, o.past.hidden = 6, o.past.attention.width = 5;
    o.past.kde.use = KdeUse::Replace;  // what is drawn is a constant, so nothing else is learnt
    const auto net = build_model(o, {8, 8, 1}, {1, 4}, Rng(4));
    if (mechanism == PastMechanism::Attention) {
      o.past.layers = 2;
      EXPECT_LT(worst_error(*build_model(o, {8, 8, 1}, {1, 4}, Rng(4))), kTolerance);
    }
    EXPECT_EQ(net->errors_reach(0), mechanism == PastMechanism::Attention);
    if (net->errors_reach(0)) {
      EXPECT_LT(worst_error(*net), kTolerance);
    }
  }
}

/// Feedback alignment whose matrices are the weights is back-propagation, projections included.
TEST(PastGradient, OfFeedbackThatIsTheWeightsIsBackPropagations) {
  const ModelOptions o = small(PastMechanism::Attention);
  const Batch batch = random_batch(7, 5, 4);
  const auto rule = make_feedback_alignment({}, {}), exact = make_backprop({}, {});
  const auto net = build_model(o, {1, 1, 5}, {1, 4}, Rng(4), 1, rule->feedback());
  const auto twin = built(o);
  const auto gradients = [&](Rule& by, Network& of) {
    of.params().zero_grad();
    by.learn(of, batch, {true, Rng(5), batch.task}, {});
    std::vector<real> all;
    for (int id = 0; id < of.params().count(); ++id)
      if (!of.params().param(id).name.ends_with(".feedback")) {
        const auto g = of.params().grad(id).all();
        all.insert(all.end(), g.begin(), g.end());
      }
    return all;
  };
  const auto expected = gradients(*exact, *twin);
  rule->prepare(*net, Rng(3));
  EXPECT_NE(gradients(*rule, *net), expected);
  int matrices = 0;
  for (const SynapticMatrix* s : net->synapses())
    if (s->feedback_id() >= 0) {
      std::copy_n(s->weight().data, s->weight().size(), s->slice().data);
      ++matrices;
    }
  EXPECT_EQ(matrices, 11);  // all but that of the lowest layer
  const auto found = gradients(*rule, *net);
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_NEAR(found[i], expected[i], 1e-12);
}

}  // namespace
}  // namespace engram
