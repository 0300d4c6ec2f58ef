#include "models/param_store.h"

#include <gtest/gtest.h>

namespace engram {
namespace {

TEST(ParamStore, HandsOutSlicesOfOneArray) {
  ParamStore s;
  const int a = s.add("a", 2, 3), b = s.add("b", 1, 4), c = s.add_state("c", 1, 2);
  s.allocate();
  EXPECT_EQ(s.values().size(), 10u);
  EXPECT_EQ(s.value(b).data, s.values().data() + 6);
  EXPECT_EQ(s.states().size(), 2u);
  EXPECT_EQ(s.state(c).cols, 2);
  EXPECT_EQ(s.find("b"), b);
  EXPECT_EQ(s.find("nothing"), -1);
  EXPECT_EQ(s.param(a).name, "a");
}

TEST(ParamStore, ZeroesOnlyWhatWasTouched) {
  ParamStore s;
  const int a = s.add("a", 3, 2);
  s.allocate();
  for (real& g : s.grads())
    g = 7;
  s.touch_row(a, 1);
  s.zero_grad();
  EXPECT_EQ(s.grad(a).row(0)[0], 7);
  EXPECT_EQ(s.grad(a).row(1)[0], 0);
  EXPECT_FALSE(s.param(a).touched.contains(1));
  s.touch_all(a);
  s.zero_grad();
  EXPECT_EQ(s.grad(a).row(2)[1], 0);
}

TEST(ParamStore, MasksValuesAndTouchedGradients) {
  ParamStore s;
  const int a = s.add("a", 2, 2);
  s.allocate();
  s.set_mask(a, {1, 0, 0, 1});
  for (real& v : s.values())
    v = 3;
  for (real& g : s.grads())
    g = 4;
  s.touch_row(a, 1);
  s.mask_values(), s.mask_gradients();
  EXPECT_EQ(std::vector<real>(s.values().begin(), s.values().end()),
            (std::vector<real>{3, 0, 0, 3}));
  EXPECT_EQ(std::vector<real>(s.grads().begin(), s.grads().end()), (std::vector<real>{4, 4, 0, 4}));
}

}  // namespace
}  // namespace engram
