// Forward-forward where not all labels compete: the softmax head under a mask of outputs, and wrong
// labels of the example's own task, against the reference with the same labels.
#include "tests/learners/ff_pair.h"

namespace engram {
namespace {

using testing::FfPair;
using testing::FfReference;
using testing::Keys;
using testing::kLabels;
using testing::kRows;
using testing::kUniform;

using Mask = std::vector<std::uint8_t>;

/// Two tasks of two labels: 0 and 1, 2 and 3.
struct Tasks {
  explicit Tasks(FfPair& pair) {
    pair.reference.c.peer = 0;
    for (int i = 0; i < kRows; ++i) {
      const int target = i % kLabels;
      pair.batch.target[static_cast<std::size_t>(i)] = target;
      pair.batch.own.push_back(target < 2 ? first : second);
    }
    pair.batch.mask.assign(kRows, all);
  }
  Mask first = {1, 1, 0, 0}, second = {0, 0, 1, 1}, all = {1, 1, 1, 1};
};

TEST(FfMasks, LetTheHeadLearnAmongAllowedOutputsAlone) {
  FfPair pair({}, kUniform);
  pair.reference.c.peer = 0;
  // As in a stream of classes: nobody may take the last output, and old examples not the third.
  const Mask old = {1, 1, 0, 0}, now = {1, 1, 1, 0};
  for (int i = 0; i < kRows; ++i) {
    pair.batch.target[static_cast<std::size_t>(i)] = i % 3;
    pair.batch.mask.push_back(i % 3 == 2 || i > 3 ? now : old);
  }
  for (int u = 0; u < 3; ++u) {
    pair.draw(0);
    pair.check(0);
    for (const char* head : {"ff1.head2", "ff1.head3"}) {
      const auto gradient = pair.ruled.gradient(head);
      for (std::size_t k = 3; k < gradient.size(); k += kLabels)
        EXPECT_EQ(gradient[k], 0) << head;
    }
    pair.step(0.2);
  }
}

TEST(FfMasks, OfOneOutputLeaveTheHeadNothingToLearn) {
  FfPair pair({}, kUniform);
  std::vector<Mask> alone(kRows, Mask(kLabels, 0));
  for (std::size_t i = 0; i < alone.size(); ++i)
    alone[i][static_cast<std::size_t>(pair.batch.target[i])] = 1;
  pair.batch.mask.assign(alone.begin(), alone.end());
  const BatchStats stats = pair.learn(0);
  EXPECT_EQ(stats.correct, kRows);
  EXPECT_EQ(pair.ruled.rule->measures().back(), 0);
  pair.expect_none("head2", 0), pair.expect_none("head3", 0);
}

TEST(FfNegatives, OfTheTaskAreItsOtherLabel) {
  for (const char* draw : {"uniform", "hard"}) {
    SCOPED_TRACE(draw);
    FfPair pair({}, {{"ff.peer", "0"}, {"ff.negatives", "task"}, {"ff.negative_draw", draw}});
    const Tasks tasks(pair);
    pair.rows.positives = kRows;
    pair.rows.paired.assign(kRows, 1);
    pair.rows.image = {0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5};
    pair.rows.label = {0, 1, 2, 3, 0, 1, 1, 0, 3, 2, 1, 0};
    for (int u = 0; u < 3; ++u) {
      pair.check(0);
      pair.step(0.1);
    }
  }
}

TEST(FfNegatives, OfTheTaskThatAreHardFollowTheHeadAmongItsLabels) {
  FfPair pair({}, {{"ff.peer", "0"}, {"ff.negatives", "task"}});
  pair.reference.c.peer = 0;
  const Mask own = {1, 1, 1, 0}, all = {1, 1, 1, 1};
  for (std::size_t i = 0; i < kRows; ++i)
    pair.batch.target[i] = static_cast<int>(i) % 3;
  pair.batch.own.assign(kRows, own), pair.batch.mask.assign(kRows, all);
  int unlike = 0;
  for (int u = 0; u < 8; ++u) {
    pair.draw(u, Negatives::Task);
    const auto uniform = pair.wrong();
    pair.draw_hard(u, [](int i) {
      std::vector<int> competes = {1, 1, 1, 0};
      competes[static_cast<std::size_t>(i % 3)] = 0;
      return competes;
    });
    unlike += uniform != pair.wrong();
    pair.check(u);
    pair.step(0.1);
  }
  EXPECT_GT(unlike, 0);
}

}  // namespace
}  // namespace engram
