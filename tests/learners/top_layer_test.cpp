// Rules that teach the classifier alone, by hand: class means and the fly's.
#include <cmath>

#include <gtest/gtest.h>

#include "learners/registry.h"
#include "tests/learners/examples.h"

namespace engram {
namespace {

using testing::Keys;
using testing::random_batch;
using testing::Ruled;
using testing::stack;

constexpr int kInputs = 10, kRows = 12, kClasses = 3;

Batch batch_of(std::uint64_t seed) {
  Batch batch = random_batch(kRows, kInputs, kClasses, 1, seed);
  for (real& v : batch.x.value().all())
    v = std::abs(v);
  return batch;
}
Ruled taught(const char* rule, const Keys& keys = {}) {
  return {rule, keys, {1, 1, kInputs}, stack(linear(kClasses))};
}
real weight(Ruled& ruled, int input, int label) {
  return ruled.net->params().value(ruled.net->params().find("linear1.weight")).row(input)[label];
}

TEST(ClassMeans, WeightsAreTheDirectionsOfTheMeans) {
  Ruled ruled = taught("class_means");
  std::vector<std::vector<double>> sums(kClasses, std::vector<double>(kInputs));
  for (std::uint64_t n = 0; n < 3; ++n) {
    const Batch batch = batch_of(n);
    ruled.learn(batch, n);
    for (int b = 0; b < kRows; ++b)
      for (std::size_t i = 0; i < kInputs; ++i)
        sums[static_cast<std::size_t>(batch.target[static_cast<std::size_t>(b)])][i] +=
            static_cast<double>(batch.x.value().row(b)[i]);
  }
  for (int c = 0; c < kClasses; ++c) {
    double squares = 0;
    for (const double s : sums[static_cast<std::size_t>(c)])
      squares += s * s;
    for (int i = 0; i < kInputs; ++i)
      EXPECT_NEAR(
          weight(ruled, i, c),
          sums[static_cast<std::size_t>(c)][static_cast<std::size_t>(i)] / std::sqrt(squares),
          1e-6);
  }
}

TEST(ClassMeans, LearningAClassChangesNoOther) {
  Ruled ruled = taught("class_means");
  ruled.learn(batch_of(0));
  const real before = weight(ruled, 4, 1);
  Batch batch = batch_of(1);
  for (int& target : batch.target)
    target = 2;
  const real other = weight(ruled, 4, 2);
  ruled.learn(batch, 1);
  EXPECT_EQ(weight(ruled, 4, 1), before);
  EXPECT_NE(weight(ruled, 4, 2), other);
}

TEST(ClassMeans, SaysHowManyItNamedBeforeItLearntThem) {
  Ruled ruled = taught("class_means");
  Batch batch = batch_of(0);
  for (int b = 0; b < kRows; ++b) {  // one direction a class
    for (int i = 0; i < kInputs; ++i)
      batch.x.value().row(b)[i] = i == b % kClasses;
    batch.target[static_cast<std::size_t>(b)] = b % kClasses;
  }
  EXPECT_EQ(ruled.learn(batch).correct, kRows / kClasses);  // without weights, all are class 0
  EXPECT_EQ(ruled.learn(batch, 1).correct, kRows);
}

TEST(Fly, GrowsSynapsesOfTheMostActiveFeaturesAlone) {
  Ruled ruled = taught("fly", {{"fly.share", "0.2"}, {"fly.lr", "0.5"}});
  Batch batch = batch_of(0);
  ruled.learn(batch);
  std::vector<std::vector<double>> grown(kClasses, std::vector<double>(kInputs));
  for (int b = 0; b < kRows; ++b) {
    const real* const h = batch.x.value().row(b);
    std::vector<real> order(h, h + kInputs);
    std::sort(order.begin(), order.end(), std::greater<>());
    for (std::size_t i = 0; i < kInputs; ++i)
      if (h[i] >= order[1])
        grown[static_cast<std::size_t>(batch.target[static_cast<std::size_t>(b)])][i] +=
            0.5 * static_cast<double>(h[i] / order[0]);
  }
  for (int c = 0; c < kClasses; ++c)
    for (int i = 0; i < kInputs; ++i)
      EXPECT_NEAR(weight(ruled, i, c),
                  std::tanh(grown[static_cast<std::size_t>(c)][static_cast<std::size_t>(i)]), 1e-6);
}

TEST(TopLayer, SynapsesThatDoNotExistStayAbsent) {
  for (const char* rule : {"class_means", "fly"}) {
    SCOPED_TRACE(rule);
    Ruled ruled(rule, {{"fly.share", "0.4"}}, {1, 1, kInputs},
                stack(linear(kClasses, {.density = 0.5, .storage = WeightStorage::Dense})));
    for (std::uint64_t n = 0; n < 3; ++n)
      ruled.learn(batch_of(n), n);
    const ParamStore& params = ruled.net->params();
    const auto& mask = params.param(params.find("linear1.weight")).mask;
    for (int c = 0; c < kClasses; ++c) {
      double squares = 0;
      for (int i = 0; i < kInputs; ++i) {
        const real w = weight(ruled, i, c);
        squares += static_cast<double>(w) * static_cast<double>(w);
        if (mask[static_cast<std::size_t>(i * kClasses + c)] == 0) {
          EXPECT_EQ(w, 0) << i << " " << c;
        }
      }
      if (rule == std::string("class_means"))
        EXPECT_NEAR(squares, 1, 1e-5) << "the length of those that exist";
      else
        EXPECT_GT(squares, 0);
    }
  }
}

TEST(TopLayer, NeedsRoomForAllWeights) {
  try {
    Ruled("fly", {}, {1, 1, kInputs},
          stack(linear(kClasses, {.density = 0.5, .storage = WeightStorage::Sparse})));
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.fault(), Fault::Config);
    EXPECT_NE(std::string(e.what()).find("weight_storage = dense"), std::string::npos) << e.what();
  }
}

TEST(TopLayer, NeedsOneClassifier) {
  try {
    Ruled("class_means", {}, {1, 1, kInputs}, stack(multi_head(2, kClasses, false)));
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("head = shared"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace engram
