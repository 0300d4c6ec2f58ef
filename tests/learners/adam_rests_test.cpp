// Adam leaves rows alone whose first moments have died away. Nobody may see that: weights and
// moments have the bits of steps over everything.
#include <array>
#include <thread>

#include <gtest/gtest.h>

#include "learners/registry.h"
#include "utils/denormals.h"

namespace engram {
namespace {

constexpr int kRows = 12, kCols = 70;

struct Outcome {
  std::vector<real> weights, first, second;
  bool operator==(const Outcome&) const = default;
};

struct Course {
  bool told_everything = false;  ///< the optimiser hears of zeros as of a gradient
  int frozen_from = -1, frozen_to = -1;
  int saved_at = -1;      ///< before this step a new optimiser takes the state over
  int looked_at = -1;     ///< before this step somebody asks for the state
  int everywhere = -1;    ///< in this step every row has a gradient
  int forgotten_at = -1;  ///< before this step a place of row 2 is forgotten
};

/// 1200 steps. Row 0 has a gradient in all of them, row 1 in every 300th, row 2 in the first only,
/// rows 3 to 5 in 5 steps of every 400; the others never. First moments halve to 0 in 150 steps.
Outcome learnt(const Course& course) {
  OptimizerOptions o;
  o.optimizer = "adam", o.lr = 0.01, o.beta1 = 0.5, o.beta2 = 0.99;
  ParamStore s;
  const int id = s.add("w", kRows, kCols);
  s.allocate();
  Rng rng(3);
  for (real& w : s.values())
    w = static_cast<real>(rng.normal());
  auto optimizer = make_optimizer(o, s);
  for (int step = 0; step < 1200; ++step) {
    if (step == course.saved_at) {
      auto resumed = make_optimizer(o, s);
      const auto from = optimizer->state(), to = resumed->state();
      for (std::size_t i = 0; i < from.size(); ++i)
        std::ranges::copy(from[i], to[i].begin());
      resumed->set_steps(optimizer->steps());
      optimizer = std::move(resumed);
    }
    if (step == course.looked_at) optimizer->state();
    if (step == course.forgotten_at) optimizer->forget(std::array{std::size_t{2 * kCols + 1}});
    s.param(id).trainable = step < course.frozen_from || step >= course.frozen_to;
    s.zero_grad();
    GradientBlock block{.all_cols = true, .rows = {0}, .cols = {}, .value = {}};
    if (step % 300 == 0) block.rows.push_back(1);
    if (step == 0) block.rows.push_back(2);
    if (step % 400 < 5) block.rows.insert(block.rows.end(), {3, 4, 5});
    for (std::size_t i = 0; i < block.rows.size() * kCols; ++i)
      block.value.push_back(static_cast<real>(rng.normal()));
    s.add_gradient(id, block);
    if (course.told_everything || step == course.everywhere) s.grads();
    optimizer->step(0.01);
  }
  const auto state = optimizer->state();
  return {{s.values().begin(), s.values().end()},
          {state[0].begin(), state[0].end()},
          {state[1].begin(), state[1].end()}};
}

/// In a thread that takes denormal numbers for 0, as the program does; the others do not.
template <class Body>
void with_denormals_flushed(Body body) {
  std::thread([&] {
    flush_denormals();
    body();
  }).join();
}

TEST(AdamRests, ChangeNoBit) {
  with_denormals_flushed([] {
    if (!flushes_denormals()) return;  // rows never rest then
    const std::vector<Course> courses = {{},
                                         {.saved_at = 200},
                                         {.saved_at = 350},
                                         {.looked_at = 250},
                                         {.everywhere = 500},
                                         {.forgotten_at = 50},
                                         {.forgotten_at = 600},
                                         {.frozen_from = 310, .frozen_to = 390},
                                         {.frozen_from = 180, .frozen_to = 250, .saved_at = 700}};
    for (std::size_t i = 0; i < courses.size(); ++i) {
      Course whole = courses[i];
      whole.told_everything = true;
      EXPECT_EQ(learnt(courses[i]), learnt(whole)) << "course " << i;
    }
  });
}

TEST(AdamRests, ARowRestsOnceItsFirstMomentsAreGoneAndItsSecondOnesDecayOn) {
  with_denormals_flushed([] {
    if (!flushes_denormals()) return;
    const Outcome end = learnt({});
    for (const int row : {1, 2, 3, 11})
      for (int c = 0; c < kCols; ++c)
        EXPECT_EQ(end.first[static_cast<std::size_t>(row * kCols + c)], 0) << row;
    // Rows 1 and 2 had their last gradient in steps 900 and 0.
    EXPECT_GT(end.second[kCols], 0);
    EXPECT_GT(end.second[2 * kCols], 0);
    EXPECT_LT(end.second[2 * kCols], end.second[kCols]);
    EXPECT_EQ(end.second[11 * kCols], 0);
  });
}

TEST(AdamRests, OnlyRowsThatAreAwakeAreReportedAsChanged) {
  with_denormals_flushed([] {
    if (!flushes_denormals()) return;
    OptimizerOptions o;
    o.optimizer = "adam", o.lr = 0.01, o.beta1 = 0.01;
    ParamStore s;
    const int id = s.add("w", kRows, kCols);
    s.allocate();
    s.watch(id);
    const auto optimizer = make_optimizer(o, s);
    std::vector<std::int32_t> rows;
    s.take_changes(id, rows);
    for (int step = 0; step < 300; ++step) {
      s.zero_grad();
      GradientBlock block{.all_cols = true, .rows = {4}, .value = std::vector<real>(kCols, 1)};
      if (step == 0) s.add_gradient(id, block);
      optimizer->step(0.01);
      ASSERT_TRUE(s.take_changes(id, rows)) << "step " << step;
      EXPECT_TRUE(rows == std::vector<std::int32_t>{4} || (step > 5 && rows.empty()))
          << "step " << step;
    }
    EXPECT_TRUE(rows.empty());
  });
}

}  // namespace
}  // namespace engram
