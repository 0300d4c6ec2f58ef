#include "utils/power.h"

#include <vector>

#include <gtest/gtest.h>

namespace engram {
namespace {

TEST(Power, IsThatOfTheLibraryUpToRounding) {
  std::vector<double> u{0};
  for (int i = 1; i <= 600; ++i)  // more than two blocks
    u.push_back(i * 0.013);
  for (const double n : {0.0, 0.5, 0.7, 1.0, 1.4, 2.0, 3.0, 3.5, 4.5, 6.0, 7.0, 17.0, 65.0}) {
    std::vector<double> y(u.size());
    Power(n).raise(std::span<const double>(u), y.data());
    for (std::size_t i = 0; i < u.size(); ++i)
      EXPECT_NEAR(y[i], std::pow(u[i], n), 1e-14 * std::pow(u[i], n)) << u[i] << " ^ " << n;
    EXPECT_EQ(Power(n).of(u[77]), y[77]);
    Power(n).raise(std::span<const double>(u), u.data());  // in its own place
    EXPECT_EQ(u, y);
    for (std::size_t i = 0; i < u.size(); ++i)
      u[i] = static_cast<double>(i) * 0.013;
  }
}

TEST(Power, MultipliesWholeNumbersAndTakesTheRootOfHalves) {
  const float u = 1.7f, u2 = u * u, u4 = u2 * u2;
  float y = 0;
  Power(4).raise(std::span<const float>(&u, 1), &y);
  EXPECT_EQ(y, u4);
  Power(4.5).raise(std::span<const float>(&u, 1), &y);
  EXPECT_EQ(y, std::sqrt(u) * u4);
  Power(1).raise(std::span<const float>(&u, 1), &y);
  EXPECT_EQ(y, u);
  Power(-0.3).raise(std::span<const float>(&u, 1), &y);
  EXPECT_FLOAT_EQ(y, std::pow(u, -0.3f));
}

}  // namespace
}  // namespace engram
