// Which examples each policy keeps, with what chance, and how they come back.
#include "learners/example_memory.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "models/layers.h"
#include "tests/learners/strategy_bench.h"
#include "utils/error.h"

namespace engram::testing {
namespace {

/// A memory over two tasks of two classes, `each` examples of every class.
struct Remembering {
  explicit Remembering(const MemoryOptions& o, int each = 50, int beside = 0, BenchPlan plan = {})
      : bench([&] {
          plan.each = each;
          return plan;
        }()),
        memory(o, {*bench.net, bench.stream.get(), bench.targets.get(), 4}, "er", beside) {}

  /// Examples of a task in order; or those at some places.
  void feed(int task, Rng rng, std::vector<std::uint32_t> places = {}) {
    const ExampleSet train = bench.stream->experience(task).train;
    if (places.empty())
      for (std::uint32_t i = 0; i < train.size(); ++i)
        places.push_back(i);
    for (const std::uint32_t p : places)
      memory.take({task, p, train.task(p), train.label(p)}, rng);
  }
  std::vector<int> held() const {
    std::vector<int> all;
    for (int g = 0; g < memory.groups(); ++g)
      all.push_back(memory.held(g));
    return all;
  }
  /// Places of a task's examples that are remembered, by label.
  std::map<int, std::set<std::uint32_t>> kept(int task) const {
    const ExampleSet train = bench.stream->experience(task).train;
    std::map<int, std::set<std::uint32_t>> all;
    for (std::uint32_t s = 0; s < static_cast<std::uint32_t>(memory.size()); ++s)
      if (memory.experience(s) == task) all[train.label(memory.place(s))].insert(memory.place(s));
    return all;
  }

  StrategyBench bench;
  ExampleMemory memory;
};

std::vector<std::vector<double>> numbers(ExampleMemory& memory) {
  std::vector<std::vector<double>> all;
  for (const auto& part : memory.state())
    all.emplace_back(part.begin(), part.end());
  return all;
}

/// How often each of n things came, if each should have come `trials * p` times: within 4.5
/// standard deviations.
void expect_even(const std::vector<int>& counts, int trials, double p) {
  const double deviation = std::sqrt(trials * p * (1 - p));
  for (std::size_t i = 0; i < counts.size(); ++i)
    EXPECT_NEAR(counts[i], trials * p, 4.5 * deviation) << "example " << i;
}

TEST(ExampleMemory, AReservoirKeepsEveryExampleWithTheSameChance) {
  constexpr int kTrials = 20'000, kItems = 10, kRoom = 3;
  std::vector<int> stayed(kItems, 0);
  StrategyBench bench([] {
    BenchPlan p;
    p.each = 5;
    return p;
  }());
  const ExampleSet train = bench.stream->experience(0).train;
  ASSERT_EQ(train.size(), static_cast<std::size_t>(kItems));
  for (int trial = 0; trial < kTrials; ++trial) {
    ExampleMemory memory({.memory = kRoom}, {*bench.net, bench.stream.get(), nullptr, 4}, "er");
    Rng rng = Rng(3).fork("trial", static_cast<std::uint64_t>(trial));
    for (std::uint32_t i = 0; i < kItems; ++i)
      memory.take({0, i, 0, train.label(i)}, rng);
    ASSERT_EQ(memory.size(), kRoom);
    for (std::uint32_t s = 0; s < kRoom; ++s)
      ++stayed[memory.place(s)];
  }
  expect_even(stayed, kTrials, static_cast<double>(kRoom) / kItems);
}

TEST(ExampleMemory, BalancedClassesAreAlikeAndAReservoirWithin) {
  constexpr int kTrials = 4'000, kEach = 15;
  std::vector<int> first(2 * kEach, 0), second(2 * kEach, 0);
  for (int trial = 0; trial < kTrials; ++trial) {
    Remembering r({.memory = 12, .policy = MemoryPolicy::ClassBalanced}, kEach);
    r.feed(0, Rng(5).fork("trial", static_cast<std::uint64_t>(trial)));
    EXPECT_EQ(r.held(), (std::vector<int>{6, 6, 0, 0}));
    r.feed(1, Rng(6).fork("trial", static_cast<std::uint64_t>(trial)));
    ASSERT_EQ(r.held(), (std::vector<int>{3, 3, 3, 3}));
    for (std::uint32_t s = 0; s < 12; ++s)
      ++(r.memory.experience(s) == 0 ? first : second)[r.memory.place(s)];
  }
  expect_even(first, kTrials, 3. / kEach);
  expect_even(second, kTrials, 3. / kEach);
}

TEST(ExampleMemory, BalancedTasksShareTheMemoryWhateverTheirSizes) {
  Remembering r({.memory = 10, .policy = MemoryPolicy::TaskBalanced});
  r.feed(0, Rng(1));
  EXPECT_EQ(r.held(), (std::vector<int>{10, 0}));
  r.feed(1, Rng(2), {4, 5, 6});
  EXPECT_EQ(r.held(), (std::vector<int>{7, 3}));
  r.feed(1, Rng(3));
  EXPECT_EQ(r.held(), (std::vector<int>{5, 5}));
}

TEST(ExampleMemory, GreedyKeepsTheFirstOfEveryClass) {
  Remembering r({.memory = 10, .policy = MemoryPolicy::Greedy});
  r.feed(0, Rng(1));  // labels in turn: 0 1 0 1 ...
  EXPECT_EQ(r.held(), (std::vector<int>{5, 5, 0, 0}));
  const auto labels = r.kept(0);
  for (const auto& [label, places] : labels)
    EXPECT_LT(*places.rbegin(), 10u) << label;  // the first ten came and stayed
  r.feed(1, Rng(2));
  auto held = r.held();
  std::ranges::sort(held);
  EXPECT_EQ(held, (std::vector<int>{2, 2, 3, 3}));
  const auto before = numbers(r.memory);
  r.feed(1, Rng(3)), r.feed(0, Rng(4));  // nothing moves any more, but all is counted
  const auto after = numbers(r.memory);
  EXPECT_EQ(before[1], after[1]);
  EXPECT_NE(before, after);
}

TEST(ExampleMemory, RingsKeepTheNewest) {
  Remembering classes({.memory = 9, .policy = MemoryPolicy::ClassRing});  // two for each
  classes.feed(0, Rng(1), {0, 1, 2, 3, 4, 5, 7});
  EXPECT_EQ(classes.kept(0), (std::map<int, std::set<std::uint32_t>>{{0, {2, 4}}, {1, {5, 7}}}));
  classes.feed(1, Rng(1), {10, 11});
  EXPECT_EQ(classes.held(), (std::vector<int>{2, 2, 1, 1}));

  Remembering tasks({.memory = 6, .policy = MemoryPolicy::TaskRing});  // three for each
  tasks.feed(0, Rng(1), {0, 1, 2, 3, 4, 5, 7});
  EXPECT_EQ(tasks.kept(0), (std::map<int, std::set<std::uint32_t>>{{0, {4}}, {1, {5, 7}}}));
  EXPECT_EQ(tasks.held(), (std::vector<int>{3, 0}));

  try {
    Remembering small({.memory = 3, .policy = MemoryPolicy::ClassRing});
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("er.memory = 3 has not one place for each of the 4"),
              std::string::npos)
        << e.what();
  }
}

TEST(ExampleMemory, WhereTasksShareLabelsTheirClassesAreApart) {
  BenchPlan plan;
  plan.stream = StreamKind::Permuted;
  Remembering r({.memory = 16, .policy = MemoryPolicy::ClassBalanced}, 50, 0, plan);
  EXPECT_EQ(r.memory.groups(), 8);  // two permutations of four labels
  r.feed(0, Rng(1)), r.feed(1, Rng(2));
  EXPECT_EQ(r.held(), std::vector<int>(8, 2));
}

TEST(ExampleMemory, ABatchCountsOnceHoweverOftenItIsLearnt) {
  Remembering r({.memory = 4}), mammoth({.memory = 4, .every_epoch = true});
  const auto seen = [](ExampleMemory& m) { return numbers(m).back().back(); };
  auto t = r.bench.training(0);
  const Batch batch = r.bench.batch(0, {0, 1, 2});
  t.step = 0, r.memory.take_batch(t, batch, Rng(1)), mammoth.memory.take_batch(t, batch, Rng(1));
  t.step = 0, r.memory.take_batch(t, batch, Rng(1));  // the rule's second update
  EXPECT_EQ(seen(r.memory), 3);
  t.epoch = 1, t.step = 5;
  r.memory.take_batch(t, batch, Rng(2)), mammoth.memory.take_batch(t, batch, Rng(2));
  EXPECT_EQ(seen(r.memory), 3);
  EXPECT_EQ(seen(mammoth.memory), 6);
}

TEST(ExampleMemory, ATaskIsTakenWholeAtItsEnd) {
  Remembering r({.memory = 20, .policy = MemoryPolicy::TaskBalanced, .insert = InsertAt::TaskEnd});
  auto t = r.bench.training(0);
  r.memory.take_batch(t, r.bench.batch(0), Rng(1));
  EXPECT_EQ(r.memory.size(), 0);
  r.memory.take_task(t, Rng(1));
  EXPECT_EQ(r.memory.size(), 20);
  std::set<std::uint32_t> places;
  for (std::uint32_t s = 0; s < 20; ++s)
    places.insert(r.memory.place(s));
  EXPECT_EQ(places.size(), 20u);
  EXPECT_GT(*places.rbegin(), 19u);  // not simply the first
  EXPECT_TRUE(r.memory.needs_borders());
}

TEST(ExampleMemory, GoesOnFromItsStateToTheSameBits) {
  for (const auto policy :
       {MemoryPolicy::Reservoir, MemoryPolicy::ClassBalanced, MemoryPolicy::TaskBalanced,
        MemoryPolicy::Greedy, MemoryPolicy::ClassRing, MemoryPolicy::TaskRing}) {
    Remembering one({.memory = 9, .policy = policy}), other({.memory = 9, .policy = policy});
    one.feed(0, Rng(1)), one.feed(1, Rng(2), {0, 1, 2, 3});
    const auto from = one.memory.state();
    const auto to = other.memory.state();
    for (std::size_t i = 0; i < from.size(); ++i)
      std::ranges::copy(from[i], to[i].begin());
    one.feed(1, Rng(4)), other.feed(1, Rng(4));
    EXPECT_EQ(numbers(one.memory), numbers(other.memory)) << name_of(policy);
  }
}

TEST(ExampleMemory, CountsBeyondWhatAFloatCounts) {
  Remembering r({.memory = 2});
  r.feed(0, Rng(1), {0, 1});
  const auto seen = r.memory.state().back();
  seen[seen.size() - 2] = 3, seen[seen.size() - 1] = (1 << 24) - 1;
  r.feed(0, Rng(1), {2});
  EXPECT_EQ(seen[seen.size() - 2], 4);
  EXPECT_EQ(seen[seen.size() - 1], 0);
  r.feed(0, Rng(1), {2});
  EXPECT_EQ(seen[seen.size() - 1], 1);
}

TEST(ExampleMemory, DrawsAreDistinctAndEven) {
  Remembering r({.memory = 8});
  r.feed(0, Rng(1), {0, 1, 2, 3, 4}), r.feed(1, Rng(1), {0, 1, 2});
  std::vector<std::uint32_t> slots;
  std::vector<int> all(8, 0), old(8, 0);
  constexpr int kTrials = 8'000;
  for (int trial = 0; trial < kTrials; ++trial) {
    const Rng rng = Rng(9).fork("trial", static_cast<std::uint64_t>(trial));
    r.memory.draw(3, rng, slots);
    ASSERT_EQ((std::set<std::uint32_t>(slots.begin(), slots.end()).size()), 3u);
    for (const auto s : slots)
      ++all[s];
    r.memory.draw_before(1, 2, rng, slots);
    ASSERT_EQ((std::set<std::uint32_t>(slots.begin(), slots.end()).size()), 2u);
    for (const auto s : slots)
      ++old[s];
  }
  expect_even(all, kTrials, 3. / 8);
  for (const int never : {5, 6, 7})
    EXPECT_EQ(old[static_cast<std::size_t>(never)], 0);
  old.resize(5);
  expect_even(old, kTrials, 2. / 5);
  r.memory.draw(100, Rng(1), slots);
  EXPECT_EQ(slots.size(), 8u);
}

TEST(ExampleMemory, WhatComesBackIsWhatWas) {
  Remembering r({.memory = 8}, 5, 2);
  Rng rng(1);
  const auto take = [&](int task, std::uint32_t place, std::vector<real> beside) {
    const ExampleSet train = r.bench.stream->experience(task).train;
    r.memory.take({task, place, train.task(place), train.label(place)}, rng, beside);
  };
  take(0, 3, {1, 2}), take(1, 6, {3, 4}), take(0, 8, {5, 6});
  auto t = r.bench.training(1);
  Batch batch = r.bench.batch(1, {0, 1}), again;
  const std::vector<std::uint32_t> slots{1, 0, 2};
  r.memory.append(t, slots, batch);
  r.memory.gather(t, slots, again);
  EXPECT_EQ(batch.rows(), 5);
  EXPECT_EQ(batch.own_rows(), 2);
  const Batch first = r.bench.batch(0, {3, 8}), second = r.bench.batch(1, {0, 1, 6});
  const auto same = [](const Batch& a, int i, const Batch& b, int j) {
    const CMat x = a.x.value(), y = b.x.value();
    return std::equal(x.row(i), x.row(i) + x.cols, y.row(j)) &&
           a.target[static_cast<std::size_t>(i)] == b.target[static_cast<std::size_t>(j)] &&
           a.task[static_cast<std::size_t>(i)] == b.task[static_cast<std::size_t>(j)];
  };
  EXPECT_TRUE(same(batch, 0, second, 0) && same(batch, 1, second, 1));
  EXPECT_TRUE(same(batch, 2, second, 2) && same(batch, 3, first, 0) && same(batch, 4, first, 1));
  EXPECT_TRUE(same(again, 0, second, 2) && same(again, 1, first, 0) && same(again, 2, first, 1));
  EXPECT_EQ(r.memory.beside(1)[0], 3);
  EXPECT_EQ(r.memory.beside(2)[1], 6);
}

}  // namespace
}  // namespace engram::testing
