// Every fast convolution against naive loops in double precision, over odd shapes, and the same
// bits for any number of threads.
#include <cmath>
#include <functional>
#include <vector>

#include <gtest/gtest.h>

#include "tests/utils/random_values.h"
#include "tests/utils/simd_levels.h"
#include "utils/conv_active.h"
#include "utils/conv_direct.h"
#include "utils/conv_grouped.h"
#include "utils/parallel.h"
#include "utils/rng.h"
#include "utils/sparse_kernels.h"
#include "utils/winograd.h"

namespace engram::kernels {
namespace {

using testing::random_values;
using Values = std::vector<real>;

struct Case {
  Window window;
  int outputs = 1, batch = 3;
};
std::ostream& operator<<(std::ostream& out, const Case& c) {
  const Window& w = c.window;
  return out << c.batch << " of " << w.height << "x" << w.width << "x" << w.channels << " -> "
             << c.outputs << ", kernel " << w.kernel_h << "x" << w.kernel_w << ", stride "
             << w.stride << ", pad " << w.pad;
}
Case make(int height, int width, int channels, int outputs, int kernel, int stride, int pad,
          int batch = 3) {
  Window w;
  w.height = height, w.width = width, w.channels = channels;
  w.kernel_h = w.kernel_w = kernel, w.stride = stride, w.pad = pad;
  return {w, outputs, batch};
}

/// A problem with random content and its answers by naive loops. With a share below 1, that share
/// of x and dy is active and the rest zero.
struct Problem {
  explicit Problem(const Case& problem, double share_x = 1, double share_dy = 1) : c(problem) {
    const Window& w = c.window;
    inputs = w.height * w.width * w.channels, places = w.out_h() * w.out_w();
    x = random_values(static_cast<std::size_t>(c.batch) * inputs, 1);
    dy = random_values(static_cast<std::size_t>(c.batch) * places * c.outputs, 2);
    weights = random_values(static_cast<std::size_t>(w.patch()) * c.outputs, 3);
    bias = random_values(c.outputs, 4);
    thin(x, inputs, share_x, below), thin(dy, places * c.outputs, share_dy, above);
    answer();
  }
  CMat x_mat() const { return {x.data(), c.batch, inputs}; }
  CMat dy_mat() const { return {dy.data(), c.batch, places * c.outputs}; }
  CMat w_mat() const { return {weights.data(), c.window.patch(), c.outputs}; }

  void thin(Values& values, int cols, double share, ActiveSet& set) const {
    Rng rng(9);
    set.begin();
    for (int b = 0; b < c.batch; ++b) {
      for (int i = 0; i < cols; ++i)
        if (rng.uniform() < share)
          set.push(i);
        else
          values[static_cast<std::size_t>(b) * cols + i] = 0;
      set.end_row();
    }
  }
  void answer() {
    const Window& w = c.window;
    y.assign(dy.size(), 0), dx.assign(x.size(), 0), dw.assign(weights.size(), 0);
    for (int b = 0; b < c.batch; ++b)
      for (int p = 0; p < places; ++p)
        for (int o = 0; o < c.outputs; ++o) {
          const std::size_t at = (static_cast<std::size_t>(b) * places + p) * c.outputs + o;
          y[at] += static_cast<double>(bias[o]);
          for (int ky = 0; ky < w.kernel_h; ++ky)
            for (int kx = 0; kx < w.kernel_w; ++kx) {
              const int row = p / w.out_w() * w.stride - w.pad + ky;
              const int col = p % w.out_w() * w.stride - w.pad + kx;
              if (row < 0 || row >= w.height || col < 0 || col >= w.width) continue;
              for (int ch = 0; ch < w.channels; ++ch) {
                const std::size_t i =
                    static_cast<std::size_t>(b) * inputs + (row * w.width + col) * w.channels + ch;
                const std::size_t k =
                    static_cast<std::size_t>((ky * w.kernel_w + kx) * w.channels + ch) * c.outputs +
                    o;
                y[at] += static_cast<double>(x[i]) * static_cast<double>(weights[k]);
                dx[i] += static_cast<double>(dy[at]) * static_cast<double>(weights[k]);
                dw[k] += static_cast<double>(dy[at]) * static_cast<double>(x[i]);
              }
            }
        }
  }

  Case c;
  int inputs = 0, places = 0;
  Values x, dy, weights, bias;
  ActiveSet below, above;
  std::vector<double> y, dx, dw;
};

/// Root mean square of the difference and its largest value, both relative to the root mean square
/// of what is expected.
struct Error {
  double typical = 0, largest = 0;
};
Error error_of(const Values& got, const std::vector<double>& want) {
  Error e;
  double scale = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double difference = static_cast<double>(got[i]) - want[i];
    e.typical += difference * difference, scale += want[i] * want[i];
    e.largest = std::max(e.largest, std::abs(difference));
  }
  scale = std::sqrt(scale / static_cast<double>(got.size())) + 1e-30;
  e.typical = std::sqrt(e.typical / static_cast<double>(got.size())) / scale;
  e.largest /= scale;
  return e;
}

using Operation = std::function<void(Mat out)>;

/// Runs an operation into memory full of NaN with 1, 2 and 3 threads and with every instruction
/// set.
Values run(std::size_t size, int rows, const Operation& operation) {
  Values first;
  const auto repeat = [&] {
    Values out(size, std::nan(""));
    operation({out.data(), rows, static_cast<int>(size) / rows});
    if (first.empty()) first = out;
    return out == first;
  };
  for (const int count : {1, 2, 3}) {
    set_threads(count);
    EXPECT_TRUE(repeat()) << "different bits with " << count << " threads";
  }
  set_threads(1);
  engram::testing::with_every_simd_level(
      [&] { EXPECT_TRUE(repeat()) << "different bits with " << simd_target(); });
  return first;
}

using Gradient = std::function<void(bool add, Mat out)>;

/// A gradient, fresh and added to what is there.
Values run_gradient(const Problem& p, const Gradient& gradient, int groups = 1) {
  const int rows = p.c.window.patch() / groups;
  const std::size_t size = p.dw.size() / static_cast<std::size_t>(groups);
  const Values fresh = run(size, rows, [&](Mat out) { gradient(false, out); });
  const Values twice = run(size, rows, [&](Mat out) {
    gradient(false, out);
    gradient(true, out);
  });
  for (std::size_t i = 0; i < fresh.size(); ++i)
    EXPECT_EQ(twice[i], fresh[i] + fresh[i]);
  return fresh;
}

const std::vector<Case>& odd_cases() {
  static const std::vector<Case> cases{
      make(1, 1, 1, 1, 1, 1, 0, 1),     make(5, 5, 1, 3, 5, 1, 0),
      make(7, 6, 2, 5, 3, 2, 1),        make(9, 11, 3, 17, 3, 1, 1, 5),
      make(4, 4, 35, 33, 2, 1, 2),      make(3, 3, 1, 64, 3, 1, 2, 17),
      make(8, 8, 16, 40, 1, 1, 0),      make(6, 9, 7, 130, 4, 3, 0),
      make(12, 12, 1, 64, 5, 1, 0, 20), make(2, 2, 5, 2, 2, 2, 0),
      make(10, 10, 12, 20, 5, 1, 2),
  };
  return cases;
}

constexpr double kDirect = sizeof(real) == 4 ? 3e-5 : 1e-13;

TEST(DirectConvolution, EqualsNaiveLoopsOnOddShapes) {
  for (const Case& c : odd_cases()) {
    SCOPED_TRACE(::testing::PrintToString(c));
    const Problem p(c);
    const Window& w = c.window;
    EXPECT_LT(error_of(run(p.y.size(), c.batch,
                           [&](Mat y) { direct_forward(w, p.x_mat(), p.w_mat(), p.bias, y); }),
                       p.y)
                  .largest,
              kDirect);
    EXPECT_LT(error_of(run(p.dx.size(), c.batch,
                           [&](Mat dx) { direct_backward(w, p.dy_mat(), p.w_mat(), dx); }),
                       p.dx)
                  .largest,
              kDirect);
    EXPECT_LT(error_of(run_gradient(p,
                                    [&](bool add, Mat dw) {
                                      direct_gradient(w, p.x_mat(), p.dy_mat(), add, dw);
                                    }),
                       p.dw)
                  .largest,
              kDirect);
  }
}

TEST(DirectConvolution, SumsPlaces) {
  const Problem p(make(5, 7, 2, 3, 3, 1, 0));
  const Values sums = run(9, 3, [&](Mat out) { sum_places(p.dy_mat(), {}, out); });
  const Values listed = run(9, 3, [&](Mat out) { sum_places(p.dy_mat(), p.above, out); });
  for (int b = 0; b < 3; ++b)
    for (int o = 0; o < 3; ++o) {
      double sum = 0;
      for (int q = 0; q < p.places; ++q)
        sum += static_cast<double>(p.dy[static_cast<std::size_t>((b * p.places + q) * 3 + o)]);
      EXPECT_NEAR(static_cast<double>(sums[static_cast<std::size_t>(b * 3 + o)]), sum, 1e-5);
      EXPECT_NEAR(static_cast<double>(listed[static_cast<std::size_t>(b * 3 + o)]), sum, 1e-5);
    }
}

/// Keeps of a dense weight matrix the weights within groups, as grouped convolutions store them.
template <class T>
std::vector<T> within_groups(const Case& c, int groups, const std::vector<T>& dense) {
  const int below = c.window.channels / groups, above = c.outputs / groups;
  std::vector<T> kept;
  for (int row = 0; row < c.window.patch() / groups; ++row)
    for (int o = 0; o < c.outputs; ++o) {
      const int channel = o / above * below + row % below;
      kept.push_back(dense[static_cast<std::size_t>(
          (row / below * c.window.channels + channel) * c.outputs + o)]);
    }
  return kept;
}

TEST(GroupedConvolution, EqualsNaiveLoopsWithoutWeightsBetweenGroups) {
  const std::pair<Case, int> cases[] = {
      {make(24, 9, 32, 32, 2, 2, 0, 20), 32}, {make(8, 8, 17, 17, 3, 2, 0), 17},
      {make(5, 6, 3, 3, 3, 1, 2), 3},         {make(7, 6, 6, 4, 3, 2, 1), 2},
      {make(6, 9, 4, 12, 4, 3, 0, 18), 4},    {make(6, 5, 6, 2, 2, 1, 1), 2},
      {make(4, 4, 2, 3, 3, 1, 0), 1},         {make(2, 2, 2, 2, 1, 2, 2), 2}};
  for (const auto& [c, groups] : cases) {
    SCOPED_TRACE(::testing::PrintToString(c) + " in groups " + std::to_string(groups));
    Problem p(c);
    for (int row = 0; row < c.window.patch(); ++row)
      for (int o = 0; o < c.outputs; ++o)
        if (row % c.window.channels / (c.window.channels / groups) != o / (c.outputs / groups))
          p.weights[static_cast<std::size_t>(row * c.outputs + o)] = 0;
    p.answer();
    const Values kept = within_groups(c, groups, p.weights);
    const CMat weights{kept.data(), c.window.patch() / groups, c.outputs};
    const auto forward = [&, g = groups](Mat y) {
      grouped_forward(p.c.window, g, p.x_mat(), weights, p.bias, y);
    };
    const auto backward = [&, g = groups](Mat dx) {
      grouped_backward(p.c.window, g, p.dy_mat(), weights, dx);
    };
    const auto gradient = [&, g = groups](bool add, Mat dw) {
      grouped_gradient(p.c.window, g, p.x_mat(), p.dy_mat(), add, dw);
    };
    EXPECT_LT(error_of(run(p.y.size(), c.batch, forward), p.y).largest, kDirect);
    EXPECT_LT(error_of(run(p.dx.size(), c.batch, backward), p.dx).largest, kDirect);
    EXPECT_LT(error_of(run_gradient(p, gradient, groups), within_groups(c, groups, p.dw)).largest,
              kDirect);
  }
}

TEST(ActiveConvolution, EqualsNaiveLoopsOnOddShapes) {
  for (const Case& c : odd_cases())
    for (const double share : {0.0, 0.1, 0.6, 1.0}) {
      SCOPED_TRACE(::testing::PrintToString(c) + " share " + std::to_string(share));
      const Problem p(c, share, 1 - 0.9 * share);
      const Window& w = c.window;
      EXPECT_LT(error_of(run(p.y.size(), c.batch,
                             [&](Mat y) {
                               active_conv_forward(w, p.x_mat(), p.below, p.w_mat(), p.bias, y);
                             }),
                         p.y)
                    .largest,
                kDirect);
      std::vector<double> wanted(p.dx.size(), 0);
      for (int b = 0; b < c.batch; ++b)
        for (const int unit : p.below.row(b)) {
          const std::size_t i = static_cast<std::size_t>(b) * p.inputs + unit;
          wanted[i] = p.dx[i];
        }
      EXPECT_LT(error_of(run(p.dx.size(), c.batch,
                             [&](Mat dx) {
                               active_conv_backward(w, p.dy_mat(), p.above, p.w_mat(), p.below, dx);
                             }),
                         wanted)
                    .largest,
                kDirect);
      if (active_conv_spreads(w)) {
        EXPECT_LT(error_of(run(p.dx.size(), c.batch,
                               [&](Mat dx) {
                                 active_conv_spread(w, p.dy_mat(), p.above, p.w_mat(), dx);
                               }),
                           p.dx)
                      .largest,
                  kDirect);
      }
      EXPECT_LT(error_of(run_gradient(p,
                                      [&](bool add, Mat dw) {
                                        active_conv_gradient(w, p.x_mat(), p.below, p.dy_mat(),
                                                             p.above, add, dw);
                                      }),
                         p.dw)
                    .largest,
                kDirect);
    }
}

TEST(Winograd, EqualsNaiveLoopsOnOddShapes) {
  for (const Case& c :
       {make(5, 5, 1, 3, 5, 1, 0), make(9, 11, 3, 17, 3, 1, 1, 5), make(3, 3, 1, 64, 3, 1, 2, 17),
        make(10, 10, 12, 20, 5, 1, 2), make(1, 1, 2, 2, 3, 1, 1, 1), make(24, 20, 33, 40, 5, 1, 0),
        make(14, 13, 17, 16, 3, 1, 0, 60)}) {
    SCOPED_TRACE(::testing::PrintToString(c));
    const Problem p(c);
    const Window& w = c.window;
    const Error y =
        error_of(run(p.y.size(), c.batch,
                     [&](Mat out) { winograd_forward(w, p.x_mat(), p.w_mat(), p.bias, out); }),
                 p.y);
    const Error dx =
        error_of(run(p.dx.size(), c.batch,
                     [&](Mat out) { winograd_backward(w, p.dy_mat(), p.w_mat(), out); }),
                 p.dx);
    const Error dw = error_of(
        run_gradient(
            p, [&](bool add, Mat out) { winograd_gradient(w, p.x_mat(), p.dy_mat(), add, out); }),
        p.dw);
    for (const Error& e : {y, dx, dw}) {
      EXPECT_LT(e.typical, sizeof(real) == 4 ? 1e-5 : 2e-14);
      EXPECT_LT(e.largest, sizeof(real) == 4 ? 1e-4 : 2e-13);
    }
  }
}

TEST(Winograd, ErrsLittleOnTheLayersItIsMeantFor) {
  for (const auto& [kernel, pad] : {std::pair{5, 0}, std::pair{3, 1}}) {
    const Problem p(make(24, 24, 64, 128, kernel, 1, pad, 1));
    const Window& w = p.c.window;
    const Values y = run(p.y.size(), 1,
                         [&](Mat out) { winograd_forward(w, p.x_mat(), p.w_mat(), p.bias, out); });
    const Values dx =
        run(p.dx.size(), 1, [&](Mat out) { winograd_backward(w, p.dy_mat(), p.w_mat(), out); });
    const Values dw = run(p.dw.size(), w.patch(), [&](Mat out) {
      winograd_gradient(w, p.x_mat(), p.dy_mat(), false, out);
    });
    int i = 0;
    for (const Error& e : {error_of(y, p.y), error_of(dx, p.dx), error_of(dw, p.dw)}) {
      const std::string name = "k" + std::to_string(kernel) + "_" + std::to_string(i++);
      RecordProperty(name + "_typical", std::to_string(e.typical * 1e6));
      RecordProperty(name + "_largest", std::to_string(e.largest * 1e6));
      EXPECT_LT(e.typical, sizeof(real) == 4 ? 1e-5 : 1e-14);
      EXPECT_LT(e.largest, sizeof(real) == 4 ? 5e-5 : 1e-13);
    }
  }
}

TEST(Winograd, SuitsWhatGains) {
  EXPECT_TRUE(winograd_suits(make(24, 24, 64, 128, 5, 1, 0).window, 128));
  EXPECT_TRUE(winograd_suits(make(28, 28, 64, 64, 3, 1, 1).window, 64));
  EXPECT_FALSE(winograd_suits(make(28, 28, 1, 64, 5, 1, 0).window, 64));   // one channel
  EXPECT_FALSE(winograd_suits(make(28, 28, 64, 64, 3, 2, 1).window, 64));  // stride
  EXPECT_FALSE(winograd_suits(make(4, 4, 64, 64, 3, 1, 0).window, 64));    // most of a tile is lost
  EXPECT_FALSE(winograd_suits(make(28, 28, 64, 64, 4, 1, 0).window, 64));  // kernel
}

}  // namespace
}  // namespace engram::kernels
