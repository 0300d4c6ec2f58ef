// Averages to a size of one's own, against the definition of their bins.
#include <cmath>

#include <gtest/gtest.h>

#include "tests/models/harness.h"
#include "tests/utils/error_of.h"

namespace engram {
namespace {

using testing::Alone;
using testing::random_batch;
using testing::signal;

std::vector<real> values(const Signal& s) {
  return {s.value().data, s.value().data + s.value().size()};
}

TEST(AdaptiveAvgPool, AveragesBinsThatOverlapWhereTheSizeDoesNotDivide) {
  Alone rows(adaptive_avg_pool(2, 1), {3, 1, 1});  // [0, 2) and [1, 3)
  EXPECT_EQ(values(rows.forward(signal(1, 3, {1, 3, 7}), true)), (std::vector<real>{2, 5}));
  Alone channels(adaptive_avg_pool(1, 1, 2), {1, 1, 4});
  EXPECT_EQ(values(channels.forward(signal(2, 4, {1, 3, 5, 9, 0, 2, 4, 4}), true)),
            (std::vector<real>{2, 7, 1, 4}));
  Alone wider(adaptive_avg_pool(1, 4), {1, 2, 1});  // larger than the image: places are repeated
  EXPECT_EQ(values(wider.forward(signal(1, 2, {1, 5}), true)), (std::vector<real>{1, 1, 5, 5}));
}

TEST(AdaptiveAvgPool, IsTheMeanOverItsBinsOnEveryAxis) {
  const ImageShape in{7, 5, 6}, to{3, 2, 4};
  Alone pool(adaptive_avg_pool(to.height, to.width, to.channels), in);
  EXPECT_EQ(pool.net.outputs(), to.size());
  const Batch batch = random_batch(3, in.size(), 2);
  const Signal& y = pool.forward(batch.x, true);
  const auto first = [](int i, int n, int m) { return std::floor(1.0 * i * n / m); };
  const auto last = [](int i, int n, int m) { return std::ceil(1.0 * (i + 1) * n / m); };
  for (int b = 0; b < 3; ++b)
    for (int oy = 0; oy < to.height; ++oy)
      for (int ox = 0; ox < to.width; ++ox)
        for (int oc = 0; oc < to.channels; ++oc) {
          double sum = 0, count = 0;
          for (int iy = 0; iy < in.height; ++iy)
            for (int ix = 0; ix < in.width; ++ix)
              for (int ic = 0; ic < in.channels; ++ic) {
                const auto inside = [&](int i, int o, int n, int m) {
                  return i >= first(o, n, m) && i < last(o, n, m);
                };
                if (!inside(iy, oy, in.height, to.height) || !inside(ix, ox, in.width, to.width) ||
                    !inside(ic, oc, in.channels, to.channels))
                  continue;
                sum += static_cast<double>(
                    batch.x.value().row(b)[(iy * in.width + ix) * in.channels + ic]);
                ++count;
              }
          EXPECT_NEAR(y.value().row(b)[(oy * to.width + ox) * to.channels + oc], sum / count, 1e-6);
        }
}

TEST(AdaptiveAvgPool, OverAllPlacesIsTheGlobalMean) {
  const ImageShape in{4, 6, 3};
  Alone mine(adaptive_avg_pool(1, 1), in), global(global_avg_pool(), in);
  const Batch batch = random_batch(2, in.size(), 2);
  const auto a = values(mine.forward(batch.x, true)), b = values(global.forward(batch.x, true));
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i)
    EXPECT_NEAR(a[i], b[i], 1e-6);
}

TEST(AdaptiveAvgPool, RefusesSizesBelowOne) {
  EXPECT_SAYS(error_of([] { adaptive_avg_pool(0, 1); }), "at least 1");
  EXPECT_SAYS(error_of([] { adaptive_avg_pool(1, 1, -1); }), "at least 1");
}

}  // namespace
}  // namespace engram
