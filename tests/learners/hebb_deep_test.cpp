// The deep "Hebbian" head of D2BL by hand, its collapse, and the variant that does not collapse.
#include <cmath>

#include <gtest/gtest.h>

#include "learners/registry.h"
#include "tests/learners/examples.h"
#include "tests/utils/error_of.h"

namespace engram {
namespace {

using testing::Keys;
using testing::Numbers;
using testing::random_batch;
using testing::Ruled;
using testing::stack;

constexpr int kInputs = 6, kFeatures = 5, kHidden = 4, kClasses = 3, kRows = 7;

using Rows = std::vector<std::vector<double>>;
Rows rows_of(CMat m) {
  Rows out(static_cast<std::size_t>(m.rows));
  for (int r = 0; r < m.rows; ++r)
    for (int c = 0; c < m.cols; ++c)
      out[static_cast<std::size_t>(r)].push_back(static_cast<double>(m.row(r)[c]));
  return out;
}
Rows product(const Rows& a, const Rows& b) {
  Rows out(a.size(), std::vector<double>(b.front().size()));
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < b.front().size(); ++j)
      for (std::size_t k = 0; k < b.size(); ++k)
        out[i][j] += a[i][k] * b[k][j];
  return out;
}
Rows turned(const Rows& a) {
  Rows out(a.front().size(), std::vector<double>(a.size()));
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < a.front().size(); ++j)
      out[j][i] = a[i][j];
  return out;
}
Rows relued(Rows a) {
  for (auto& row : a)
    for (double& v : row)
      v = std::max(v, 0.);
  return a;
}
double norm(const Rows& a) {
  double squares = 0;
  for (const auto& row : a)
    for (const double v : row)
      squares += v * v;
  return std::sqrt(squares);
}
void add(Rows& to, const Rows& a, double factor) {
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < a[i].size(); ++j)
      to[i][j] += factor * a[i][j];
}

Ruled deep(const Keys& keys, bool bias = false) {
  const Synapses plain{.bias = bias};
  return {
      "hebb_deep",
      keys,
      {1, 1, kInputs},
      stack(linear(kFeatures), relu(), linear(kHidden, plain), relu(), linear(kClasses, plain))};
}
Rows weights(Ruled& ruled, const char* name) {
  return rows_of(ruled.net->params().value(ruled.net->params().find(name)));
}

/// One batch by the formulas.
struct ByHand {
  Rows w1, w2;
  void learn(const Rows& f, const std::vector<int>& target, bool repo, double rate, double step) {
    const Rows y = product(f, w1);
    const Rows logits = product(relued(y), w2);
    Rows e = logits;
    for (std::size_t b = 0; b < e.size(); ++b) {
      double sum = 0;
      for (const double v : logits[b])
        sum += std::exp(v);
      for (std::size_t c = 0; c < e[b].size(); ++c)
        e[b][c] = ((static_cast<int>(c) == target[b] ? 1. : 0.) - std::exp(logits[b][c]) / sum) /
                  static_cast<double>(e.size());
    }
    const Rows hebb = product(turned(f), y);
    if (repo) {
      add(w1, hebb, step / (norm(hebb) + 1e-8));
    } else {
      const Rows old = w1;
      for (std::size_t k = 0; k < w1.front().size(); ++k)
        for (std::size_t i = 0; i < w1.size(); ++i) {
          double change = hebb[i][k];
          for (std::size_t j = 0; j <= k; ++j)
            for (std::size_t b = 0; b < y.size(); ++b)
              change -= old[i][j] * y[b][j] * y[b][k];
          w1[i][k] += rate * change / static_cast<double>(y.size());
        }
    }
    Rows z = product(f, w1);
    if (!repo) z = relued(z);
    const Rows d = product(turned(z), e);
    add(w2, d, step / (norm(d) + 1e-8));
  }
};

TEST(HebbDeep, FollowsItsFormulasInBothForms) {
  for (const bool repo : {true, false}) {
    Ruled ruled = deep({{"hebb_deep.form", repo ? "repo" : "corrected"},
                        {"hebb_deep.lr", "0.05"},
                        {"hebb_deep.step", "0.5"}});
    ByHand hand{weights(ruled, "linear2.weight"), weights(ruled, "linear3.weight")};
    const Rows features = weights(ruled, "linear1.weight");
    for (std::uint64_t n = 0; n < 4; ++n) {
      const Batch batch = random_batch(kRows, kInputs, kClasses, 1, n);
      Tape tape;
      std::as_const(*ruled.net).evaluate(batch.x, tape, {}, 2);
      hand.learn(rows_of(std::as_const(tape[1].out).value()), batch.target, repo, 0.05, 0.5);
      ruled.learn(batch, n);
    }
    EXPECT_EQ(weights(ruled, "linear1.weight"), features);
    const auto expect_near = [](const Rows& got, const Rows& expected) {
      for (std::size_t i = 0; i < got.size(); ++i)
        for (std::size_t j = 0; j < got[i].size(); ++j)
          EXPECT_NEAR(got[i][j], expected[i][j], 2e-5);
    };
    expect_near(weights(ruled, "linear2.weight"), hand.w1);
    expect_near(weights(ruled, "linear3.weight"), hand.w2);
    EXPECT_NEAR(ruled.rule->measures()[0], norm(hand.w1), 1e-4);
  }
}

TEST(HebbDeep, OfTheReferenceEndsAsAMatrixOfRankOneThatGrowsByOneABatch) {
  Ruled ruled = deep({{"hebb_deep.form", "repo"}});
  EXPECT_EQ(ruled.rule->measure_names(),
            (std::vector<std::string>{"norm/linear2", "norm_growth/linear2", "top_share/linear2"}));
  for (std::uint64_t n = 0; n < 300; ++n)
    ruled.learn(random_batch(kRows, kInputs, kClasses, 1, n), n);
  const auto measures = ruled.rule->measures();
  EXPECT_GT(measures[0], 260) << "of 300, for batches of seven differ a little";
  EXPECT_LT(measures[0], 303);
  EXPECT_GT(measures[1], 0.8);
  EXPECT_GT(measures[2], 0.999);
}

TEST(HebbDeep, WithSangersRuleStaysBounded) {
  Ruled ruled = deep({{"hebb_deep.lr", "0.01"}});
  for (std::uint64_t n = 0; n < 2000; ++n)
    ruled.learn(random_batch(kRows, kInputs, kClasses, 1, n), n);
  EXPECT_LT(ruled.rule->measures()[0], 2.5) << "units of norm 1 at most: two, and some noise";
  EXPECT_LT(ruled.rule->measures()[2], 0.9);
}

TEST(HebbDeep, HasNoBiasesAndLeavesNothingToAnOptimiser) {
  Ruled ruled = deep({}, true);
  for (const char* name : {"linear2.bias", "linear3.bias"})
    for (const auto& row : weights(ruled, name))
      for (const double v : row)
        EXPECT_EQ(v, 0) << name;
  for (int id = 0; id < ruled.net->params().count(); ++id)
    EXPECT_FALSE(ruled.net->params().param(id).trainable);
}

TEST(HebbDeep, RefusesNetworksWithoutTwoDenseLayersAtTheTop) {
  const auto refusal = [](ImageShape in, auto... layers) {
    return error_of([&] { Ruled("hebb_deep", {}, in, stack(std::move(layers)...)); });
  };
  EXPECT_SAYS(refusal({1, 1, 6}, linear(3)), "one more of `hidden`");
  EXPECT_SAYS(refusal({6, 6, 1}, conv2d(3, 3, 1, 0), relu(), linear(3)), "both dense");
  EXPECT_SAYS(refusal({1, 1, 20}, linear(9, {.density = 0.5}), linear(3)), "both dense");
}

}  // namespace
}  // namespace engram
