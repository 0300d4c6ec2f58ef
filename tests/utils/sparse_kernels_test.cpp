// Products that skip zeros against naive loops, over odd shapes and any number of threads.
#include "utils/sparse_kernels.h"

#include <cmath>
#include <ostream>

#include <gtest/gtest.h>

#include "tests/utils/random_values.h"
#include "utils/parallel.h"
#include "utils/rng.h"

namespace engram {
namespace {

using testing::random_values;

/// A matrix [rows, cols] that is zero outside a random active set.
struct Active {
  Active(int row_count, int col_count, double share, std::uint64_t seed)
      : rows(row_count), cols(col_count), values(random_values(size(), seed)) {
    Rng rng(seed + 1);
    set.begin();
    for (int b = 0; b < rows; ++b) {
      for (int i = 0; i < cols; ++i) {
        if (rng.uniform() < share)
          set.push(i);
        else
          values[static_cast<std::size_t>(b * cols + i)] = 0;
      }
      set.end_row();
    }
  }
  std::size_t size() const { return static_cast<std::size_t>(rows * cols); }
  CMat matrix() const { return {values.data(), rows, cols}; }
  int rows, cols;
  std::vector<real> values;
  ActiveSet set;
};

struct Case {
  int batch, inputs, outputs;
  double share;
};
void PrintTo(const Case& c, std::ostream* out) {
  *out << c.batch << "x" << c.inputs << "x" << c.outputs << " at " << c.share;
}
class SparseProducts : public ::testing::TestWithParam<Case> {};

TEST_P(SparseProducts, SpmmEqualsTheNaiveProductFromABiasFromZeroAndAdding) {
  const auto [batch, inputs, outputs, share] = GetParam();
  const Active x(batch, inputs, share, 1);
  const auto w = random_values(static_cast<std::size_t>(inputs * outputs), 5);
  const auto bias = random_values(static_cast<std::size_t>(outputs), 6);
  const auto before = random_values(static_cast<std::size_t>(batch * outputs), 7);
  SparseRows rows;
  rows.assign(x.matrix(), x.set);
  const CMat wm{w.data(), inputs, outputs};
  for (const int kind : {0, 1, 2}) {
    std::vector<real> first;
    for (const int threads : {1, 2, 3}) {
      set_threads(threads);
      auto y = before;
      kernels::spmm(rows.view(), wm, kind == 0 ? bias.data() : nullptr, kind == 2,
                    {y.data(), batch, outputs});
      if (first.empty()) first = y;
      EXPECT_EQ(first, y) << "threads " << threads;
    }
    set_threads(1);
    for (int b = 0; b < batch; ++b)
      for (int o = 0; o < outputs; ++o) {
        const auto at = static_cast<std::size_t>(b * outputs + o);
        double sum = 0;
        if (kind == 0) sum = static_cast<double>(bias[static_cast<std::size_t>(o)]);
        if (kind == 2) sum = static_cast<double>(before[at]);
        for (int i = 0; i < inputs; ++i)
          sum += static_cast<double>(x.matrix().row(b)[i]) * static_cast<double>(wm.row(i)[o]);
        ASSERT_NEAR(static_cast<double>(first[at]), sum, 1e-4) << kind << " " << b << " " << o;
      }
  }
}

TEST_P(SparseProducts, SpmmScalesColumnsBeforeTheBias) {
  const auto [batch, inputs, outputs, share] = GetParam();
  const Active x(batch, inputs, share, 1);
  const auto w = random_values(static_cast<std::size_t>(inputs * outputs), 5);
  const auto bias = random_values(static_cast<std::size_t>(outputs), 6);
  const auto scale = random_values(static_cast<std::size_t>(outputs), 8);
  SparseRows rows;
  rows.assign(x.matrix(), x.set);
  std::vector<real> y(static_cast<std::size_t>(batch * outputs)), plain(y.size());
  const CMat wm{w.data(), inputs, outputs};
  kernels::spmm(rows.view(), wm, bias.data(), false, {y.data(), batch, outputs}, scale.data());
  kernels::spmm(rows.view(), wm, nullptr, false, {plain.data(), batch, outputs});
  for (std::size_t i = 0; i < y.size(); ++i) {
    const std::size_t o = i % static_cast<std::size_t>(outputs);
    ASSERT_NEAR(static_cast<double>(y[i]), static_cast<double>(plain[i] * scale[o] + bias[o]),
                1e-4);
  }
}

TEST_P(SparseProducts, TransposedRowsGiveTheWeightGradient) {
  const auto [batch, inputs, outputs, share] = GetParam();
  const Active x(batch, inputs, share, 1);
  const auto dy = random_values(static_cast<std::size_t>(batch * outputs), 5);
  SparseRows rows;
  rows.assign_transposed(x.matrix(), x.set);
  std::vector<real> g(static_cast<std::size_t>(inputs * outputs));
  kernels::spmm(rows.view(), {dy.data(), batch, outputs}, nullptr, false,
                {g.data(), inputs, outputs});
  for (int i = 0; i < inputs; ++i)
    for (int o = 0; o < outputs; ++o) {
      double sum = 0;
      for (int b = 0; b < batch; ++b)
        sum += static_cast<double>(x.matrix().row(b)[i]) *
               static_cast<double>(dy[static_cast<std::size_t>(b * outputs + o)]);
      ASSERT_NEAR(static_cast<double>(g[static_cast<std::size_t>(i * outputs + o)]), sum, 1e-4);
    }
}

TEST_P(SparseProducts, SddmmAndScatteredFillActivePlacesOnly) {
  const auto [batch, inputs, outputs, share] = GetParam();
  const Active x(batch, inputs, share, 1), dy(batch, outputs, share, 3);
  const auto w = random_values(static_cast<std::size_t>(inputs * outputs), 5);
  const CMat wm{w.data(), inputs, outputs};
  const std::vector<real> untouched(x.size(), 77);
  auto dense = untouched, scattered = untouched;
  kernels::sddmm(dy.matrix(), wm, x.set, {dense.data(), batch, inputs});
  kernels::scattered_backward(dy.matrix(), dy.set, wm, x.set, {scattered.data(), batch, inputs});
  for (int b = 0; b < batch; ++b) {
    std::vector<bool> wanted(static_cast<std::size_t>(inputs), false);
    for (const int i : x.set.row(b))
      wanted[static_cast<std::size_t>(i)] = true;
    for (int i = 0; i < inputs; ++i) {
      const auto at = static_cast<std::size_t>(b * inputs + i);
      double sum = 77;
      if (wanted[static_cast<std::size_t>(i)]) {
        sum = 0;
        for (int o = 0; o < outputs; ++o)
          sum += static_cast<double>(dy.matrix().row(b)[o]) * static_cast<double>(wm.row(i)[o]);
      }
      ASSERT_NEAR(static_cast<double>(dense[at]), sum, 1e-4);
      ASSERT_NEAR(static_cast<double>(scattered[at]), sum, 1e-4);
    }
  }
}

TEST_P(SparseProducts, SddmmOverAPatternOverwritesOrAdds) {
  const auto [batch, inputs, outputs, share] = GetParam();
  const Active pattern(outputs, inputs, share, 2);  // entries of sparse weights
  const auto a = random_values(static_cast<std::size_t>(outputs * batch), 3);
  const auto b = random_values(static_cast<std::size_t>(inputs * batch), 4);
  SparseRows rows;
  rows.assign(pattern.matrix(), pattern.set);
  const SparseView view = rows.view();
  std::vector<real> value(view.entries(), 5);
  for (const bool add : {false, true}) {
    kernels::sddmm({a.data(), outputs, batch}, {b.data(), inputs, batch}, view, add, value.data());
    for (int o = 0; o < outputs; ++o)
      for (int j = view.begin[o]; j < view.begin[o + 1]; ++j) {
        double sum = 0;
        for (int k = 0; k < batch; ++k)
          sum += static_cast<double>(a[static_cast<std::size_t>(o * batch + k)]) *
                 static_cast<double>(b[static_cast<std::size_t>(view.index[j] * batch + k)]);
        ASSERT_NEAR(static_cast<double>(value[static_cast<std::size_t>(j)]), add ? 2 * sum : sum,
                    2e-4);
      }
  }
}

INSTANTIATE_TEST_SUITE_P(OddShapes, SparseProducts,
                         ::testing::Values(Case{1, 1, 1, 1}, Case{2, 7, 16, 0.5},
                                           Case{3, 300, 17, 0.2}, Case{9, 33, 41, 0.2},
                                           Case{16, 129, 200, 0.3}, Case{5, 20, 97, 0},
                                           Case{31, 260, 401, 0.1}, Case{10, 64, 10, 0.9},
                                           Case{6, 1100, 530, 0.1}));

TEST(SparseRows, NameTheUnitsThatAreActiveAnywhere) {
  ActiveSet set;
  set.begin();
  set.push(3), set.push(5), set.end_row();
  set.end_row();
  set.push(0), set.push(5), set.end_row();
  std::vector<std::int32_t> units;
  distinct_units(set, 7, units);
  EXPECT_EQ(units, (std::vector<std::int32_t>{0, 3, 5}));
}

TEST(Transpose, MovesEveryEntry) {
  for (const auto& [rows, cols] : {std::pair{1, 1}, std::pair{33, 70}, std::pair{128, 5}}) {
    const auto x = random_values(static_cast<std::size_t>(rows * cols), 1);
    std::vector<real> y(x.size());
    kernels::transpose({x.data(), rows, cols}, {y.data(), cols, rows});
    for (int r = 0; r < rows; ++r)
      for (int c = 0; c < cols; ++c)
        ASSERT_EQ(y[static_cast<std::size_t>(c * rows + r)],
                  x[static_cast<std::size_t>(r * cols + c)]);
  }
}

}  // namespace
}  // namespace engram
