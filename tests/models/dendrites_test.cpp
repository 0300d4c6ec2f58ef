// Active dendrites against their equations, unit by unit; where contexts come from; and what a
// gradient and a step touch.
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include <gtest/gtest.h>

#include "learners/registry.h"
#include "models/registry.h"
#include "tests/models/harness.h"
#include "utils/error.h"

namespace engram {
namespace {

using testing::random_batch;
using testing::signal;

constexpr int kInputs = 5, kUnits = 4;

ModelOptions options(int segments) {
  ModelOptions o;
  o.hidden = {kUnits}, o.dropout = 0, o.dendrites.segments = segments;
  return o;
}
/// context1, linear1, dendrites1, relu1, linear2.
std::unique_ptr<Network> built(const ModelOptions& o, int tasks = 3) {
  return build_model(o, {1, 1, kInputs}, {1, 2, tasks}, Rng(4));
}
CMat slice(const Network& net, const char* name) {
  return net.params().value(net.params().find(name));
}
const Signal& out(const Tape& tape, int layer) {
  return tape[static_cast<std::size_t>(layer)].out;
}
double at(CMat m, int row, int col) {
  return static_cast<double>(m.row(row)[col]);
}
double sigmoid(double a) {
  return 1 / (1 + std::exp(-a));
}

/// Activation of the segment that is strongest under a context, with its sign, and which it is.
std::pair<double, int> strongest(const Network& net, int unit, const std::vector<double>& context) {
  const CMat u = slice(net, "dendrites1.segments");
  const int segments = u.rows / kUnits;
  std::pair<double, int> best{0, -1};
  for (int s = 0; s < segments; ++s) {
    double a = 0;
    for (int i = 0; i < u.cols; ++i)
      a += at(u, unit * segments + s, i) * context[static_cast<std::size_t>(i)];
    if (best.second < 0 || std::abs(a) > std::abs(best.first)) best = {a, unit * segments + s};
  }
  return best;
}
std::vector<double> mean_of(const Batch& batch, int task) {
  std::vector<double> mean(kInputs, 0);
  double n = 0;
  for (int b = 0; b < batch.rows(); ++b) {
    if (batch.task[static_cast<std::size_t>(b)] != task) continue;
    ++n;
    for (int i = 0; i < kInputs; ++i)
      mean[static_cast<std::size_t>(i)] += at(batch.x.value(), b, i);
  }
  for (double& m : mean)
    m /= n;
  return mean;
}
/// Images of tasks whose means lie apart.
Batch images_of_tasks(int rows, int tasks, std::uint64_t seed = 5) {
  Batch batch = random_batch(rows, kInputs, 2, tasks, seed);
  for (int b = 0; b < rows; ++b)
    batch.x.value().row(b)[batch.task[static_cast<std::size_t>(b)]] += 4;
  return batch;
}
/// h of every row is t times the gate under the context that belongs to it.
void expect_gated(const Network& net, const Tape& tape,
                  const std::vector<std::vector<double>>& contexts) {
  int negative = 0;
  for (int b = 0; b < out(tape, 1).rows(); ++b)
    for (int i = 0; i < kUnits; ++i) {
      const double a = strongest(net, i, contexts[static_cast<std::size_t>(b)]).first;
      negative += a < 0;
      EXPECT_NEAR(at(out(tape, 2).value(), b, i), at(out(tape, 1).value(), b, i) * sigmoid(a), 1e-5)
          << "row " << b << ", unit " << i;
    }
  EXPECT_GT(negative, 0);  // the largest magnitude may be negative, and closes the gate
}

TEST(Dendrites, TheStrongestSegmentUnderTheContextOfTheTaskGatesAUnit) {
  for (const int segments : {1, 3}) {
    const auto net = built(options(segments));
    const Batch shown = images_of_tasks(60, 2);
    net->preview(shown.x.value(), shown.task);
    const Batch batch = random_batch(6, kInputs, 2, 2, 9);
    Tape tape;
    net->forward(batch.x, tape, {true, Rng(1), batch.task});
    std::vector<std::vector<double>> contexts;
    for (const int task : batch.task)
      contexts.push_back(mean_of(shown, task));
    expect_gated(*net, tape, contexts);
  }
}

TEST(Dendrites, AtTestTheNearestMeanIsTheContextWhateverTheTask) {
  const auto net = built(options(3));
  const Batch shown = images_of_tasks(60, 2);
  // In two parts: the mean is that of all.
  std::vector<int> tasks(shown.task.begin(), shown.task.begin() + 20);
  net->preview({shown.x.value().data, 20, kInputs}, tasks);
  tasks.assign(shown.task.begin() + 20, shown.task.end());
  net->preview({shown.x.value().row(20), 40, kInputs}, tasks);
  const Batch batch = images_of_tasks(20, 3, 9);  // of the third task nobody knows
  Tape tape;
  std::as_const(*net).evaluate(batch.x, tape, {false, Rng(1), batch.task});
  std::vector<std::vector<double>> contexts;
  int others = 0;
  for (int b = 0; b < batch.rows(); ++b) {
    std::vector<double> distance(2, 0);
    for (int task = 0; task < 2; ++task)
      for (int i = 0; i < kInputs; ++i)
        distance[static_cast<std::size_t>(task)] += std::pow(
            at(batch.x.value(), b, i) - mean_of(shown, task)[static_cast<std::size_t>(i)], 2);
    const int nearest = distance[1] < distance[0];
    others += nearest != batch.task[static_cast<std::size_t>(b)];
    EXPECT_EQ(at(out(tape, 0).value(), b, 0), nearest);
    contexts.push_back(mean_of(shown, nearest));
  }
  EXPECT_GT(others, 0);
  expect_gated(*net, tape, contexts);
}

TEST(Dendrites, GatesAreHalfOpenBeforeAnythingIsKnown) {
  const auto net = built(options(3));
  const Batch batch = random_batch(4, kInputs, 2);
  Tape tape;
  for (const bool training : {false, true}) {
    net->evaluate(batch.x, tape, {training, Rng(1), batch.task});
    for (int b = 0; b < 4; ++b)
      for (int i = 0; i < kUnits; ++i)
        EXPECT_EQ(at(out(tape, 2).value(), b, i), at(out(tape, 1).value(), b, i) / 2);
  }
}

TEST(Dendrites, SegmentsStartWithinTheirBound) {
  ModelOptions o = options(200);
  o.dendrites.init_share = 0.25;
  const auto net = built(o);
  double largest = 0, squares = 0;
  const CMat u = slice(*net, "dendrites1.segments");
  for (const real v : u.all())
    largest = std::max(largest, std::abs(static_cast<double>(v))),
    squares += static_cast<double>(v) * static_cast<double>(v);
  const double bound = 1 / std::sqrt(0.25 * kInputs);
  EXPECT_LE(largest, bound);
  EXPECT_GT(largest, 0.99 * bound);
  EXPECT_NEAR(std::sqrt(squares / static_cast<double>(u.size())), bound / std::sqrt(3), 0.02);
}

TEST(Dendrites, AGradientIsABlockOfTheChosenSegmentsAndAdamMovesNoOthers) {
  ModelOptions o = options(6);
  o.sparsify = true, o.percent_on_fc = 0.5;
  const auto net = built(o);
  const Batch shown = images_of_tasks(60, 2);
  net->preview(shown.x.value(), shown.task);
  const auto rule = make_rule("backprop", Config{});
  OptimizerOptions adam;
  adam.optimizer = "adam", adam.lr = 0.001;
  const auto optimizer = make_optimizer(adam, net->params());
  const Batch batch = random_batch(8, kInputs, 2, 2, 9);
  const int id = net->params().find("dendrites1.segments");
  std::vector<real> before(net->params().value(id).all().begin(),
                           net->params().value(id).all().end());
  std::vector<char> chosen(kUnits * 6, 0);
  for (int step = 0; step < 5; ++step) {
    net->params().zero_grad();
    rule->learn(*net, batch, {true, Rng(1), batch.task}, {});
    for (int i = 0; i < kUnits; ++i)
      for (int task = 0; task < 2; ++task)
        chosen[static_cast<std::size_t>(strongest(*net, i, mean_of(shown, task)).second)] = 1;
    const Param& p = net->params().param(id);
    ASSERT_EQ(p.form, GradientForm::Block);
    EXPECT_TRUE(p.block.all_cols);
    EXPECT_TRUE(std::ranges::is_sorted(p.block.rows));
    for (const std::int32_t row : p.block.rows)
      EXPECT_TRUE(chosen[static_cast<std::size_t>(row)]) << row;
    optimizer->step(adam.lr);
  }
  const CMat after = slice(*net, "dendrites1.segments");
  int moved = 0;
  for (int row = 0; row < after.rows; ++row) {
    const bool same = std::equal(after.row(row), after.row(row) + kInputs,
                                 before.begin() + static_cast<std::ptrdiff_t>(row) * kInputs);
    EXPECT_TRUE(same || chosen[static_cast<std::size_t>(row)]) << row;
    moved += !same;
  }
  EXPECT_GT(moved, 0);
  EXPECT_LT(moved, after.rows / 2);
}

ModelOptions of_clusters() {
  ModelOptions o = options(3);
  o.dendrites.context = ContextSource::Clusters, o.dendrites.pixels = 3;
  o.dendrites.exemplars = 30, o.dendrites.join_below = 0.999;
  return o;
}
/// What training on a batch about `centre` is given as its context.
int cluster_of(Network& net, double centre, std::uint64_t seed, int rows = 20) {
  Batch batch = random_batch(rows, kInputs, 2, 1, seed);
  for (int b = 0; b < rows; ++b)
    for (int i = 0; i < kInputs; ++i)
      batch.x.value().row(b)[i] += static_cast<real>(centre);
  Tape tape;
  net.forward(batch.x, tape, {true, Rng(seed), batch.task});
  for (int b = 0; b < rows; ++b)
    EXPECT_EQ(at(out(tape, 0).value(), b, 0), at(out(tape, 0).value(), 0, 0));
  return static_cast<int>(at(out(tape, 0).value(), 0, 0));
}
CMat state(const Network& net, const std::string& name) {
  for (int id = 0; id < net.params().state_count(); ++id)
    if (net.params().state_param(id).name == name) return net.params().state(id);
  return {};
}

TEST(Clusters, BatchesJoinTheClusterThatTheyAreLikeOrFoundOne) {
  const auto net = built(of_clusters());
  EXPECT_EQ(cluster_of(*net, 0, 1), 0);
  EXPECT_EQ(cluster_of(*net, 0, 2), 0);
  EXPECT_EQ(cluster_of(*net, 5, 3), 1);
  EXPECT_EQ(cluster_of(*net, 5, 4), 1);
  EXPECT_EQ(cluster_of(*net, -5, 5), 2);
  EXPECT_EQ(cluster_of(*net, 0, 6), 0);
  const CMat seen = state(*net, "context1.seen"), held = state(*net, "context1.held");
  EXPECT_EQ(at(seen, 0, 0), 60);
  EXPECT_EQ(at(seen, 0, 1), 40);
  EXPECT_EQ(at(seen, 0, 3), 0);
  // 20 images at first; then 30 places for 20 + 20; then for 30 + 20.
  EXPECT_EQ(at(held, 0, 0), 30);
  EXPECT_EQ(at(held, 0, 2), 20);
  // Exemplars of a cluster are images of its own.
  const CMat kept = state(*net, "context1.exemplars");
  for (int e = 0; e < 30; ++e)
    EXPECT_NEAR(at(kept, 30 + e, 0), 5, 4);
}

TEST(Clusters, AContextIsTheMeanOfAllThatJoined) {
  const auto net = built(of_clusters());
  std::vector<double> sum(3, 0);
  const CMat places = state(*net, "context1.places");
  for (const std::uint64_t seed : {1, 2, 3}) {
    ASSERT_EQ(cluster_of(*net, 0, seed), 0);
    const Batch batch = random_batch(20, kInputs, 2, 1, seed);
    for (int b = 0; b < 20; ++b)
      for (int i = 0; i < 3; ++i)
        sum[static_cast<std::size_t>(i)] +=
            at(batch.x.value(), b, static_cast<int>(at(places, 0, i)));
  }
  for (int i = 0; i < 3; ++i)
    EXPECT_NEAR(at(state(*net, "context1.vectors"), 0, i), sum[static_cast<std::size_t>(i)] / 60,
                1e-5);
  EXPECT_LT(at(places, 0, 0), at(places, 0, 1));
  EXPECT_LT(at(places, 0, 1), at(places, 0, 2));
}

TEST(Clusters, ExemplarsOldAndNewHaveTheirSharesOfThePlaces) {
  const auto net = built(of_clusters());  // 30 places, batches of 20
  const CMat places = state(*net, "context1.places"), kept = state(*net, "context1.exemplars");
  std::map<std::vector<double>, std::uint64_t> batch_of;  // of the pixels that are looked at
  for (const std::uint64_t seed : {1, 2, 3}) {
    const Batch batch = random_batch(20, kInputs, 2, 1, seed);
    for (int b = 0; b < 20; ++b) {
      std::vector<double> part;
      for (int i = 0; i < 3; ++i)
        part.push_back(at(batch.x.value(), b, static_cast<int>(at(places, 0, i))));
      batch_of[part] = seed;
    }
    ASSERT_EQ(cluster_of(*net, 0, seed), 0);
  }
  std::set<std::vector<double>> distinct;
  std::map<std::uint64_t, int> from;
  for (int e = 0; e < 30; ++e) {
    const std::vector<double> part{at(kept, e, 0), at(kept, e, 1), at(kept, e, 2)};
    ASSERT_TRUE(batch_of.contains(part)) << "no image that was met";
    ++from[batch_of[part]], distinct.insert(part);
  }
  EXPECT_EQ(distinct.size(), 30u);
  EXPECT_EQ(from[3], 12);  // 30 exemplars and 20 images: 18 and 12
  EXPECT_EQ(from[1] + from[2], 18);
}
TEST(Clusters, JoinTheMostAlikeWhenThereIsNoRoomForMore) {
  ModelOptions o = of_clusters();
  o.dendrites.most_clusters = 2;
  const auto net = built(o);
  EXPECT_EQ(cluster_of(*net, 0, 1), 0);
  EXPECT_EQ(cluster_of(*net, 1.5, 2), 1);
  const int home = cluster_of(*net, 20, 3);
  EXPECT_TRUE(home == 0 || home == 1);
  EXPECT_EQ(at(state(*net, "context1.seen"), 0, home), 40);
}

TEST(Clusters, TestingChangesNothing) {
  const auto net = built(of_clusters());
  cluster_of(*net, 0, 1), cluster_of(*net, 5, 2);
  const std::vector<real> before(net->params().states().begin(), net->params().states().end());
  const Batch batch = random_batch(9, kInputs, 2);
  Tape tape;
  net->forward(batch.x, tape, {false, Rng(1), batch.task});
  std::as_const(*net).evaluate(batch.x, tape, {true, Rng(1), batch.task});
  EXPECT_TRUE(std::ranges::equal(before, net->params().states()));
}

TEST(Dendrites, AreRefusedWhereTheyCannotBe) {
  ModelOptions o = options(2);
  o.model = "lenet";
  EXPECT_THROW(build_model(o, {32, 32, 1}, {1, 2, 3}, Rng(4)), Error);
  o = of_clusters(), o.dendrites.pixels = kInputs + 1;
  EXPECT_THROW(built(o), Error);
}

}  // namespace
}  // namespace engram
