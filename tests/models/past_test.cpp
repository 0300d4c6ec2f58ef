// Layers that remember others, against the equations of D2BL calculated independently.
#include "models/past/past.h"

#include <cmath>
#include <numbers>
#include <set>

#include <gtest/gtest.h>

#include "models/past/map_noise.h"
#include "models/registry.h"
#include "tests/models/harness.h"
#include "utils/error.h"
#include "utils/parallel.h"

namespace engram {
namespace {

using testing::random_batch;
using testing::stack;

using Vector = std::vector<double>;
using Rows = std::vector<Vector>;

Vector row_of(const Signal& s, int b) {
  return {s.value().row(b), s.value().row(b) + s.cols()};
}
/// x W + b with the weights of a layer, [inputs, outputs], by its name.
Vector through(const Network& net, const std::string& name, const Vector& x) {
  const CMat w = net.params().value(net.params().find(name + ".weight"));
  const CMat b = net.params().value(net.params().find(name + ".bias"));
  Vector y(b.data, b.data + b.cols);
  for (int i = 0; i < w.rows; ++i)
    for (int j = 0; j < w.cols; ++j)
      y[static_cast<std::size_t>(j)] +=
          x[static_cast<std::size_t>(i)] * static_cast<double>(w.row(i)[j]);
  return y;
}
Vector gelu_of(Vector x) {
  for (double& v : x)
    v *= 0.5 * (1 + std::erf(v / std::numbers::sqrt2));
  return x;
}

/// P v of the specification, section 2.1, with T = identity.
Vector attended(const Rows& q, const Rows& k, const Vector& v, double tau) {
  const std::size_t n = v.size();
  Vector o(n);
  for (std::size_t i = 0; i < n; ++i) {
    Vector s(n, 0.0);
    double largest = -1e300, sum = 0;
    for (std::size_t j = 0; j < n; ++j) {
      for (std::size_t l = 0; l < q.size(); ++l)
        s[j] += q[l][i] * k[l][j] / tau;
      largest = std::max(largest, s[j]);
    }
    for (double& e : s)
      sum += e = std::exp(e - largest);
    for (std::size_t j = 0; j < n; ++j)
      o[i] += s[j] / sum * v[j];
  }
  return o;
}

/// Net A0: 5 -> 8, push; attention, W_O, 8 -> 8, push; attention over both, W_O, 8 -> 8; 4 classes.
TEST(PseudoAttention, IsTheNetOfTheSpecification) {
  ModelOptions o;
  o.hidden = {8, 8, 8}, o.dropout = 0, o.activation = Activation::Gelu;
  o.past.mechanism = PastMechanism::Attention, o.past.of = PastOf::Sums;
  o.past.attention.tau = std::sqrt(8.0);
  const auto net = build_model(o, {1, 1, 5}, {1, 4}, Rng(4));
  const Batch batch = random_batch(3, 5, 4);
  Tape tape;
  net->evaluate(batch.x, tape, {});
  // Layers with weights are named in order: linear1; linear2 = W_V, conv1 = W_Q, conv2 = W_K,
  // linear3 = W_O, linear4 = W_out; linear5, conv3, conv4, linear6, linear7; linear8.
  for (int b = 0; b < 3; ++b) {
    const auto block = [&](const Rows& past, const Vector& x, int first, int conv) {
      const auto name = [](const char* kind, int i) { return kind + std::to_string(i); };
      Rows q, k;
      for (const Vector& r : past) {
        q.push_back(through(*net, name("conv", conv), r));
        k.push_back(through(*net, name("conv", conv + 1), r));
      }
      const Vector head = attended(q, k, through(*net, name("linear", first), x), std::sqrt(8.0));
      Vector heads;
      for (int h = 0; h < 4; ++h)
        heads.insert(heads.end(), head.begin(), head.end());
      return through(*net, name("linear", first + 2),
                     through(*net, name("linear", first + 1), heads));
    };
    const Vector x1 = through(*net, "linear1", row_of(batch.x, b));
    const Vector x2 = block({x1}, gelu_of(x1), 2, 1);
    const Vector x3 = block({x1, x2}, gelu_of(x2), 5, 3);
    const Vector logits = through(*net, "linear8", gelu_of(x3));
    for (int c = 0; c < 4; ++c)
      EXPECT_NEAR(static_cast<double>(tape.back().out.value().row(b)[c]),
                  logits[static_cast<std::size_t>(c)], 1e-5);
  }
}
TEST(PseudoAttention, OfTheSpecificationHasItsNumberOfParameters) {
  ModelOptions o;
  o.hidden = {8, 8, 8}, o.dropout = 0, o.activation = Activation::Gelu;
  o.past.mechanism = PastMechanism::Attention, o.past.of = PastOf::Sums;
  EXPECT_EQ(build_model(o, {28, 28, 1}, {1, 10}, Rng(4))->params().values().size(), 7474u);
}
TEST(PseudoAttention, WithoutProjectionsOfOneLayerMixesItsValues) {
  ModelOptions o;
  o.hidden = {8, 8}, o.dropout = 0, o.activation = Activation::Gelu;
  o.past.mechanism = PastMechanism::Attention, o.past.attention.projected = false;
  o.past.attention.heads = 1;
  const auto net = build_model(o, {1, 1, 5}, {1, 4}, Rng(4));
  const Batch batch = random_batch(9, 5, 4);
  Tape tape;
  net->evaluate(batch.x, tape, {});
  int attention = 0;
  while (net->layer(attention).kind() != "attention")
    ++attention;
  for (int b = 0; b < 9; ++b) {
    const Vector h = row_of(tape[1].out, b);
    const Vector expected = attended({h}, {h}, h, std::sqrt(8.0));
    const auto [least, most] = std::minmax_element(h.begin(), h.end());
    for (int i = 0; i < 8; ++i) {
      const auto y =
          static_cast<double>(tape[static_cast<std::size_t>(attention)].out.value().row(b)[i]);
      EXPECT_NEAR(y, expected[static_cast<std::size_t>(i)], 1e-6);
      EXPECT_GE(y, *least - 1e-6);
      EXPECT_LE(y, *most + 1e-6);
    }
  }
}
TEST(PseudoAttention, HasTheSameBitsOnAnyNumberOfThreads) {
  ModelOptions o;
  o.hidden = {16, 16}, o.dropout = 0, o.activation = Activation::Gelu;
  o.past.mechanism = PastMechanism::Attention, o.past.stochastic_eval = true;
  o.past.attention.noise = MapNoise::CrossoverMutation;
  std::set<std::vector<real>> seen;
  for (const int threads : {1, 2, 3}) {
    set_threads(threads);
    const auto net = build_model(o, {1, 1, 5}, {1, 4}, Rng(4));
    Tape tape;
    net->evaluate(random_batch(40, 5, 4).x, tape, {.rng = Rng(6)});
    const auto all = tape.back().out.value().all();
    seen.insert({all.begin(), all.end()});
  }
  set_threads(1);
  EXPECT_EQ(seen.size(), 1u);
}

TEST(MapNoise, HasTailsAsLongAsTheSpecificationSays) {
  AttentionOptions o;
  o.crossover_at_least_one = false;
  for (const auto& [features, tail] : {std::pair{8, 2}, {16, 4}, {32, 9}, {64, 19}, {3, 0}, {2, 0}})
    EXPECT_EQ(features - PassNoise::first_of_tail(o, features), tail) << features;
  o.crossover = 0.1;
  EXPECT_EQ(PassNoise::first_of_tail(o, 8), 8);  // both simulations: nothing happens
  EXPECT_EQ(PassNoise::first_of_tail(o, 2), 2);
  o.crossover_at_least_one = true;
  EXPECT_EQ(PassNoise::first_of_tail(o, 8), 7);
  o.crossover = 0;
  EXPECT_EQ(PassNoise::first_of_tail(o, 8), 8);
}
TEST(MapNoise, MutatesByUniformFactorsInAShareOfPasses) {
  AttentionOptions o;
  int mutations = 0;
  double sum = 0, squares = 0, least = 9, most = 0, n = 0;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    std::vector<real> map(64, 1);
    const PassNoise noise(o, Rng(seed), 1, 8);
    noise.apply(0, 0, {map.data(), 8, 8});
    if (map[0] == 1) continue;  // a crossover of equal rows changes nothing
    ++mutations;
    for (const real v : map) {
      const auto m = static_cast<double>(v);
      sum += m, squares += m * m, ++n, least = std::min(least, m), most = std::max(most, m);
    }
  }
  EXPECT_NEAR(mutations / 500.0, 0.6, 0.07);
  EXPECT_NEAR(sum / n, 1, 0.005);
  EXPECT_NEAR(squares / n - sum / n * sum / n, 0.36 / 12, 0.001);  // of U(0.7, 1.3)
  EXPECT_GE(least, 0.7);
  EXPECT_LE(most, 1.3);
  EXPECT_LT(least, 0.701);
  EXPECT_GT(most, 1.299);
}
TEST(MapNoise, SwapsTailsOfTwoRowsAndSwapsThemBack) {
  AttentionOptions o;
  o.mutation_share = -1;  // never
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    std::vector<real> map(64);
    for (std::size_t i = 0; i < 64; ++i)
      map[i] = static_cast<real>(i);
    const std::vector<real> before = map;
    const PassNoise noise(o, Rng(seed), 1, 8);
    noise.apply(0, 0, {map.data(), 8, 8});
    int moved = 0;
    for (std::size_t i = 0; i < 64; ++i)
      if (map[i] != before[i]) {
        ++moved;
        EXPECT_GE(i % 8, 6u);
        EXPECT_EQ(static_cast<std::size_t>(map[i]) % 8, i % 8);
      }
    EXPECT_TRUE(moved == 4 || moved == 0) << moved;
    noise.apply_adjoint(0, 0, {map.data(), 8, 8});
    EXPECT_EQ(map, before);
  }
}
TEST(MapNoise, MayBeChosenForEveryExample) {
  AttentionOptions o;
  const auto kinds = [&](MapNoisePer per) {
    o.noise_per = per;
    std::set<bool> seen;
    for (int b = 0; b < 30; ++b) {
      std::vector<real> map(64, 1);
      PassNoise(o, Rng(5), 1, 8).apply(b, 0, {map.data(), 8, 8});
      seen.insert(map[0] == 1);
    }
    return seen.size();
  };
  EXPECT_EQ(kinds(MapNoisePer::Call), 1u);
  EXPECT_EQ(kinds(MapNoisePer::Sample), 2u);
}
TEST(MapNoise, IsSilentInEvaluationUnlessAskedFor) {
  ModelOptions o;
  o.hidden = {8, 8}, o.dropout = 0;
  o.past.mechanism = PastMechanism::Attention;
  const auto logits = [&](bool training) {
    const auto net = build_model(o, {1, 1, 5}, {1, 4}, Rng(4));
    Tape tape;
    net->evaluate(random_batch(4, 5, 4).x, tape, {.training = training, .rng = Rng(6)});
    const auto all = tape.back().out.value().all();
    return std::vector<real>(all.begin(), all.end());
  };
  const auto plain = logits(false);
  o.past.attention.noise = MapNoise::CrossoverMutation;
  EXPECT_EQ(logits(false), plain);
  EXPECT_NE(logits(true), plain);
  o.past.stochastic_eval = true;
  EXPECT_EQ(logits(false), logits(true));
}

/// A kde layer that remembers two layers, and what it drew in many passes, for one example.
struct Drawn {
  Rows past;  ///< [2][6]
  Rows w;     ///< [passes][6]
};
Drawn draws(const KdeOptions& o, int passes, bool training = true) {
  LayerPtr layer = kde(o);
  layer->wiring.past = {3, 1};
  Network net({1, 1, 5}, stack(linear(6), gelu(), linear(6), std::move(layer), linear(2)), Rng(2));
  const Batch batch = random_batch(2, 5, 2);
  Drawn drawn;
  Tape tape;
  for (int i = 0; i < passes; ++i) {
    net.evaluate(batch.x, tape, {.training = training, .rng = Rng(static_cast<std::uint64_t>(i))});
    const auto* const w = tape[3].saved.data() + 6;
    drawn.w.emplace_back(w, w + 6);
  }
  drawn.past = {row_of(tape[0].out, 1), row_of(tape[2].out, 1)};
  return drawn;
}
struct Moments {
  double mean = 0, variance = 0;
};
template <class Values>
Moments moments(const Values& values) {
  Moments m;
  for (const double v : values)
    m.mean += v / static_cast<double>(values.size());
  for (const double v : values)
    m.variance += (v - m.mean) * (v - m.mean) / static_cast<double>(values.size());
  return m;
}
Vector column(const Rows& rows, std::size_t j) {
  Vector c;
  for (const Vector& row : rows)
    c.push_back(row[j]);
  return c;
}

TEST(Kde, HasTheMomentsOfTheEstimate) {
  for (const KdeDraw draw : {KdeDraw::Kde, KdeDraw::Gaussian})
    for (const KdePoints points :
         {KdePoints::Single, KdePoints::Feature, KdePoints::FeatureIndep}) {
      const auto [past, w] = draws({.points = points, .draw = draw}, 20000);
      for (std::size_t j = 0; j < 6; ++j) {
        Vector all = past[0];
        all.insert(all.end(), past[1].begin(), past[1].end());
        const Moments expected =
            points == KdePoints::Single ? moments(all) : moments(column(past, j));
        const Moments seen = moments(column(w, j));
        const double variance = expected.variance + 0.04;
        EXPECT_NEAR(seen.mean, expected.mean, 4 * std::sqrt(variance / 20000)) << name_of(points);
        EXPECT_NEAR(seen.variance, variance, 0.05 * variance) << name_of(points);
      }
    }
}
TEST(Kde, PicksPointsWhole) {
  const auto near = [](double a, double b) { return std::abs(a - b) < 1e-6; };
  for (const KdePoints points : {KdePoints::Single, KdePoints::Feature, KdePoints::FeatureIndep}) {
    const auto [past, w] = draws({.points = points, .bandwidth = 0}, 400);
    int whole = 0, crossed = 0;
    for (const Vector& row : w) {
      int first = 0, second = 0;
      for (std::size_t j = 0; j < 6; ++j) {
        first += near(row[j], past[0][j]), second += near(row[j], past[1][j]);
        bool known = false;
        for (const Vector& p : past)
          for (std::size_t k = 0; k < 6; ++k)
            known = known || (near(row[j], p[k]) && (k == j || points == KdePoints::Single));
        EXPECT_TRUE(known);
      }
      whole += first == 6 || second == 6;
      crossed += first + second < 6;
    }
    EXPECT_EQ(whole == 400, points == KdePoints::Feature);
    EXPECT_EQ(crossed > 0, points == KdePoints::Single);  // values of other features
  }
}
TEST(Kde, IsItsMeanInEvaluationUnlessAskedOtherwise) {
  for (const KdePoints points : {KdePoints::Single, KdePoints::Feature}) {
    const auto [past, w] = draws({.points = points}, 2, false);
    EXPECT_EQ(w[0], w[1]);
    Vector all = past[0];
    all.insert(all.end(), past[1].begin(), past[1].end());
    for (std::size_t j = 0; j < 6; ++j)
      EXPECT_NEAR(w[0][j], moments(points == KdePoints::Single ? all : column(past, j)).mean, 1e-6);
    const auto again = draws({.points = points, .stochastic_eval = true}, 2, false);
    EXPECT_NE(again.w[0], again.w[1]);
  }
}
TEST(Kde, OfAScalarIsOneNumberPerPass) {
  const auto [past, w] = draws({.draw = KdeDraw::Scalar}, 300);
  double least = 9, most = 0;
  for (const Vector& row : w) {
    for (const double v : row)
      EXPECT_EQ(v, row[0]);
    least = std::min(least, row[0]), most = std::max(most, row[0]);
  }
  EXPECT_GE(least, 0.99);
  EXPECT_LE(most, 1.09);
  EXPECT_GT(most - least, 0.09);
}
TEST(Kde, ShiftsScalesOrReplacesTheInput) {
  for (const KdeUse use : {KdeUse::Shift, KdeUse::Scale, KdeUse::Replace}) {
    LayerPtr layer = kde({.use = use});
    layer->wiring.past = {1};
    Network net({1, 1, 5}, stack(linear(6), std::move(layer), linear(2)), Rng(2));
    Tape tape;
    net.evaluate(random_batch(3, 5, 2).x, tape, {.training = true, .rng = Rng(1)});
    for (std::size_t i = 0; i < 18; ++i) {
      const real x = tape[0].out.value().data[i], w = tape[1].saved[i];
      EXPECT_EQ(tape[1].out.value().data[i], use == KdeUse::Shift   ? x + w
                                             : use == KdeUse::Scale ? x * w
                                                                    : w);
    }
  }
}

std::string refusal(const ModelOptions& o) {
  try {
    build_model(o, {1, 1, 5}, {1, 4}, Rng(4));
  } catch (const Error& e) {
    return e.what();
  }
  return "accepted";
}
TEST(Past, RefusesWhatDoesNotFit) {
  for (const PastMechanism mechanism : {PastMechanism::Kde, PastMechanism::Attention}) {
    ModelOptions o;
    o.past.mechanism = mechanism, o.hidden = {8, 6, 6};
    EXPECT_NE(refusal(o).find("one width"), std::string::npos) << refusal(o);
    o.hidden = {6, 6}, o.past.at = {1};
    EXPECT_NE(refusal(o).find("past_at = 1"), std::string::npos) << refusal(o);
    o.past.at = {3};
    EXPECT_NE(refusal(o).find("past_at = 3"), std::string::npos) << refusal(o);
    o.past.at = {2};
    EXPECT_EQ(refusal(o), "accepted");
  }
  ModelOptions o;
  o.past.mechanism = PastMechanism::Attention, o.hidden = {6, 6};
  o.past.attention.projected = false, o.past.attention.width = 4;
  EXPECT_NE(refusal(o).find("attention.projected = yes"), std::string::npos) << refusal(o);
  o = {}, o.hidden = {8, 6}, o.layer_norm = NormPlace::After, o.layer_norm_shared = true;
  EXPECT_NE(refusal(o).find("layer_norm_shared = no"), std::string::npos) << refusal(o);
  // Points on a line do not mind widths.
  o = {}, o.hidden = {8, 6, 4}, o.past.mechanism = PastMechanism::Kde;
  o.past.kde.points = KdePoints::Single;
  EXPECT_EQ(refusal(o), "accepted");
}

TEST(LayerNorm, IsItsFormulaOverRows) {
  testing::Alone alone(layer_norm(), {1, 1, 7});
  Batch batch = random_batch(5, 7, 2);
  const Signal& y = alone.forward(batch.x, true);
  for (int b = 0; b < 5; ++b) {
    const auto [mean, variance] = moments(row_of(batch.x, b));
    for (int j = 0; j < 7; ++j)
      EXPECT_NEAR(
          static_cast<double>(y.value().row(b)[j]),
          (static_cast<double>(batch.x.value().row(b)[j]) - mean) / std::sqrt(variance + 1e-5),
          1e-5);
  }
}
/// Of two features only the sign of their difference is left (specification, section 6.1).
TEST(LayerNorm, OfTwoFeaturesIsAlmostASign) {
  testing::Alone alone(layer_norm(), {1, 1, 2});
  const Signal& y = alone.forward(testing::signal(2, 2, {3, 1, -2, 5}), true);
  const std::vector<double> expected{1, -1, -1, 1};
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_NEAR(static_cast<double>(y.value().data[i]), expected[i], 1e-4);
}

}  // namespace
}  // namespace engram
