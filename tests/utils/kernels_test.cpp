// Kernels against naive loops, on odd shapes.
#include "utils/kernels.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "tests/utils/random_values.h"
#include "utils/linalg.h"
#include "utils/parallel.h"
#include "utils/rng.h"

namespace engram {
namespace {

using testing::random_values;

struct Shape3 {
  int m, n, k;
};

class Gemm : public ::testing::TestWithParam<Shape3> {};

TEST_P(Gemm, EqualsTheNaiveTripleLoopInAllOrientations) {
  const auto [m, n, k] = GetParam();
  for (const bool ta : {false, true})
    for (const bool tb : {false, true}) {
      const auto a = random_values(static_cast<std::size_t>(m * k), 1);
      const auto b = random_values(static_cast<std::size_t>(k * n), 2);
      auto c = random_values(static_cast<std::size_t>(m * n), 3);
      const auto before = c;
      const CMat am{a.data(), ta ? k : m, ta ? m : k}, bm{b.data(), tb ? n : k, tb ? k : n};
      kernels::gemm(ta, tb, real{0.5f}, am, bm, real{2}, {c.data(), m, n});
      for (int i = 0; i < m; i += std::max(1, m / 7))
        for (int j = 0; j < n; j += std::max(1, n / 7)) {
          double sum = 0;
          for (int l = 0; l < k; ++l)
            sum += static_cast<double>((ta ? am.row(l)[i] : am.row(i)[l]) *
                                       (tb ? bm.row(j)[l] : bm.row(l)[j]));
          const auto at = static_cast<std::size_t>(i * n + j);
          ASSERT_NEAR(static_cast<double>(c[at]), 0.5 * sum + 2 * static_cast<double>(before[at]),
                      1e-4 * (1 + k));
        }
    }
}
INSTANTIATE_TEST_SUITE_P(OddShapes, Gemm,
                         ::testing::Values(Shape3{1, 1, 1}, Shape3{1, 13, 7}, Shape3{13, 1, 7},
                                           Shape3{3, 5, 1}, Shape3{31, 1031, 129},
                                           Shape3{1031, 31, 129}, Shape3{513, 513, 17}));

TEST(Gemm, AddsARowAfterTheProduct) {
  for (const auto& [m, n] : {std::pair{3, 5}, std::pair{40, 1500}, std::pair{1500, 40}}) {
    const auto a = random_values(static_cast<std::size_t>(m * 90), 1);
    const auto b = random_values(static_cast<std::size_t>(90 * n), 2);
    const auto row = random_values(static_cast<std::size_t>(n), 3);
    std::vector<real> c(static_cast<std::size_t>(m * n)), d(c.size());
    kernels::gemm(false, false, 1, {a.data(), m, 90}, {b.data(), 90, n}, 0, {c.data(), m, n},
                  row.data());
    kernels::gemm(false, false, 1, {a.data(), m, 90}, {b.data(), 90, n}, 0, {d.data(), m, n});
    kernels::add_row({d.data(), m, n}, row);
    EXPECT_EQ(c, d);
  }
}

TEST(Gemm, BothLibrariesAgreeToRounding) {
  const auto a = random_values(37 * 130, 1), b = random_values(130 * 65, 2);
  for (const bool tb : {false, true}) {
    std::vector<real> c(37 * 65), d(37 * 65);
    const CMat bm{b.data(), tb ? 65 : 130, tb ? 130 : 65};
    kernels::use_gemm_library(kernels::GemmLibrary::OpenBlas);
    kernels::gemm(false, tb, 1, {a.data(), 37, 130}, bm, 0, {c.data(), 37, 65});
    kernels::use_gemm_library(kernels::GemmLibrary::OneDnn);
    kernels::gemm(false, tb, 1, {a.data(), 37, 130}, bm, 0, {d.data(), 37, 65});
    kernels::use_gemm_library(kernels::GemmLibrary::Best);
    for (std::size_t i = 0; i < c.size(); ++i)
      ASSERT_NEAR(static_cast<double>(c[i]), static_cast<double>(d[i]), 1e-4);
  }
}

TEST(Gemm, HasTheSameBitsForAnyNumberOfThreads) {
  const auto a = random_values(128 * 300, 1), b = random_values(300 * 2000, 2);
  std::vector<real> first;
  for (const int threads : {1, 2, 3, 4}) {
    set_threads(threads);
    std::vector<real> c(128 * 2000);
    kernels::gemm(false, false, 1, {a.data(), 128, 300}, {b.data(), 300, 2000}, 0,
                  {c.data(), 128, 2000});
    if (first.empty()) first = c;
    EXPECT_EQ(c, first) << threads;
  }
  set_threads(1);
}

TEST(SoftmaxCrossEntropy, EqualsTheDefinition) {
  const std::vector<real> z{1, -2, 0.5f, 800};
  const std::vector<std::uint8_t> mask{1, 1, 1, 0};
  std::vector<real> g(4);
  const double loss = kernels::softmax_cross_entropy(z, 1, mask, real{0.5f}, g.data());
  const double sum = std::exp(1.0) + std::exp(-2.0) + std::exp(0.5);
  EXPECT_NEAR(loss, -std::log(std::exp(-2.0) / sum), 1e-6);
  EXPECT_NEAR(static_cast<double>(g[0]), 0.5 * std::exp(1.0) / sum, 1e-6);
  EXPECT_NEAR(static_cast<double>(g[1]), 0.5 * (std::exp(-2.0) / sum - 1), 1e-6);
  EXPECT_EQ(g[3], 0);
}

TEST(SoftmaxCrossEntropy, DoesNotOverflow) {
  const std::vector<real> z{1000, -1000};
  std::vector<real> g(2);
  EXPECT_NEAR(kernels::softmax_cross_entropy(z, 1, {}, 1, g.data()), 2000, 1e-3);
}

TEST(Argmax, TakesTheFirstOfEqualsAmongTheAllowed) {
  const std::vector<real> z{3, 5, 5, 9};
  const std::vector<std::uint8_t> mask{1, 1, 1, 0};
  EXPECT_EQ(kernels::argmax(z, mask), 1);
  EXPECT_EQ(kernels::argmax(z, {}), 3);
}

TEST(AllFinite, FindsInfinityAndNotANumber) {
  std::vector<real> x(1000, 1);
  EXPECT_TRUE(kernels::all_finite(x));
  x[777] = INFINITY;
  EXPECT_FALSE(kernels::all_finite(x));
  x[777] = std::nan("");
  EXPECT_FALSE(kernels::all_finite(x));
}

TEST(Orthonormalise, GivesTheShorterSideUnitLengthAndRightAngles) {
  for (const auto& [rows, cols] : {std::pair{3, 8}, std::pair{8, 3}}) {
    auto v = random_values(24, 1);
    orthonormalise({v.data(), rows, cols});
    std::vector<real> product(9);
    const CMat m{v.data(), rows, cols};
    kernels::gemm(rows > cols, rows < cols, 1, m, m, 0, {product.data(), 3, 3});
    for (int i = 0; i < 9; ++i)
      EXPECT_NEAR(static_cast<double>(product[static_cast<std::size_t>(i)]), i % 4 == 0, 1e-5);
  }
}

}  // namespace
}  // namespace engram
