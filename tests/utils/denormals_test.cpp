// Denormal numbers: kept until somebody says otherwise, then 0 on that thread and its children.
#include "utils/denormals.h"

#include <limits>
#include <thread>

#include <gtest/gtest.h>

namespace engram {
namespace {

/// The smallest normal number, halved `times`, on this thread.
template <class T>
T halved(int times) {
  volatile T x = std::numeric_limits<T>::min();
  for (int i = 0; i < times; ++i)
    x = x * T{0.5};
  return x;
}

TEST(Denormals, AreKeptUntilSomebodySaysOtherwise) {
  EXPECT_FALSE(flushes_denormals());
  EXPECT_GT(halved<float>(3), 0);
}

#if defined(__x86_64__) || defined(__aarch64__)
TEST(Denormals, AreZeroOnAThreadThatFlushesThemAndOnThoseItStarts) {
  bool here = false, child = false;
  float single = -1, normal = -1, from_child = -1;
  double twice = -1;
  std::thread([&] {
    flush_denormals();
    here = flushes_denormals(), single = halved<float>(1), twice = halved<double>(1);
    normal = halved<float>(0);
    std::thread([&] { child = flushes_denormals(), from_child = halved<float>(1); }).join();
  }).join();
  EXPECT_TRUE(here && child);
  EXPECT_EQ(single, 0);
  EXPECT_EQ(twice, 0);
  EXPECT_EQ(from_child, 0);
  EXPECT_EQ(normal, std::numeric_limits<float>::min());
  EXPECT_FALSE(flushes_denormals());
}

TEST(Denormals, OfOthersAreReadAsZero) {
  volatile float small = std::numeric_limits<float>::denorm_min();
  bool zero = false;
  std::thread([&] {
    flush_denormals();
    zero = small * 1e30f == 0;
  }).join();
  EXPECT_TRUE(zero);
  EXPECT_GT(small * 1e30f, 0);
}
#endif

}  // namespace
}  // namespace engram
