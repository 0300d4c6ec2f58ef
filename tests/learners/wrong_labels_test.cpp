// Which wrong labels forward-forward shows: never the true one, only those that are allowed, all
// alike or as the softmax head has them.
#include "learners/forward_forward/wrong_labels.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "models/circuits/circuits.h"
#include "models/circuits/ff.h"
#include "tests/learners/examples.h"

namespace engram {
namespace {

using testing::random_batch;
using testing::Ruled;

using Mask = std::vector<std::uint8_t>;
constexpr int kOutputs = 6;

/// Rows of label 2 but for the last, which is of label 5; `seen` and `own`: what they may take.
struct Rows {
  explicit Rows(int n) : batch(random_batch(n, 3, kOutputs)) {
    std::ranges::fill(batch.target, 2);
    batch.target.back() = 5;
  }
  Batch batch;
  Mask seen = {1, 1, 1, 0, 1, 0}, own = {0, 0, 1, 1, 0, 0};
  void limit() {
    batch.mask.assign(batch.target.size(), seen);
    batch.own.assign(batch.target.size(), own);
  }
};

/// How often each label is drawn for label 2, of 1000 draws for 20 rows; checks the layout besides.
std::vector<int> draws(const Batch& batch, Negatives scope) {
  std::vector<int> counts(kOutputs, 0);
  LabelledRows rows;
  for (std::uint64_t draw = 0; draw < 1000; ++draw) {
    draw_wrong_labels(batch, kOutputs, scope, Rng(7).fork("draw", draw), rows);
    EXPECT_EQ(rows.positives, batch.rows());
    EXPECT_EQ(rows.image.size(), rows.label.size());
    std::size_t next = static_cast<std::size_t>(rows.positives);
    for (int i = 0; i < batch.rows(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      EXPECT_EQ(rows.image[at], i);
      EXPECT_EQ(rows.label[at], batch.target[at]);
      if (!rows.paired[at]) continue;
      EXPECT_EQ(rows.image.at(next), i);  // in the order of the positives
      EXPECT_NE(rows.label[next], batch.target[at]);
      if (batch.target[at] == 2) ++counts[static_cast<std::size_t>(rows.label[next])];
      ++next;
    }
    EXPECT_EQ(next, rows.image.size());
    EXPECT_EQ(rows.rows(), static_cast<int>(next));
  }
  return counts;
}

/// Chi square of counts against probabilities; labels without probability must not occur.
double chi_square(const std::vector<int>& counts, const std::vector<double>& probability) {
  double all = 0, chi = 0;
  for (const int count : counts)
    all += count;
  for (std::size_t c = 0; c < counts.size(); ++c) {
    if (probability[c] == 0) {
      EXPECT_EQ(counts[c], 0) << "label " << c;
      continue;
    }
    const double expected = all * probability[c];
    chi += (counts[c] - expected) * (counts[c] - expected) / expected;
  }
  return chi;
}
// Of at most four degrees of freedom: exceeded once in 10^5.
constexpr double kUnlikely = 28;

TEST(WrongLabels, AreUniformOverAllOthers) {
  Rows rows(20);
  EXPECT_LT(chi_square(draws(rows.batch, Negatives::All), {.2, .2, 0, .2, .2, .2}), kUnlikely);
  // Without masks there is nothing to keep to.
  rows.batch.own.clear();
  for (const Negatives scope : {Negatives::Seen, Negatives::Task})
    EXPECT_LT(chi_square(draws(rows.batch, scope), {.2, .2, 0, .2, .2, .2}), kUnlikely);
}

TEST(WrongLabels, KeepToTheirScope) {
  Rows rows(20);
  rows.limit();
  EXPECT_LT(chi_square(draws(rows.batch, Negatives::All), {.2, .2, 0, .2, .2, .2}), kUnlikely);
  const double third = 1. / 3;
  EXPECT_LT(chi_square(draws(rows.batch, Negatives::Seen), {third, third, 0, 0, third, 0}),
            kUnlikely);
  EXPECT_EQ(draws(rows.batch, Negatives::Task), (std::vector<int>{0, 0, 0, 19000, 0, 0}));
}

TEST(WrongLabels, MayDifferFromRowToRow) {
  Rows rows(3);
  rows.batch.target = {2, 2, 5};
  const Mask first = {1, 0, 1, 0, 0, 0}, second = {0, 0, 1, 0, 1, 0}, none;
  rows.batch.mask = {first, second, none};
  LabelledRows drawn;
  bool below_five[5] = {};
  for (std::uint64_t draw = 0; draw < 200; ++draw) {
    draw_wrong_labels(rows.batch, kOutputs, Negatives::Seen, Rng(7).fork("draw", draw), drawn);
    ASSERT_EQ(drawn.rows(), 6);
    EXPECT_EQ(drawn.label[3], 0);
    EXPECT_EQ(drawn.label[4], 4);
    ASSERT_LT(drawn.label[5], 5);
    below_five[drawn.label[5]] = true;
  }
  for (const bool found : below_five)
    EXPECT_TRUE(found);
}

TEST(WrongLabels, HaveNoNegativeWhereNoneIsAllowed) {
  Rows rows(20);
  rows.seen = {0, 0, 1, 0, 0, 0}, rows.own = {0, 0, 0, 0, 0, 1};
  rows.limit();
  LabelledRows drawn;
  draw_wrong_labels(rows.batch, kOutputs, Negatives::Seen, Rng(7), drawn);
  ASSERT_EQ(drawn.rows(), 21);  // label 5 has label 2 to be told from
  EXPECT_EQ(drawn.image.back(), 19);
  EXPECT_EQ(drawn.label.back(), 2);
  EXPECT_EQ(std::ranges::count(drawn.paired, 1), 1);
  EXPECT_EQ(drawn.paired.back(), 1);
  draw_wrong_labels(rows.batch, kOutputs, Negatives::Task, Rng(7), drawn);
  ASSERT_EQ(drawn.rows(), 39);  // and here it is the one without
  EXPECT_EQ(drawn.image.back(), 18);
  EXPECT_EQ(drawn.label.back(), 5);
  EXPECT_EQ(drawn.paired.back(), 0);
}

/// Learns one image of label 2 with hard negatives and counts what it is shown with: rows of W_1
/// that read labels have a gradient where their label was on.
std::vector<int> hard_draws(const Mask& seen, std::vector<double>& softmax) {
  constexpr int kPixels = 5;
  ModelOptions model;
  model.ff.label = LabelPlace::Append, model.hidden = {6};
  Ruled ruled("ff", {{"ff.peer", "0"}}, {1, 1, kPixels}, ff_layers(model, {1, kOutputs}));
  const Ff& ff = *find_layer<Ff>(*ruled.net);
  ParamStore& store = ruled.net->params();
  Rng rng(9);
  for (real& w : store.value(store.find("ff1.head1")).all())
    w = static_cast<real>(rng.normal());
  for (real& b : store.value(store.find("ff1.b1")).all())
    b = 1;  // no unit is silent
  Batch batch = random_batch(1, kPixels, kOutputs);
  batch.target = {2};
  if (!seen.empty()) batch.mask = {seen};

  // The head's softmax under the neutral label, by hand.
  std::vector<double> input;
  for (const real x : std::as_const(batch.x).value().all())
    input.push_back(static_cast<double>(x));
  input.resize(kPixels + kOutputs, 1. / kOutputs);
  const auto shorten = [](std::vector<double>& u) {
    double squares = 0;
    for (const double v : u)
      squares += v * v;
    for (double& v : u)
      v /= std::sqrt(squares / static_cast<double>(u.size()));
  };
  shorten(input);
  std::vector<double> h(6, 1);
  const CMat w = store.value(store.find("ff1.W1")), head = store.value(store.find("ff1.head1"));
  for (int j = 0; j < 6; ++j) {
    for (int i = 0; i < w.rows; ++i)
      h[static_cast<std::size_t>(j)] +=
          input[static_cast<std::size_t>(i)] * static_cast<double>(w.row(i)[j]);
    h[static_cast<std::size_t>(j)] = std::max(h[static_cast<std::size_t>(j)], 0.);
  }
  shorten(h);
  softmax.assign(kOutputs, 0);
  double sum = 0;
  for (int c = 0; c < kOutputs; ++c) {
    if (c == 2 || (!seen.empty() && !seen[static_cast<std::size_t>(c)])) continue;
    double logit = 0;
    for (int j = 0; j < 6; ++j)
      logit += h[static_cast<std::size_t>(j)] * static_cast<double>(head.row(j)[c]);
    sum += softmax[static_cast<std::size_t>(c)] = std::exp(logit);
  }
  for (double& p : softmax)
    p /= sum;

  std::vector<int> counts(kOutputs, 0);
  for (std::uint64_t step = 0; step < 20000; ++step) {
    ruled.learn(batch, step);
    const Mat g = store.grad(ff.weight_id(0));
    for (int c = 0; c < kOutputs; ++c) {
      const real* row = g.row(ff.label_row(c));
      if (c != 2 && std::any_of(row, row + 6, [](real v) { return v != 0; }))
        ++counts[static_cast<std::size_t>(c)];
    }
  }
  return counts;
}

TEST(HardWrongLabels, FollowTheSoftmaxOfTheHead) {
  for (const Mask& seen : {Mask{}, Mask{1, 1, 1, 0, 1, 0}}) {
    std::vector<double> softmax;
    const std::vector<int> counts = hard_draws(seen, softmax);
    int all = 0;
    for (const int count : counts)
      all += count;
    EXPECT_EQ(all, 20000);  // one negative each time
    EXPECT_LT(chi_square(counts, softmax), kUnlikely);
    const auto [least, most] = std::ranges::minmax(softmax);
    EXPECT_GT(most, 0.3);  // far from uniform
    EXPECT_LT(least, most);
  }
}

}  // namespace
}  // namespace engram
