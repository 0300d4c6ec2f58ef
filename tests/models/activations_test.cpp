// Activations, normalisation and padding against their formulas, calculated independently.
#include <cmath>
#include <functional>

#include <gtest/gtest.h>

#include "learners/rules/rules.h"
#include "tests/models/harness.h"
#include "utils/error.h"
#include "utils/parallel.h"

namespace engram {
namespace {

using testing::Alone;
using testing::random_batch;
using testing::signal;
using testing::stack;

constexpr ImageShape kImage{3, 2, 5};
constexpr int kRows = 19;

/// What a layer makes of standard normal images, beside the place's inputs: [channels] each.
void expect_at_each_place(
    LayerPtr layer, double shift,
    const std::function<std::vector<double>(const std::vector<double>&)>& formula) {
  Signal x = random_batch(kRows, kImage.size(), 2).x;
  for (real& v : x.value().all())
    v -= static_cast<real>(shift);
  Alone alone(std::move(layer), kImage);
  const Signal& y = alone.forward(x, true);
  for (std::size_t at = 0; at < x.value().size(); at += kImage.channels) {
    const real* const from = x.value().data + at;
    const auto expected = formula(std::vector<double>(from, from + kImage.channels));
    for (std::size_t c = 0; c < expected.size(); ++c)
      ASSERT_NEAR(static_cast<double>(y.value().data[at + c]), expected[c],
                  1e-5 * (1 + std::abs(expected[c])));
  }
  if (y.active.known())
    for (int b = 0; b < kRows; ++b) {
      std::vector<std::int32_t> nonzero;
      for (std::int32_t i = 0; i < kImage.size(); ++i)
        if (y.value().row(b)[i] != 0) nonzero.push_back(i);
      EXPECT_EQ(std::vector<std::int32_t>(y.active.row(b).begin(), y.active.row(b).end()), nonzero);
    }
}

TEST(PowerRelu, IsThePowerOfWhatIsPositive) {
  for (const double n : {0.5, 1.0, 1.4, 3.0, 4.5})
    for (const double shift : {-1.0, 0.0, 1.5})  // many, some and few are positive
      expect_at_each_place(power_relu(n), shift, [&](std::vector<double> x) {
        for (double& v : x)
          v = v > 0 ? std::pow(v, n) : 0;
        return x;
      });
}

TEST(PowerRelu, WithPowerOneIsRelu) {
  const Signal x = random_batch(kRows, 40, 2).x;
  Alone power(power_relu(1), {1, 1, 40}), plain(relu(), {1, 1, 40});
  const CMat a = power.forward(x, true).value(), b = plain.forward(x, true).value();
  EXPECT_TRUE(std::equal(a.data, a.data + a.size(), b.data));
}

TEST(Triangle, IsThePowerOfWhatExceedsTheMeanOfItsPlace) {
  for (const double n : {0.7, 1.0, 1.4})
    expect_at_each_place(triangle(n), 3, [&](std::vector<double> x) {
      double mean = 0;
      for (const double v : x)
        mean += v / static_cast<double>(x.size());
      for (double& v : x)
        v = v > mean ? std::pow(v - mean, n) : 0;
      return x;
    });
}

TEST(SoftmaxActivation, SharesOneAmongTheChannelsOfAPlace) {
  for (const double gain : {0.25, 12.0})
    expect_at_each_place(softmax_activation(gain), 0, [&](std::vector<double> x) {
      double sum = 0;
      for (double& v : x)
        sum += v = std::exp(gain * v);
      for (double& v : x)
        v /= sum;
      return x;
    });
}

TEST(SoftmaxActivation, DoesNotOverflow) {
  Alone s(softmax_activation(1), {1, 1, 2});
  const Signal& y = s.forward(signal(2, 2, {1000, 0, -1000, -1000}), true);
  EXPECT_EQ(y.value().data[0], 1);
  EXPECT_EQ(y.value().data[3], real{0.5});
}

TEST(TanhActivation, IsTheTanhOfItsGainTimesTheInput) {
  expect_at_each_place(tanh_activation(0.3), 0, [](std::vector<double> x) {
    for (double& v : x)
      v = std::tanh(0.3 * v);
    return x;
  });
}

TEST(UnitNorm, DividesEachRowByItsNormAndLeavesZerosAlone) {
  Alone u(unit_norm(), {1, 1, 2});
  const Signal& y = u.forward(signal(3, 2, {3, -4, 0, 0, 0, 7}), true);
  const std::vector<double> expected{0.6, -0.8, 0, 0, 0, 1};
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(static_cast<double>(y.value().data[i]), expected[i], 1e-7);
  EXPECT_EQ(u.tape[0].saved, (std::vector<real>{5, 0, 7}));
  Signal dx;
  u.layer().backward_input({}, u.tape[0], signal(3, 2, {1, 1, 1, 1, 1, 1}), dx, {});
  // (dy - y <y, dy>) / norm, by hand
  const std::vector<double> errors{(1 + 0.6 * 0.2) / 5, (1 - 0.8 * 0.2) / 5, 0, 0, 1. / 7, 0};
  for (std::size_t i = 0; i < errors.size(); ++i)
    EXPECT_NEAR(static_cast<double>(dx.value().data[i]), errors[i], 1e-6);
}

TEST(UnitNorm, HandsOnAListAndAnswersTheSameWithoutIt) {
  KWinnersOptions few;
  few.percent_on = 0.05;
  const Signal x = random_batch(9, 300, 2).x;
  Network listed({1, 1, 300}, stack(k_winners(few), unit_norm()), Rng(1));
  Network hidden({1, 1, 300},
                 stack(k_winners(few), LayerPtr(std::make_unique<testing::Opaque>()), unit_norm()),
                 Rng(1));
  Tape a, b;
  listed.evaluate(x, a, {});
  hidden.evaluate(x, b, {});
  ASSERT_TRUE(a[1].out.active.known());
  EXPECT_EQ(a[1].out.active.total(), a[0].out.active.total());
  EXPECT_FALSE(b[2].out.active.known());
  const CMat p = a[1].out.value(), q = b[2].out.value();
  EXPECT_TRUE(std::equal(p.data, p.data + p.size(), q.data));
}

TEST(ReflectPad, MirrorsTheImageWithoutItsBorder) {
  Alone r(reflect_pad(1), {2, 3, 1});
  const Signal& y = r.forward(signal(1, 6, {1, 2, 3, 4, 5, 6}), true);
  const std::vector<real> expected{5, 4, 5, 6, 5,  //
                                   2, 1, 2, 3, 2,  //
                                   5, 4, 5, 6, 5,  //
                                   2, 1, 2, 3, 2};
  EXPECT_EQ(std::vector<real>(y.value().data, y.value().data + 20), expected);
  Signal dx;
  Signal ones = signal(1, 20, std::vector<real>(20, 1));
  r.layer().backward_input({}, r.tape[0], ones, dx, {});
  EXPECT_EQ(std::vector<real>(dx.value().data, dx.value().data + 6),
            (std::vector<real>{2, 6, 2, 2, 6, 2}));  // how often each is shown
}

TEST(ReflectPad, RefusesImagesThatAreTooSmall) {
  EXPECT_THROW(Alone(reflect_pad(2), {2, 9, 1}), Error);
  EXPECT_THROW(Alone(reflect_pad(2), {9, 2, 1}), Error);
  EXPECT_THROW(reflect_pad(-1), Error);
}

TEST(Pooling, LetsPaddingNeverWinAndCountAsZeroInMeans) {
  const Signal x = signal(1, 9, {-1, -2, -3, -4, -5, -6, -7, -8, -9});
  Alone max(max_pool(2, 2, 1), {3, 3, 1}), avg(avg_pool(2, 2, 1), {3, 3, 1});
  const CMat m = max.forward(x, true).value(), a = avg.forward(x, true).value();
  EXPECT_EQ(std::vector<real>(m.data, m.data + m.size()), (std::vector<real>{-1, -2, -4, -5}));
  EXPECT_EQ(std::vector<real>(a.data, a.data + a.size()),
            (std::vector<real>{-0.25f, -1.25f, -2.75f, -7}));
}

TEST(Pooling, RefusesPaddingOfMoreThanHalfAWindow) {
  EXPECT_THROW(max_pool(3, 1, 2), Error);
  EXPECT_THROW(avg_pool(2, 1, -1), Error);
  EXPECT_NO_THROW(Alone(max_pool(4, 2, 2), {1, 1, 1}));
}

TEST(BatchNorm, WithoutScaleAndShiftIsTheOtherAsItStarts) {
  const Signal x = random_batch(kRows, kImage.size(), 2).x;
  Alone plain(batch_norm({.affine = false}), kImage), affine(batch_norm(), kImage);
  EXPECT_EQ(plain.net.params().values().size(), 0u);
  for (const bool training : {true, false}) {
    const CMat a = plain.forward(x, training).value(), b = affine.forward(x, training).value();
    EXPECT_TRUE(std::equal(a.data, a.data + a.size(), b.data));
  }
}

TEST(Activations, RefusePowersThatAreNotAboveZero) {
  EXPECT_THROW(power_relu(0), Error);
  EXPECT_THROW(triangle(-1), Error);
}

TEST(Activations, HaveTheSameBitsForAnyNumberOfThreads) {
  const Batch batch = random_batch(64, 9 * 8 * 3, 10);
  std::vector<std::vector<real>> gradients;
  for (const int count : {1, 3}) {
    set_threads(count);
    Network net({9, 8, 3},
                stack(unit_norm(), batch_norm({.affine = false}), reflect_pad(2),
                      conv2d(40, 3, 1, 0), triangle(0.7), max_pool(4, 2, 1), conv2d(30, 2, 1, 0),
                      power_relu(1.4), avg_pool(3, 2, 1), linear(700), tanh_activation(2),
                      linear(600), softmax_activation(3), linear(10)),
                Rng(4));
    make_backprop({}, {})->learn(net, batch, {true, Rng(1), batch.task}, {});
    gradients.emplace_back(net.params().grads().begin(), net.params().grads().end());
  }
  set_threads(1);
  EXPECT_EQ(gradients[0], gradients[1]);
}

}  // namespace
}  // namespace engram
