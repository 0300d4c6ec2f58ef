// k-winners against section 1 of the reference's behaviour: counts, ranking, duty cycles, ties.
#include <cmath>

#include <gtest/gtest.h>

#include "tests/models/harness.h"
#include "utils/error.h"

namespace engram {
namespace {

using testing::Alone;
using testing::signal;

KWinnersOptions options(double percent_on, double boost = 0) {
  KWinnersOptions o;
  o.percent_on = percent_on, o.boost_strength = boost;
  return o;
}
std::vector<real> row_of(const Signal& s, int row = 0) {
  return {s.value().row(row), s.value().row(row) + s.cols()};
}
CMat duty(Alone& alone) {
  return alone.net.params().state(0);
}

TEST(KWinners, PassesTheLargestOnUnchangedAndSilencesTheRest) {
  Alone k(k_winners(options(0.4)), {1, 1, 5});
  EXPECT_EQ(row_of(k.forward(signal(1, 5, {0.5f, -1, 3, 2, 0}), true)),
            (std::vector<real>{0, 0, 3, 2, 0}));
}

TEST(KWinners, MayLetNegativeUnitsWin) {
  Alone k(k_winners(options(0.4)), {1, 1, 5});
  EXPECT_EQ(row_of(k.forward(signal(1, 5, {-5, -1, -3, -2, -4}), true)),
            (std::vector<real>{0, -1, 0, -2, 0}));
}

TEST(KWinners, RoundsHalfToEvenLikeTheReference) {
  const auto winners = [](double percent_on, int n) {
    Alone k(k_winners(options(percent_on)), {1, 1, n});
    std::vector<real> x(static_cast<std::size_t>(n));
    for (int i = 0; i < n; ++i)
      x[static_cast<std::size_t>(i)] = static_cast<real>(i + 1);
    int count = 0;
    for (const real v : row_of(k.forward(signal(1, n, x), true)))
      count += v != 0;
    return count;
  };
  EXPECT_EQ(winners(0.15, 10), 2);
  EXPECT_EQ(winners(0.25, 10), 2);
  EXPECT_EQ(winners(0.35, 10), 4);
  EXPECT_EQ(winners(0.001, 4000), 4);
  EXPECT_EQ(winners(0.05, 512), 26);
}

TEST(KWinners, UsesTheInferenceFactorOnlyInEvaluationAndTruncatesInOneDimension) {
  KWinnersOptions o = options(0.35);
  o.k_inference_factor = 1.5;
  std::vector<real> x;
  for (int i = 10; i-- > 0;)
    x.push_back(static_cast<real>(i + 1));
  Alone flat(k_winners(o), {1, 1, 10});
  EXPECT_EQ(flat.forward(signal(1, 10, x), true).active.total(), 4u);
  EXPECT_EQ(flat.forward(signal(1, 10, x), false).active.total(), 6u);  // int(4 * 1.5)
  o.local = true;
  Alone image(k_winners(o), {1, 2, 10});  // two places of ten channels
  x.insert(x.end(), x.begin(), x.end());
  EXPECT_EQ(image.forward(signal(1, 20, x), false).active.total(), 2 * 5u);  // round(5.25) a place
}

TEST(KWinners, RefusesToSilenceALayerUnlessToldTo) {
  EXPECT_THROW(Alone(k_winners(options(0.05)), {1, 1, 10}), Error);
  KWinnersOptions o = options(0.05);
  o.allow_dead = true;
  Alone k(k_winners(o), {1, 1, 10});
  EXPECT_EQ(k.forward(signal(1, 10, std::vector<real>(10, 1)), true).active.total(), 0u);
}

TEST(KWinners, BreaksTiesByLowestIndexOrKeepsThemAll) {
  const auto x = [] { return signal(1, 5, {1, 2, 1, 1, 0}); };
  Alone strict(k_winners(options(0.4)), {1, 1, 5});
  EXPECT_EQ(row_of(strict.forward(x(), true)), (std::vector<real>{1, 2, 0, 0, 0}));
  KWinnersOptions o = options(0.4);
  o.ties = Ties::Threshold;
  Alone threshold(k_winners(o), {1, 1, 5});
  EXPECT_EQ(row_of(threshold.forward(x(), true)), (std::vector<real>{1, 2, 1, 1, 0}));
}

TEST(KWinners, RectifiedWinnersAreStrictlyPositive) {
  KWinnersOptions o = options(0.6);
  o.rectify = true;
  Alone k(k_winners(o), {1, 1, 5});
  EXPECT_EQ(row_of(k.forward(signal(1, 5, {-1, 2, -3, -2, -5}), true)),
            (std::vector<real>{0, 2, 0, 0, 0}));
}

TEST(KWinners, BoostingRanksByActivityButTransmitsTheValueItself) {
  Alone k(k_winners(options(0.25, 1)), {1, 1, 4});
  k.forward(signal(1, 4, {5, 1, 1, 1}), true);  // unit 0: duty cycle 1
  EXPECT_EQ(duty(k).data[0], 1);
  // 1.5 * exp(-1) = 0.55 ranks below 1
  EXPECT_EQ(row_of(k.forward(signal(1, 4, {1.5f, 0, 1, 0}), false)),
            (std::vector<real>{0, 0, 1, 0}));
  EXPECT_EQ(row_of(k.forward(signal(1, 4, {3, 0, 1, 0}), false)), (std::vector<real>{3, 0, 0, 0}));
}

TEST(KWinners, DutyCyclesFollowTheReferenceFormula) {
  KWinnersOptions o = options(0.5);
  o.duty_cycle_period = 5;
  Alone k(k_winners(o), {1, 1, 2});
  k.forward(signal(2, 2, {2, 1, 1, 2}), true);  // one win each; P = 2
  EXPECT_FLOAT_EQ(static_cast<float>(duty(k).data[0]), 0.5f);
  k.forward(signal(2, 2, {2, 1, 2, 1}), true);  // P = 4: (0.5 * 2 + 2) / 4
  EXPECT_FLOAT_EQ(static_cast<float>(duty(k).data[0]), 0.75f);
  k.forward(signal(2, 2, {2, 1, 2, 1}), true);  // P = 5: (0.75 * 3 + 2) / 5
  EXPECT_FLOAT_EQ(static_cast<float>(duty(k).data[0]), 0.85f);
}

TEST(KWinners, DutyCyclesCountOnlyPositiveWinnersAndOnlyInTraining) {
  Alone k(k_winners(options(0.5)), {1, 1, 2});
  k.forward(signal(1, 2, {-1, -2}), true);
  EXPECT_EQ(duty(k).data[0], 0);
  k.forward(signal(1, 2, {2, 1}), false);
  EXPECT_EQ(duty(k).data[0], 0);
}

TEST(KWinners, ABatchLongerThanThePeriodKeepsDutyCyclesInRangeUnlessLiteral) {
  KWinnersOptions o = options(0.5);
  o.duty_cycle_period = 2;
  const auto x = [] { return signal(4, 2, {2, 1, 2, 1, 2, 1, 1, 2}); };
  Alone mean(k_winners(o), {1, 1, 2});
  mean.forward(x(), true), mean.forward(x(), true);
  EXPECT_FLOAT_EQ(static_cast<float>(duty(mean).data[0]), 0.75f);
  o.overlong = OverlongBatch::Literal;
  Alone literal(k_winners(o), {1, 1, 2});
  literal.forward(x(), true);
  EXPECT_FLOAT_EQ(static_cast<float>(duty(literal).data[0]), 1.5f);  // 3 / 2
}

TEST(KWinners, OnImagesDutyCyclesBelongToChannelsAndDivideByPlaces) {
  KWinnersOptions o = options(0.5);
  o.local = true;
  Alone k(k_winners(o), {1, 2, 2});
  const Signal& y = k.forward(signal(1, 4, {2, 1, 1, 2}), true);
  EXPECT_EQ(row_of(y), (std::vector<real>{2, 0, 0, 2}));
  EXPECT_FLOAT_EQ(static_cast<float>(duty(k).data[0]), 0.5f);
  EXPECT_FLOAT_EQ(static_cast<float>(duty(k).data[1]), 0.5f);
}

TEST(KWinners, GlobalWinnersCompeteOverTheWholeImage) {
  Alone k(k_winners(options(0.5)), {1, 2, 2});
  EXPECT_EQ(row_of(k.forward(signal(1, 4, {4, 3, 1, 2}), true)), (std::vector<real>{4, 3, 0, 0}));
}

TEST(KWinners, BoostStrengthDecaysOncePerEpoch) {
  KWinnersOptions o = options(0.5, 2);
  o.boost_strength_factor = 0.5;
  Alone k(k_winners(o), {1, 1, 4});
  k.net.begin_epoch(), k.net.begin_epoch();
  EXPECT_FLOAT_EQ(static_cast<float>(k.net.params().state(1).data[0]), 0.5f);
}

}  // namespace
}  // namespace engram
