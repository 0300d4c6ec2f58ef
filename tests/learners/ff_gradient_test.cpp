// Forward-forward in double precision: gradients of every level and of the head against central
// differences of their own losses, the peer term by hand, and scores of labels against labels that
// are written into the image one by one.
#include <limits>

#include <gtest/gtest.h>

#include "tests/learners/ff_pair.h"

namespace engram {
namespace {

using testing::chosen_rows;
using testing::differences;
using testing::farthest;
using testing::FfReference;
using testing::Keys;
using testing::Matrix;
using testing::matrix_of;
using testing::Parameters;
using testing::parameters_of;
using testing::random_batch;
using testing::Ruled;
using testing::stacked;

using testing::constants;
using testing::kLabels;
using testing::kPixels;
using testing::kRows;
using testing::kUniform;
using testing::kWidths;
using testing::levels;
using testing::stir;
using testing::with;
using Pair = testing::FfPair;

/// Every way to show labels, to shorten and to measure goodness.
std::vector<FfOptions> variants() {
  std::vector<FfOptions> all;
  for (const LabelPlace label : {LabelPlace::Overlay, LabelPlace::Append})
    for (const FfNormaliser normaliser : {FfNormaliser::Rms, FfNormaliser::L2})
      for (const FfGoodness goodness : {FfGoodness::Sum, FfGoodness::Mean}) {
        FfOptions o;
        o.label = label, o.normaliser = normaliser, o.goodness = goodness;
        all.push_back(o);
      }
  FfOptions other;
  other.label_strength = 2.5, other.threshold = 1.7, other.first_level = 1;
  other.normaliser_epsilon = 0.2;
  all.push_back(other);
  other.normalise_input = false, other.first_level = 3, other.label = LabelPlace::Append;
  all.push_back(other);
  return all;
}

TEST(FfGradients, AreTheDifferencesOfEveryLevelsOwnLoss) {
  int number = 0;
  for (const FfOptions& o : variants()) {
    SCOPED_TRACE(number++);
    Pair pair(o);
    pair.reference.c.peer = 0;
    pair.draw(0);
    pair.check(0);
  }
}

TEST(FfGradients, AreSoForASingleLevelWhichThenDecides) {
  Pair pair({}, kUniform, {5});
  pair.reference.c.peer = 0;
  pair.draw(0);
  pair.check(0);
}

TEST(FfGradients, OfTwoUpdatesTakeNewNegativesAndTheMovedWeights) {
  Pair pair({}, with(kUniform, {{"ff.iterations", "2"}}));
  pair.reference.c.peer = 0;
  ASSERT_EQ(pair.ruled.rule->updates(), 2);
  pair.draw(0);
  const auto first = pair.wrong();
  pair.check(0);
  pair.step(0.2);
  pair.draw(1);
  EXPECT_NE(first, pair.wrong());
  pair.check(1);
}

TEST(FfGradients, AreThoseOfOneLevelWhenTheyLearnInTurn) {
  Pair pair({}, with(kUniform, {{"ff.in_turn", "true"}, {"ff.iterations", "2"}}));
  pair.reference.c.peer = 0;
  ASSERT_EQ(pair.ruled.rule->updates(), 6);
  for (int u = 0; u < 6; ++u) {
    pair.draw(u);
    pair.check(u, u / 2 + 1);
    pair.step(0.1);
  }
}

TEST(FfGradients, WithPeersDrawEveryUnitToTheMeanOfItsLevel) {
  for (const FfOptions& o : variants()) {
    Pair pair(o, {{"ff.peer", "0.4"},
                  {"ff.peer_memory", "0.7"},
                  {"ff.negatives", "all"},
                  {"ff.negative_draw", "uniform"},
                  {"ff.iterations", "3"}});
    // A unit that is silent for every image is drawn as well: nothing gates the pull.
    ParamStore& store = pair.ruled.net->params();
    store.value(store.find("ff1.b2")).data[1] = -50;
    pair.reference.c.peer = 0.4, pair.reference.c.peer_memory = 0.7;
    for (int u = 0; u < 3; ++u) {
      pair.draw(u);
      pair.check(u);
      EXPECT_GT(std::abs(pair.ruled.gradient("ff1.b2")[1]), 1e-3);
      pair.step(0.05);
    }
  }
}

TEST(FfGradients, OfPeersMoveMeansOfTheLevelAloneThatLearns) {
  Pair pair({}, {{"ff.in_turn", "true"}, {"ff.negatives", "all"}, {"ff.negative_draw", "uniform"}});
  for (int u = 0; u < 3; ++u) {
    pair.draw(u);
    pair.check(u, u + 1);
    for (int l = u + 1; l < 3; ++l)
      for (const double mean : matrix_of(pair.ff.mean_activity(l)).v)
        EXPECT_EQ(mean, 0.5);
  }
}

TEST(FfGradients, OfHardNegativesAreThoseOfLabelsDrawnFromTheHead) {
  Pair pair({}, {{"ff.peer", "0"}, {"ff.negatives", "all"}});
  pair.reference.c.peer = 0;
  int unlike = 0;
  for (int u = 0; u < 4; ++u) {
    pair.draw(u);
    const auto uniform = pair.wrong();
    pair.draw_hard(u, [&](int i) {
      std::vector<int> competes(kLabels, 1);
      competes[static_cast<std::size_t>(pair.batch.target[static_cast<std::size_t>(i)])] = 0;
      return competes;
    });
    unlike += uniform != pair.wrong();
    pair.check(u);
    pair.step(0.1);
  }
  EXPECT_GT(unlike, 0);
}

TEST(FfGradients, LeaveOutImagesWithoutAWrongLabel) {
  Pair pair({}, {{"ff.peer", "0"}, {"ff.negatives", "seen"}, {"ff.negative_draw", "uniform"}});
  pair.reference.c.peer = 0;
  // The even images may have their own label alone; the others that and one more.
  std::vector<std::vector<std::uint8_t>> masks(kRows, std::vector<std::uint8_t>(kLabels, 0));
  pair.rows.positives = kRows;
  for (int i = 0; i < kRows; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const int target = pair.batch.target[at], other = (target + 1) % kLabels;
    masks[at][static_cast<std::size_t>(target)] = 1;
    pair.rows.paired.push_back(static_cast<std::uint8_t>(i % 2));
    if (i % 2 == 0) continue;
    masks[at][static_cast<std::size_t>(other)] = 1;
  }
  pair.rows.image = {0, 1, 2, 3, 4, 5}, pair.rows.label = pair.batch.target;
  for (int i = 1; i < kRows; i += 2) {
    pair.rows.image.push_back(i);
    pair.rows.label.push_back((pair.batch.target[static_cast<std::size_t>(i)] + 1) % kLabels);
  }
  pair.batch.mask.assign(masks.begin(), masks.end());
  const BatchStats stats = pair.learn(0);
  const auto plus = pair.reference.sweep(pair.images(), pair.batch.target);
  const auto minus =
      pair.reference.sweep(chosen_rows(pair.images(), pair.wrong_rows()), pair.wrong());
  double loss = 0;
  for (int l = 1; l <= 3; ++l) {
    const auto at = static_cast<std::size_t>(l - 1);
    const Matrix below = stacked(chosen_rows(plus[at], {1, 3, 5}), minus[at]);
    const auto of_level = [&](const Parameters& q) {
      return pair.reference.level_loss(l, q, below, {1, 1, 1, 0, 0, 0}, 2 * kRows);
    };
    loss += of_level(pair.reference.p);
    for (const char* what : {"W", "b"}) {
      const std::string name = FfReference::name(what, l);
      pair.expect_gradient(name, differences(pair.reference.p, name, of_level), 0);
    }
  }
  EXPECT_NEAR(stats.loss, loss, 1e-12);
}

TEST(FfGradients, ReportTheGoodnessOfEveryLevel) {
  Pair pair;
  pair.draw(0);
  pair.learn(0);
  std::vector<Matrix> plus, minus;
  pair.reference.sweep(pair.images(), pair.batch.target, &plus);
  pair.reference.sweep(chosen_rows(pair.images(), pair.wrong_rows()), pair.wrong(), &minus);
  const auto names = pair.ruled.rule->measure_names();
  const auto found = pair.ruled.rule->measures();
  ASSERT_EQ(names.size(), 7u);
  ASSERT_EQ(found.size(), 7u);
  EXPECT_EQ(names[1], "positive_goodness/2");
  EXPECT_EQ(names[3], "negative_goodness/1");
  for (std::size_t l = 0; l < 3; ++l) {
    double of_plus = 0, of_minus = 0;
    for (int i = 0; i < kRows; ++i)
      of_plus += pair.reference.goodness(plus[l], i) / kRows,
          of_minus += pair.reference.goodness(minus[l], i) / kRows;
    EXPECT_NEAR(found[l], of_plus, 1e-12);
    EXPECT_NEAR(found[l + 3], of_minus, 1e-12);
  }
}

/// So many rows that they are handled in more than one part.
Batch many_images() {
  return random_batch(300, kPixels, kLabels, 1, 8);
}
struct Scores {
  explicit Scores(const FfOptions& options, FfInference inference)
      : net({1, 1, kPixels}, levels(with(options, inference), kWidths), Rng(3)) {
    stir(net.params());
    reference.c = constants(options);
    reference.levels = static_cast<int>(kWidths.size()), reference.labels = kLabels;
    reference.p = parameters_of(net.params());
  }
  static FfOptions with(FfOptions o, FfInference inference) {
    o.inference = inference;
    return o;
  }
  const Record& forward(const Batch& batch, std::span<const std::uint8_t> outputs = {}) {
    net.evaluate(batch.x, tape, {.outputs = outputs});
    return tape.back();
  }
  Network net;
  Tape tape;
  FfReference reference;
};

/// What the updates of a batch cost, each by itself.
std::vector<double> costs(Pair& pair) {
  std::vector<double> each;
  double before = 0;
  for (int u = 0; u < pair.ruled.rule->updates(); ++u) {
    const double now = pair.learn(u).macs.dense;
    each.push_back(now - before);
    before = now;
  }
  return each;
}

TEST(FfUpdates, ReportWhatAllOfThemCostTogether) {
  const double one = Pair().learn(0).macs.dense;
  ASSERT_GT(one, 0);
  Pair three({}, with(kUniform, {{"ff.iterations", "3"}}));
  for (int batch = 0; batch < 2; ++batch)  // and begin again with every batch
    EXPECT_EQ(costs(three), std::vector<double>(3, one));
  Pair turns({}, with(kUniform, {{"ff.in_turn", "true"}, {"ff.iterations", "2"}}));
  const auto each = costs(turns);
  ASSERT_EQ(each.size(), 6u);
  for (std::size_t u = 0; u < 6; u += 2) {
    EXPECT_EQ(each[u], each[u + 1]);
    EXPECT_GT(each[u], u == 0 ? 0 : each[u - 2]) << "more levels are computed";
  }
}

TEST(FfUpdates, CountRightAnswersAmongTheStreamsOwnRowsAlone) {
  Pair pair;
  pair.batch.place = {4, 7, 9};  // the other rows are remembered ones
  EXPECT_EQ(pair.learn(0).counted, 3);
}

TEST(FfForward, ScoresALabelByTheGoodnessOfTheDecidingLevelsWhenItIsWrittenIn) {
  const Batch batch = many_images();
  const Matrix images = matrix_of(batch.x.value());
  const std::vector<std::uint8_t> some = {0, 1, 0, 1};
  for (const FfOptions& o : variants())
    for (const bool masked : {false, true}) {
      Scores s(o, FfInference::Energy);
      const Record& found = s.forward(batch, masked ? some : std::vector<std::uint8_t>{});
      ASSERT_EQ(found.saved.size(), 300u * kLabels * 3);
      for (int label = 0; label < kLabels; ++label) {
        std::vector<Matrix> h;
        s.reference.sweep(images, std::vector<int>(300, label), &h);
        const bool left_out = masked && !some[static_cast<std::size_t>(label)];
        for (int i = 0; i < 300; ++i) {
          double score = 0;
          for (int l = 0; l < 3; ++l) {
            const double goodness = s.reference.goodness(h[static_cast<std::size_t>(l)], i);
            if (l + 1 >= s.reference.first()) score += goodness;
            const double saved =
                found.saved[static_cast<std::size_t>((i * kLabels + label) * 3 + l)];
            if (left_out) {
              ASSERT_TRUE(std::isnan(saved));
            } else {
              ASSERT_NEAR(saved, goodness, 1e-10) << "row " << i << ", label " << label;
            }
          }
          const double out = found.out.value().row(i)[label];
          if (left_out) {
            ASSERT_EQ(out, std::numeric_limits<real>::lowest());
          } else {
            ASSERT_NEAR(out, score, 1e-10) << "row " << i << ", label " << label;
          }
        }
      }
    }
}

TEST(FfForward, BySoftmaxReadsTheHeadUnderTheNeutralLabel) {
  const Batch batch = many_images();
  const Matrix images = matrix_of(batch.x.value());
  for (const FfOptions& o : variants()) {
    Scores s(o, FfInference::Softmax);
    const Record& found = s.forward(batch);
    const Matrix logits = s.reference.head_logits(
        s.reference.p, s.reference.sweep(images, std::vector<int>(300, FfReference::kNeutral)));
    EXPECT_LT(farthest(logits.v, matrix_of(found.out.value()).v), 1e-10);
    EXPECT_EQ(found.saved.size(), 300u * kLabels * 3);
    for (const double saved : found.saved)
      ASSERT_TRUE(std::isnan(saved));
  }
}

TEST(FfForward, OfASilentLevelIsZero) {
  FfOptions o;
  for (const double epsilon : {1e-20, 0.}) {
    o.normaliser_epsilon = epsilon;
    Scores s(o, FfInference::Energy);
    for (real& b : s.net.params().value(s.net.params().find("ff1.b1")).all())
      b = -100;
    s.reference.p = parameters_of(s.net.params());
    const Batch batch = random_batch(5, kPixels, kLabels);
    const Record& found = s.forward(batch);
    // What is above sees nothing but biases, whatever the label.
    double expected = 0;
    Matrix below(1, 5);
    for (int l = 2; l <= 3; ++l) {
      const Matrix h = s.reference.activity(l, s.reference.p, below);
      expected += s.reference.goodness(h, 0);
      below = s.reference.shortened(h);
    }
    for (const double score : found.out.value().all())
      EXPECT_NEAR(score, expected, 1e-12);
  }
}

TEST(FfForward, HasThresholdsOfTheNumberOfUnits) {
  FfOptions o;
  const Ff sum(o, kWidths, kLabels);
  o.goodness = FfGoodness::Mean;
  const Ff mean(o, kWidths, kLabels);
  EXPECT_EQ(sum.threshold(1), 6);
  EXPECT_EQ(mean.threshold(1), 1);
}

}  // namespace
}  // namespace engram
