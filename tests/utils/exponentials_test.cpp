#include "utils/exponentials.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "tests/utils/simd_levels.h"
#include "utils/rng.h"

namespace engram {
namespace {

TEST(Exponentials, AreThoseOfTheLibraryWithTheSameBitsOnEveryProcessor) {
  Rng rng(3);
  for (const std::size_t n : {1u, 7u, 8u, 16u, 33u, 100u}) {
    std::vector<real> x(n);
    for (real& v : x)
      v = static_cast<real>(rng.uniform(-30, 30));
    std::vector<std::vector<real>> seen;
    testing::with_every_simd_level([&] {
      std::vector<real> y(n + 1, 7), p(n);
      kernels::exponentials(x, 30, y.data());
      EXPECT_EQ(y[n], 7);  // nothing is written behind the end
      kernels::softmax(x, p.data());
      double sum = 0;
      for (const real v : x)
        sum += std::exp(static_cast<double>(v));
      for (std::size_t i = 0; i < n; ++i) {
        const double expected = std::exp(static_cast<double>(x[i]) - 30);
        EXPECT_NEAR(static_cast<double>(y[i]), expected, 2e-6 * expected);
        EXPECT_NEAR(static_cast<double>(p[i]), std::exp(static_cast<double>(x[i])) / sum, 1e-6);
      }
      y.insert(y.end(), p.begin(), p.end());
      seen.push_back(y);
    });
    for (const auto& y : seen)
      EXPECT_EQ(y, seen.front());
  }
}

}  // namespace
}  // namespace engram
