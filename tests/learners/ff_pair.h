// The forward-forward rule beside its reference (ff_reference.h), update by update, in double
// precision.
#pragma once

#include <gtest/gtest.h>

#include "learners/forward_forward/wrong_labels.h"
#include "models/circuits/circuits.h"
#include "models/circuits/ff.h"
#include "tests/learners/examples.h"
#include "tests/learners/ff_reference.h"
#include "tests/learners/parameters_of.h"

namespace engram::testing {

static_assert(sizeof(real) == 8, "rules are checked in double precision");

constexpr int kPixels = 7, kLabels = 4, kRows = 6;
inline const std::vector<int> kWidths = {5, 6, 4};

inline std::vector<LayerPtr> levels(const FfOptions& options, std::vector<int> widths) {
  ModelOptions model;
  model.ff = options, model.hidden = std::move(widths);
  return ff_layers(model, {1, kLabels});
}

inline FfReference::Constants constants(const FfOptions& o) {
  FfReference::Constants c;
  c.append = o.label == LabelPlace::Append, c.rms = o.normaliser == FfNormaliser::Rms;
  c.normalise_input = o.normalise_input, c.mean = o.goodness == FfGoodness::Mean;
  c.strength = o.label_strength, c.epsilon = o.normaliser_epsilon;
  c.threshold = o.threshold, c.first = o.first_level;
  return c;
}

/// Weights, biases and heads that are all alive: biases and heads start at 0.
inline void stir(ParamStore& store) {
  Rng rng(31);
  for (int id = 0; id < store.count(); ++id)
    for (real& w : store.value(id).all())
      w += 0.3 * rng.normal();
}

inline const Keys kUniform = {
    {"ff.peer", "0"}, {"ff.negatives", "all"}, {"ff.negative_draw", "uniform"}};

inline Keys with(Keys keys, std::initializer_list<std::pair<const char*, const char*>> more) {
  keys.insert(keys.end(), more);
  return keys;
}

/// The rule beside the reference, update by update.
struct FfPair {
  explicit FfPair(const FfOptions& options = {}, const Keys& keys = kUniform,
                  const std::vector<int>& widths = kWidths)
      : ruled("ff", keys, {1, 1, kPixels}, levels(options, widths)),
        batch(random_batch(kRows, kPixels, kLabels)),
        ff(*find_layer<Ff>(*ruled.net)) {
    stir(ruled.net->params());
    reference.c = constants(options);
    reference.levels = static_cast<int>(widths.size()), reference.labels = kLabels;
    for (const int width : widths)
      means.emplace_back(static_cast<std::size_t>(width), 0.5);
  }
  static Rng root() { return Rng(77).fork("pass", 0); }
  Matrix images() const { return matrix_of(batch.x.value()); }

  BatchStats learn(int update) {
    reference.p = parameters_of(ruled.net->params());
    ruled.net->params().zero_grad();
    return ruled.rule->learn(*ruled.net, batch, {.training = true, .rng = root(), .update = update},
                             {});
  }
  void expect_gradient(const std::string& name, const std::vector<double>& expected, int update) {
    EXPECT_LT(farthest(expected, ruled.gradient("ff1." + name)), 1e-7)
        << name << " in update " << update;
    EXPECT_TRUE(std::ranges::any_of(expected, [](double v) { return std::abs(v) > 1e-4; }))
        << name << " has nothing to learn";
  }
  void expect_none(const std::string& name, int update) {
    for (const double g : ruled.gradient("ff1." + name))
      EXPECT_EQ(g, 0) << name << " in update " << update;
  }
  void draw(int update, Negatives scope = Negatives::All) {
    draw_wrong_labels(batch, kLabels, scope,
                      root().fork("negatives", static_cast<std::uint64_t>(update)), rows);
  }
  std::vector<int> wrong() const { return {rows.label.begin() + kRows, rows.label.end()}; }
  std::vector<int> wrong_rows() const { return {rows.image.begin() + kRows, rows.image.end()}; }

  /// Wrong labels as the head's hard draw has them, by the inverse of the distribution: one number
  /// for each image, labels in their order. competes(image): 1 for those that may be drawn.
  template <class Competes>
  void draw_hard(int u, const Competes& competes) {
    reference.p = parameters_of(ruled.net->params());
    const std::vector<int> none(static_cast<std::size_t>(kRows), FfReference::kNeutral);
    const Matrix logits = reference.head_logits(reference.p, reference.sweep(images(), none));
    Rng numbers = root().fork("negatives", static_cast<std::uint64_t>(u)).fork("hard");
    for (int i = 0; i < kRows; ++i) {
      const auto q = FfReference::softmax(logits, i, competes(i));
      double left = numbers.uniform();
      int label = 0;
      while ((left -= q[static_cast<std::size_t>(label)]) >= 0)
        ++label;
      rows.label[static_cast<std::size_t>(kRows + i)] = label;
    }
  }

  /// Checks update u, in which `only` learns (0: all levels), with negatives that draw() or the
  /// test has chosen.
  void check(int u, int only = 0) {
    const BatchStats stats = learn(u);
    const Parameters& p = reference.p;
    std::vector<Matrix> h;
    const auto plus = reference.sweep(images(), batch.target, &h);
    const auto minus = reference.sweep(chosen_rows(images(), wrong_rows()), wrong());
    // Positives that nothing stands against teach nothing.
    std::vector<int> paired, lab;
    for (int i = 0; i < kRows; ++i)
      if (rows.paired[static_cast<std::size_t>(i)]) paired.push_back(i);
    lab.assign(paired.size(), 1);
    lab.resize(paired.size() + wrong().size(), 0);
    double loss = 0;
    for (int l = 1; l <= reference.levels; ++l) {
      const std::string w = FfReference::name("W", l), b = FfReference::name("b", l);
      if (only > 0 && l != only) {
        expect_none(w, u), expect_none(b, u);
        continue;
      }
      const auto at = static_cast<std::size_t>(l - 1);
      const Matrix below = stacked(chosen_rows(plus[at], paired), minus[at]);
      const auto of_level = [&](const Parameters& q) {
        return reference.level_loss(l, q, below, lab, 2 * kRows);
      };
      loss += of_level(p);
      auto of_w = differences(p, w, of_level), of_b = differences(p, b, of_level);
      if (reference.c.peer > 0) add_peers(l, plus[at], h[at], of_w, of_b);
      expect_gradient(w, of_w, u), expect_gradient(b, of_b, u);
    }
    if (u == 0) told = {};
    const int again = ruled.rule->updates() / (only > 0 ? reference.levels : 1);
    told.loss += loss / again;  // in the mean over these
    EXPECT_NEAR(stats.loss, told.loss, 1e-12);
    check_head(u, only == 0 || only == reference.levels, u % again == 0, stats);
  }
  /// `first`: the head has not learnt from the batch yet, so what is right then is reported.
  void check_head(int u, bool learns, bool first, const BatchStats& stats) {
    const Parameters& p = reference.p;
    const std::vector<int> none(static_cast<std::size_t>(kRows), FfReference::kNeutral);
    const auto neutral = reference.sweep(images(), none);
    FfReference::Allowed allowed;
    for (const auto mask : batch.mask)
      allowed.emplace_back(mask.begin(), mask.end());
    for (int l = reference.first(); l <= reference.levels; ++l) {
      const std::string head = FfReference::name("head", l);
      if (!learns)
        expect_none(head, u);
      else
        expect_gradient(head,
                        differences(p, head,
                                    [&](const Parameters& q) {
                                      return reference.head_loss(q, neutral, batch.target, allowed);
                                    }),
                        u);
    }
    if (!learns) return;
    EXPECT_NEAR(ruled.rule->measures().back(),
                reference.head_loss(p, neutral, batch.target, allowed), 1e-12);
    const Matrix logits = reference.head_logits(p, neutral);
    int right = 0;
    for (int i = 0; i < kRows; ++i) {
      const auto q = FfReference::softmax(logits, i, FfReference::row_of(allowed, i));
      right += std::ranges::max_element(q) - q.begin() == batch.target[static_cast<std::size_t>(i)];
    }
    if (first) told.correct = right;
    EXPECT_EQ(stats.correct, told.correct);
  }
  /// Every positive pulls its unit's mean towards that of the level.
  void add_peers(int level, const Matrix& below, const Matrix& h, std::vector<double>& of_w,
                 std::vector<double>& of_b) {
    std::vector<double> pull;
    auto& mean = means[static_cast<std::size_t>(level - 1)];
    reference.peers(h, mean, pull);
    for (int i = 0; i < h.rows; ++i)
      for (int j = 0; j < h.cols; ++j) {
        const double by = pull[static_cast<std::size_t>(j)];
        of_b[static_cast<std::size_t>(j)] += by;
        for (int k = 0; k < below.cols; ++k)
          of_w[static_cast<std::size_t>(k * h.cols + j)] += below(i, k) * by;
      }
    EXPECT_LT(farthest(mean, matrix_of(ff.mean_activity(level - 1)).v), 1e-12);
  }
  void step(double rate) {
    ParamStore& store = ruled.net->params();
    for (int id = 0; id < store.count(); ++id) {
      const Mat w = store.value(id), g = store.grad(id);
      for (std::size_t k = 0; k < w.size(); ++k)
        w.data[k] -= rate * g.data[k];
    }
  }

  Ruled ruled;
  Batch batch;
  Ff& ff;
  LabelledRows rows;
  FfReference reference;
  std::vector<std::vector<double>> means;
  BatchStats told;  ///< what the rule should have reported of the batch by now
};

}  // namespace engram::testing
