#include "utils/parallel.h"

#include <atomic>
#include <chrono>
#include <limits>
#include <mutex>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace engram {
namespace {

class Parallel : public testing::TestWithParam<int> {
 protected:
  void SetUp() override { set_threads(GetParam()); }
  void TearDown() override { set_threads(1); }
};
INSTANTIATE_TEST_SUITE_P(Threads, Parallel, testing::Values(1, 2, 3, 8));

TEST_P(Parallel, CallsEveryTileExactlyOnce) {
  EXPECT_EQ(threads(), GetParam());
  for (const int count : {0, 1, 2, 7, 1000}) {
    std::vector<int> calls(static_cast<std::size_t>(count));
    parallel_for(count, [&](int i) { ++calls[static_cast<std::size_t>(i)]; });
    EXPECT_EQ(calls, std::vector<int>(static_cast<std::size_t>(count), 1));
  }
}

TEST_P(Parallel, SurvivesManyShortLoops) {
  std::int64_t total = 0;
  for (int loop = 0; loop < 5000; ++loop) {
    int tiles[3] = {0, 0, 0};  // on the stack: a worker that stays too long writes into nowhere
    parallel_for(3, [&](int i) { tiles[i] = loop + i; });
    total += tiles[0] + tiles[1] + tiles[2];
  }
  EXPECT_EQ(total, 3LL * 5000 * 4999 / 2 + 3 * 5000);
}

TEST_P(Parallel, RunsALoopInsideATileSerially) {
  std::vector<int> calls(12);
  std::atomic<bool> strayed{false};
  parallel_for(4, [&](int i) {
    const auto here = std::this_thread::get_id();
    parallel_for(3, [&](int j) {
      ++calls[static_cast<std::size_t>(3 * i + j)];
      if (std::this_thread::get_id() != here) strayed = true;
    });
  });
  EXPECT_EQ(calls, std::vector<int>(12, 1));
  EXPECT_FALSE(strayed);
}

TEST_P(Parallel, ThrowsTheFailureThatASerialLoopWouldHaveThrown) {
  for (int repeat = 0; repeat < 200; ++repeat) {
    try {
      parallel_for(64, [](int i) {
        if (i >= 20) throw std::runtime_error(std::to_string(i));
      });
      FAIL() << "the exception was swallowed";
    } catch (const std::runtime_error& e) {
      EXPECT_STREQ(e.what(), "20");
    }
  }
}

TEST_P(Parallel, RethrowsOnlyAfterEveryTileHasEnded) {
  std::atomic<int> running{0};
  EXPECT_THROW(parallel_for(16,
                            [&](int i) {
                              ++running;
                              if (i > 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
                              --running;
                              if (i == 0) throw std::runtime_error("early");
                            }),
               std::runtime_error);
  EXPECT_EQ(running, 0);
}

TEST_P(Parallel, WorksAgainAfterAFailure) {
  EXPECT_THROW(parallel_for(8, [](int) { throw 1; }), int);
  std::atomic<int> calls{0};
  parallel_for(8, [&](int) { ++calls; });
  EXPECT_EQ(calls, 8);
}

TEST_P(Parallel, ServesTwoThreadsOfTheProgramAtOnce) {
  std::atomic<int> calls{0};
  const auto work = [&] {
    for (int loop = 0; loop < 300; ++loop)
      parallel_for(5, [&](int) { ++calls; });
  };
  { const std::jthread one(work), two(work); }
  EXPECT_EQ(calls, 2 * 300 * 5);
}

TEST_P(Parallel, StopsEarlyWhenTheLargestLoopFails) {
  EXPECT_THROW(parallel_for(std::numeric_limits<int>::max(), [](int) { throw 1; }), int);
}

TEST(Threads, ShareTheWorkOfALoop) {
  set_threads(3);
  std::mutex mutex;
  std::set<std::thread::id> seen;
  // Every tile waits until all three threads have one, so the loop ends only if they all come.
  std::atomic<int> arrived{0};
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  parallel_for(3, [&](int) {
    ++arrived;
    while (arrived < 3 && std::chrono::steady_clock::now() < deadline)
      std::this_thread::yield();
    const std::lock_guard lock(mutex);
    seen.insert(std::this_thread::get_id());
  });
  set_threads(1);
  EXPECT_EQ(seen.size(), 3u);
}

TEST(Threads, CanBeChangedAtAnyTimeBetweenLoops) {
  for (const int count : {1, 4, 2, 2, 8, 1}) {
    set_threads(count);
    EXPECT_EQ(threads(), count);
    std::atomic<int> calls{0};
    parallel_for(100, [&](int) { ++calls; });
    EXPECT_EQ(calls, 100);
  }
}

TEST(Threads, AloneMeansNoOtherThread) {
  set_threads(1);
  std::vector<std::thread::id> ids(10);
  parallel_for(10, [&](int i) { ids[static_cast<std::size_t>(i)] = std::this_thread::get_id(); });
  EXPECT_EQ(ids, std::vector<std::thread::id>(10, std::this_thread::get_id()));
}

TEST(ThreadsDeathTest, CannotBeFewerThanOneOrChangeInsideALoop) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(set_threads(0), "count >= 1");
  EXPECT_DEATH(
      {
        set_threads(2);
        parallel_for(4, [](int) { set_threads(3); });
      },
      "inside_tile");
}

}  // namespace
}  // namespace engram
