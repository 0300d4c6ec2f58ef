// Local rules in double precision beside the specification's equations, on every kind of layer that
// they learn, and the points where they come to rest.
#include <gtest/gtest.h>

#include "models/sparse_synapses.h"
#include "tests/learners/examples.h"
#include "tests/learners/hebbian_reference.h"

namespace engram {
namespace {

using testing::correlation_step;
using testing::GuptaReference;
using testing::Hebbian;
using testing::Keys;
using testing::krotov_step;
using testing::random_batch;
using testing::Row;
using testing::Rows;
using testing::Ruled;
using testing::softhebb_step;
using testing::stack;
using testing::winner_step;

static_assert(sizeof(real) == 8, "rules are checked in double precision");

constexpr double kExact = 1e-12;

/// A first layer with weights, and a head.
struct Kind {
  const char* name;
  ImageShape in;
  std::vector<LayerPtr> (*layers)();
  int kernel = 0;  ///< 0: fully connected
};
constexpr WeightInit kWide = WeightInit::HeUniform;
const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all{
      {"linear", {1, 1, 9}, [] { return stack(linear(7, {.init = kWide}), relu(), linear(3)); }},
      {"masked",
       {1, 1, 9},
       [] {
         return stack(linear(7, {.density = 0.5, .init = kWide, .storage = WeightStorage::Dense}),
                      relu(), linear(3));
       }},
      {"stored sparse",
       {1, 1, 9},
       [] {
         return stack(linear(7, {.density = 0.5, .init = kWide, .storage = WeightStorage::Sparse}),
                      relu(), linear(3));
       }},
      {"k-winners",
       {1, 1, 9},
       [] {
         return stack(linear(30, {.init = kWide}), k_winners({.percent_on = 0.1}), linear(3));
       }},
      {"convolution",
       {5, 4, 2},
       [] { return stack(conv2d(6, 2, 1, 0, {.init = kWide}), relu(), linear(3)); },
       2},
      {"convolution stored sparse",
       {5, 4, 2},
       [] {
         return stack(
             conv2d(6, 2, 1, 0, {.density = 0.5, .init = kWide, .storage = WeightStorage::Sparse}),
             relu(), linear(3));
       },
       2},
  };
  return all;
}

/// The weights of the first layer as [unit][input], and which of them exist.
struct Weights {
  Rows w, exists;
};
Weights weights_of(const Network& net) {
  Weights all;
  if (const SparseSynapses* s = net.layer(0).existing_synapses()) {
    const auto& view = s->by_output();
    const CMat value = net.params().value(s->weight_id());
    const auto units = static_cast<std::size_t>(s->fans().outputs);
    all.w.assign(units, Row(static_cast<std::size_t>(s->fans().in))), all.exists = all.w;
    for (std::size_t k = 0; k < units; ++k)
      for (std::int32_t j = view.begin[k]; j < view.begin[k + 1]; ++j) {
        const auto i = static_cast<std::size_t>(view.index[static_cast<std::size_t>(j)]);
        const auto place = static_cast<std::size_t>(j);
        all.w[k][i] = value.data[view.place.empty() ? j : view.place[place]];
        all.exists[k][i] = 1;
      }
    return all;
  }
  const SynapticMatrix& s = *net.layer(0).synapses().front();
  const auto& mask = net.params().param(s.weight_id()).mask;
  const CMat value = s.weight();
  all.w.assign(static_cast<std::size_t>(value.cols), Row(static_cast<std::size_t>(value.rows)));
  all.exists = all.w;
  for (int k = 0; k < value.cols; ++k)
    for (int i = 0; i < value.rows; ++i) {
      const auto at = static_cast<std::size_t>(i) * static_cast<std::size_t>(value.cols) +
                      static_cast<std::size_t>(k);
      all.w[static_cast<std::size_t>(k)][static_cast<std::size_t>(i)] = value.row(i)[k];
      all.exists[static_cast<std::size_t>(k)][static_cast<std::size_t>(i)] =
          mask.empty() || mask[at] != 0;
    }
  return all;
}

/// What a unit of the first layer sees of a batch: rows, or patches of all places.
Rows samples_of(const Kind& kind, const Batch& batch) {
  Rows all;
  for (int b = 0; b < batch.rows(); ++b) {
    const real* const x = batch.x.value().row(b);
    if (kind.kernel == 0) {
      all.emplace_back(x, x + kind.in.size());
      continue;
    }
    for (int top = 0; top + kind.kernel <= kind.in.height; ++top)
      for (int left = 0; left + kind.kernel <= kind.in.width; ++left) {
        Row patch;
        for (int r = 0; r < kind.kernel; ++r)
          for (int c = 0; c < kind.kernel; ++c)
            for (int channel = 0; channel < kind.in.channels; ++channel)
              patch.push_back(
                  x[((top + r) * kind.in.width + left + c) * kind.in.channels + channel]);
        all.push_back(patch);
      }
  }
  return all;
}

/// y as the network's activation makes it: relu, or the three largest of the k-winners.
Rows activities(const Kind& kind, const Rows& w, const Rows& x) {
  Rows all;
  for (const Row& sample : x) {
    Row y = testing::driven(w, sample);
    if (std::string(kind.name) == "k-winners") {
      const auto order = testing::ranked(y);
      for (std::size_t n = 3; n < order.size(); ++n)
        y[order[n]] = 0;
    } else {
      for (double& v : y)
        v = std::max(v, 0.);
    }
    all.push_back(y);
  }
  return all;
}

using Step = std::function<void(const Kind&, Weights&, const Rows&)>;

/// Three batches by the library and by the reference.
void expect_same(const char* rule, const Keys& keys, const Step& step) {
  for (const Kind& kind : kinds()) {
    SCOPED_TRACE(std::string(rule) + ", " + kind.name);
    Ruled ruled(rule, keys, kind.in, kind.layers());
    const Weights start = weights_of(*ruled.net);
    Weights expected = start;
    ruled.rule->begin_epoch(*ruled.net, {.epochs = 1});
    for (std::uint64_t n = 0; n < 3; ++n) {
      const Batch batch = random_batch(5, kind.in.size(), 3, 1, 20 + n);
      step(kind, expected, samples_of(kind, batch));
      ruled.learn(batch, n);
      const Weights got = weights_of(*ruled.net);
      double moved = 0, off = 0;
      for (std::size_t k = 0; k < got.w.size(); ++k)
        for (std::size_t i = 0; i < got.w[k].size(); ++i) {
          off = std::max(off, std::abs(got.w[k][i] - expected.w[k][i]));
          moved = std::max(moved, std::abs(got.w[k][i] - start.w[k][i]));
        }
      ASSERT_LT(off, kExact) << "batch " << n;
      if (std::string(rule) == "frozen") {
        ASSERT_EQ(moved, 0);
      } else {
        ASSERT_GT(moved, 1e-4);
      }
    }
  }
}

TEST(LocalRules, KrotovIsTheEquation) {
  for (const double p : {2., 3., 4.5})
    for (const int k : {2, 3}) {
      const std::string power = std::to_string(p), rank = std::to_string(k);
      expect_same("krotov",
                  {{"krotov.p", power.c_str()},
                   {"krotov.k", rank.c_str()},
                   {"krotov.delta", "0.3"},
                   {"hebbian.lr", "0.05"}},
                  [&](const Kind&, Weights& w, const Rows& x) {
                    krotov_step(w.w, w.exists, x, 0.05, p, k, 0.3);
                  });
    }
}

TEST(LocalRules, SoftHebbIsTheEquation) {
  for (const bool anti : {true, false})
    expect_same("softhebb",
                {{"softhebb.anti", anti ? "yes" : "no"},
                 {"softhebb.inverse_temperature", "1.7"},
                 {"softhebb.norm_power", "0.2"},
                 {"hebbian.lr", "0.03"}},
                [&](const Kind&, Weights& w, const Rows& x) {
                  softhebb_step(w.w, w.exists, x, 0.03, 1.7, 0.2, anti);
                });
}

TEST(LocalRules, CorrelationsAreTheEquations) {
  const auto by = [](Hebbian rule) {
    return [rule](const Kind& kind, Weights& w, const Rows& x) {
      correlation_step(rule, w.w, w.exists, x, activities(kind, w.w, x), 0.02);
    };
  };
  expect_same("hebb", {{"hebbian.lr", "0.02"}, {"hebbian.norm", "0"}}, by(Hebbian::Hebb));
  expect_same("oja", {{"hebbian.lr", "0.02"}}, by(Hebbian::Subspace));
  expect_same("oja", {{"hebbian.lr", "0.02"}, {"oja.form", "unit"}}, by(Hebbian::Unit));
  expect_same("sanger", {{"hebbian.lr", "0.02"}}, by(Hebbian::Sanger));
  const auto linear = [](Hebbian rule) {
    return [rule](const Kind&, Weights& w, const Rows& x) {
      Rows y;
      for (const Row& sample : x)
        y.push_back(testing::driven(w.w, sample));
      correlation_step(rule, w.w, w.exists, x, y, 0.02);
    };
  };
  expect_same("oja", {{"hebbian.lr", "0.02"}, {"oja.sees", "drive"}}, linear(Hebbian::Subspace));
  expect_same("sanger", {{"hebbian.lr", "0.02"}, {"sanger.sees", "drive"}},
              linear(Hebbian::Sanger));
}

TEST(LocalRules, WinnersMoveTowardsTheSample) {
  for (const char* winners : {"1", "3"})
    expect_same("winner_take_all", {{"winner_take_all.k", winners}, {"hebbian.lr", "0.02"}},
                [&](const Kind&, Weights& w, const Rows& x) {
                  winner_step(w.w, w.exists, x, 0.02, std::atoi(winners));
                });
}

TEST(LocalRules, GuptaIsTheEquation) {
  for (const bool by_sign : {false, true})
    for (const bool unscaled : {false, true}) {
      std::map<std::string, GuptaReference> of;
      expect_same("gupta",
                  {{"gupta.percentile", "70"},
                   {"gupta.signed_percentile", by_sign ? "yes" : "no"},
                   {"gupta.unscaled_mean", unscaled ? "yes" : "no"},
                   {"hebbian.norm", "0"},
                   {"hebbian.lr", "0.04"}},
                  [&](const Kind& kind, Weights& w, const Rows& x) {
                    auto [at, fresh] = of.try_emplace(kind.name);
                    if (fresh) at->second = {70, by_sign, unscaled};
                    at->second.step(w.w, w.exists, x, activities(kind, w.w, x), 0.04);
                  });
    }
}

TEST(LocalRules, FrozenFeaturesStay) {
  expect_same("frozen", {}, [](const Kind&, Weights&, const Rows&) {});
}

/// Samples along given directions with given deviations, [rows, inputs].
Batch stretched(int rows, const Rows& directions, const Row& deviations, std::uint64_t seed) {
  Batch batch = random_batch(rows, static_cast<int>(directions.front().size()), 3, 1, seed);
  Rng rng(seed + 1000);
  const Mat x = batch.x.value();
  for (int b = 0; b < rows; ++b) {
    std::fill_n(x.row(b), x.cols, 0.);
    for (std::size_t d = 0; d < directions.size(); ++d) {
      const double along = deviations[d] * rng.normal();
      for (int i = 0; i < x.cols; ++i)
        x.row(b)[i] += along * directions[d][static_cast<std::size_t>(i)];
    }
  }
  return batch;
}
const Rows kDirections = {{0.6, 0.8, 0, 0}, {-0.8, 0.6, 0, 0}, {0, 0, 0.6, 0.8}, {0, 0, -0.8, 0.6}};
const Row kDeviations = {3, 1.5, 0.5, 0.1};

Weights learnt(const char* rule, const Keys& keys, int units, int steps,
               const std::function<Batch(std::uint64_t)>& batch, int inputs) {
  Ruled ruled(rule, keys, {1, 1, inputs},
              stack(linear(units, {.init = WeightInit::HeUniform}), relu(), linear(3)));
  ruled.rule->begin_epoch(*ruled.net, {.epochs = 1});
  for (int n = 0; n < steps; ++n)
    ruled.learn(batch(static_cast<std::uint64_t>(n)), static_cast<std::uint64_t>(n));
  return weights_of(*ruled.net);
}

TEST(LocalRules, UnitsOfOjaFindTheFirstPrincipalComponent) {
  const auto batch = [](std::uint64_t n) { return stretched(50, kDirections, kDeviations, n); };
  const Weights w =
      learnt("oja", {{"oja.form", "unit"}, {"oja.sees", "drive"}, {"hebbian.lr", "0.01"}}, 2, 1500,
             batch, 4);
  for (const Row& unit : w.w)
    EXPECT_NEAR(std::abs(testing::dot(unit, kDirections[0])), 1, 0.02);
}

TEST(LocalRules, SangersUnitsFindThePrincipalComponentsInOrder) {
  const auto batch = [](std::uint64_t n) { return stretched(50, kDirections, kDeviations, n); };
  const Weights w =
      learnt("sanger", {{"sanger.sees", "drive"}, {"hebbian.lr", "0.01"}}, 2, 3000, batch, 4);
  for (std::size_t k = 0; k < 2; ++k)
    EXPECT_NEAR(std::abs(testing::dot(w.w[k], kDirections[k])), 1, 0.03) << k;
}

TEST(LocalRules, OjasSubspaceIsThatOfTheFirstPrincipalComponents) {
  const auto batch = [](std::uint64_t n) { return stretched(50, kDirections, kDeviations, n); };
  const Weights w =
      learnt("oja", {{"oja.sees", "drive"}, {"hebbian.lr", "0.01"}}, 2, 3000, batch, 4);
  double inside = 0, cross = std::abs(testing::dot(w.w[0], w.w[1]));
  for (const Row& unit : w.w) {
    EXPECT_NEAR(std::sqrt(testing::dot(unit, unit)), 1, 0.03);
    for (std::size_t d = 0; d < 2; ++d)
      inside += std::pow(testing::dot(unit, kDirections[d]), 2);
  }
  EXPECT_NEAR(inside, 2, 0.05);
  EXPECT_LT(cross, 0.05);
}

TEST(LocalRules, UnitsOfKrotovComeToUnitPNorm) {
  // Three clusters, three units: each unit wins its own, and no one is pushed away.
  const auto batch = [](std::uint64_t n) {
    Batch b = random_batch(30, 6, 3, 1, n);
    for (int r = 0; r < 30; ++r)
      for (int i = 0; i < 6; ++i)
        b.x.value().row(r)[i] = 0.1 * std::abs(b.x.value().row(r)[i]) + (i / 2 == r % 3 ? 1 : 0);
    return b;
  };
  for (const double p : {2., 3.}) {
    const std::string power = std::to_string(p);
    Ruled ruled("krotov",
                {{"krotov.p", power.c_str()}, {"krotov.delta", "0"}, {"hebbian.anneal", "linear"}},
                {1, 1, 6}, stack(linear(3, {.init = WeightInit::HeUniform}), relu(), linear(3)));
    const Mat start = ruled.net->params().value(ruled.net->params().find("linear1.weight"));
    for (real& v : start.all())
      v = std::abs(v) + 1;  // longer than the rule's norm, so that everybody comes to win
    for (int e = 0; e < 20; ++e) {
      ruled.rule->begin_epoch(*ruled.net, {.epoch = e, .epochs = 20});
      for (std::uint64_t n = 0; n < 100; ++n)
        ruled.learn(batch(n), n);
    }
    for (const Row& unit : weights_of(*ruled.net).w) {
      double norm = 0;
      for (const double v : unit)
        norm += std::pow(std::abs(v), p);
      EXPECT_NEAR(norm, 1, 0.02) << "p = " << p;
    }
  }
}

TEST(LocalRules, SoftHebbStopsAtUnitNorm) {
  const auto batch = [](std::uint64_t n) {
    Batch b = random_batch(30, 6, 3, 1, n);
    for (real& v : b.x.value().all())
      v = std::abs(v);
    return b;
  };
  const Weights w =
      learnt("softhebb", {{"softhebb.anti", "no"}, {"hebbian.lr", "0.05"}}, 4, 3000, batch, 6);
  for (const Row& unit : w.w)
    EXPECT_NEAR(std::sqrt(testing::dot(unit, unit)), 1, 0.01);
}

TEST(LocalRules, AWinnerEndsInTheMiddleOfItsSamples) {
  const auto batch = [](std::uint64_t n) {
    Batch b = random_batch(20, 4, 3, 1, n);
    for (int r = 0; r < 20; ++r)
      for (int i = 0; i < 4; ++i)
        b.x.value().row(r)[i] = 0.05 * b.x.value().row(r)[i] + (i == r % 2 ? 2 : 0.5);
    return b;
  };
  Ruled ruled("winner_take_all", {{"hebbian.lr", "0.002"}}, {1, 1, 4},
              stack(linear(2), relu(), linear(3)));
  const Mat start = ruled.net->params().value(ruled.net->params().find("linear1.weight"));
  for (int i = 0; i < 4; ++i)
    for (int u = 0; u < 2; ++u)
      start.row(i)[u] = i == u ? 1 : 0.1;
  ruled.rule->begin_epoch(*ruled.net, {.epochs = 1});
  for (std::uint64_t n = 0; n < 500; ++n)
    ruled.learn(batch(n), n);
  for (int i = 0; i < 4; ++i)
    for (int u = 0; u < 2; ++u)
      EXPECT_NEAR(start.row(i)[u], i == u ? 2 : 0.5, 0.02);
}

}  // namespace
}  // namespace engram
