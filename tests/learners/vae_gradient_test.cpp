// The autoencoder's gradients against central differences, in double precision.
#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "learners/vae.h"

namespace engram {
namespace {

Signal random_images(int rows, int pixels) {
  Signal x;
  Rng rng(4);
  for (real& v : x.resize(rows, pixels).all())
    v = rng.uniform();
  return x;
}

TEST(VaeGradient, IsTheDerivativeOfTheWeightedBound) {
  static_assert(std::is_same_v<real, double>);
  const int pixels = 6;
  Vae vae({pixels, 3, {5, 4}}, Rng(1));
  const Signal x = random_images(4, pixels);
  const std::vector<real> weight{0.5, 0.25, 1, 0.125};
  const Rng noise(9);
  for (Network* net : {&vae.encoder(), &vae.decoder()}) {
    vae.learn(x, weight, noise);
    const auto g = net->params().grads();
    const std::vector<real> gradient(g.begin(), g.end());
    const auto values = net->params().values();
    constexpr double kStep = 1e-5;
    double largest = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const real at = values[i];
      values[i] = at + kStep;
      const double above = vae.learn(x, weight, noise);
      values[i] = at - kStep;
      const double below = vae.learn(x, weight, noise);
      values[i] = at;
      EXPECT_NEAR(gradient[i], (above - below) / (2 * kStep), 1e-7) << "weight " << i;
      largest = std::max(largest, std::abs(gradient[i]));
    }
    EXPECT_GT(largest, 0.1);
  }
}

TEST(VaeGradient, TheLossIsCrossEntropyAndDivergence) {
  // Without weights the encoder's law is N(0, 1) and every pixel has probability 1/2.
  Vae vae({5, 2, {3}}, Rng(1));
  for (Network* net : {&vae.encoder(), &vae.decoder()})
    std::ranges::fill(net->params().values(), real{0});
  const Signal x = random_images(3, 5);
  const std::vector<real> weight{1, 2, 0.5};
  EXPECT_NEAR(vae.learn(x, weight, Rng(2)), 3.5 * 5 * std::log(2.), 1e-12);
  // A mean of 1 costs 1/2 for each code, a variance of 4 (3 - log 4) / 2 = (4 - 1 - log 4) / 2.
  auto& params = vae.encoder().params();
  const auto bias = params.values().last(4);  // of the top layer
  bias[0] = bias[1] = 1, bias[2] = bias[3] = std::log(4.);
  EXPECT_NEAR(vae.learn(x, weight, Rng(2)),
              3.5 * (5 * std::log(2.) + 2 * (0.5 + (3 - std::log(4.)) / 2)), 1e-12);
}

}  // namespace
}  // namespace engram
