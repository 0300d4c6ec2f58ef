// Residual networks: what shortcuts compute, and gradients against central differences. Built with
// the double-precision twins of the libraries.
#include <cmath>
#include <tuple>

#include <gtest/gtest.h>

#include "learners/loss.h"
#include "learners/rules/rules.h"
#include "models/registry.h"
#include "tests/models/differences.h"
#include "tests/models/harness.h"
#include "utils/error.h"

namespace engram {
namespace {

using testing::random_batch;
using testing::signal;
using testing::stack;

TEST(Shortcut, TakesEverySecondPlaceAndPadsChannelsWithZeros) {
  testing::Alone alone(shortcut(4, 2), {3, 2, 2});
  const Signal x = signal(1, 12, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  const Signal& y = alone.forward(x, false);
  EXPECT_EQ(alone.net.output_shape(0).text(), "2x1x4");
  const auto all = y.value().all();
  EXPECT_EQ(std::vector<real>(all.begin(), all.end()),
            (std::vector<real>{0, 1, 2, 0, 0, 9, 10, 0}));
}

TEST(Shortcut, SendsErrorsDownByItsAdjoint) {
  for (const auto& [channels, stride] : {std::tuple{7, 2}, std::tuple{2, 3}, std::tuple{3, 1}}) {
    testing::Alone alone(shortcut(channels, stride), {5, 4, 3});
    const Signal x = random_batch(3, 60, 2).x;
    alone.forward(x, false);
    const Signal dy = random_batch(3, alone.tape[0].out.cols(), 2, 1, 6).x;
    Signal dx;
    alone.layer().backward_input(x, alone.tape[0], dy, dx, {});
    double up = 0, down = 0;
    for (std::size_t i = 0; i < dy.value().size(); ++i)
      up += dy.value().data[i] * alone.tape[0].out.value().data[i];
    for (std::size_t i = 0; i < x.value().size(); ++i)
      down += dx.value().data[i] * x.value().data[i];
    EXPECT_NEAR(up, down, 1e-12);
    EXPECT_GT(std::abs(up), 0.01);
  }
}

TEST(Shortcut, RefusesSizesThatMakeNoSense) {
  EXPECT_THROW(testing::Alone(shortcut(0, 1), {3, 3, 1}), Error);
  EXPECT_THROW(testing::Alone(shortcut(1, 0), {3, 3, 1}), Error);
}

TEST(ResidualGradient, OfEveryResidualModelWithAndWithoutBatchNorm) {
  for (const auto& [name, side, channels, stride] :
       {std::tuple{"tiny_resnet", 8, std::vector{2, 3, 2}, 1},
        std::tuple{"resnet18", 6, std::vector{2, 3, 4}, 1},
        std::tuple{"resnet20", 6, std::vector{2, 3}, 1},
        std::tuple{"resnet56", 4, std::vector{2, 3}, 7}})
    for (const bool norm : {false, true}) {
      ModelOptions o = default_options(name);
      o.model = name, o.conv_channels = channels, o.batch_norm = norm;
      o.init = WeightInit::HeUniform;
      const auto net = build_model(o, {side, side, 2}, {1, 3}, Rng(4));
      const Batch batch = random_batch(3, side * side * 2, 3);
      EXPECT_LT(testing::gradient_error(*net, batch, {true, Rng(77), batch.task}, 1e-6, stride),
                1e-6)
          << name << (norm ? " with" : " without") << " batch norm";
    }
}

}  // namespace
}  // namespace engram
