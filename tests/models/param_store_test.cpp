#include "models/param_store.h"

#include <gtest/gtest.h>

#include "models/tape.h"

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

TEST(ParamStore, AGradientIsZeroUntilSomethingIsAdded) {
  ParamStore s;
  const int a = s.add("a", 2, 2), b = s.add("b", 1, 2);
  s.allocate();
  for (real& g : s.grads())
    g = 7;
  s.zero_grad();
  EXPECT_EQ(s.param(a).form, GradientForm::Zero);
  EXPECT_EQ(s.grad(a).row(1)[1], 0);
  const auto opened = s.open_gradient(b);
  EXPECT_TRUE(opened.fresh);
  opened.value.data[0] = 5, opened.value.data[1] = 6;
  EXPECT_FALSE(s.open_gradient(b).fresh);
  EXPECT_EQ(std::vector<real>(s.grads().begin(), s.grads().end()),
            (std::vector<real>{0, 0, 0, 0, 5, 6}));
}

TEST(ParamStore, BlocksOfGradientsAddUpToTheWhole) {
  ParamStore s;
  const int a = s.add("a", 3, 3);
  s.allocate();
  GradientBlock rows{.all_cols = true, .rows = {2}, .value = {1, 2, 3}};
  s.add_gradient(a, rows);
  EXPECT_EQ(s.param(a).form, GradientForm::Block);
  GradientBlock cols{.all_rows = true, .cols = {0, 2}, .value = {10, 20, 30, 40, 50, 60}};
  s.add_gradient(a, cols);
  EXPECT_EQ(std::vector<real>(s.grads().begin(), s.grads().end()),
            (std::vector<real>{10, 0, 20, 30, 0, 40, 51, 2, 63}));
}

TEST(ParamStore, CopiesGradientsInEveryForm) {
  ParamStore s;
  const int a = s.add("a", 2, 3), b = s.add("b", 2, 3);
  s.allocate();
  for (real& g : s.grads())
    g = 7;
  const auto gradient = [&](int id) {
    const auto all = s.grad(id).all();
    return std::vector<real>(all.begin(), all.end());
  };
  s.zero_grad();
  s.copy_gradient(a, b);
  EXPECT_EQ(s.param(b).form, GradientForm::Zero);
  EXPECT_EQ(gradient(b), std::vector<real>(6, 0));

  s.zero_grad();
  GradientBlock block{.all_rows = false, .rows = {1}, .cols = {0, 2}, .value = {4, 5}};
  s.add_gradient(a, block);
  s.copy_gradient(a, b);
  EXPECT_EQ(s.param(b).form, GradientForm::Block);
  EXPECT_EQ(gradient(b), (std::vector<real>{0, 0, 0, 4, 0, 5}));
  s.grad(a).data[3] = 9;  // each has memory of its own
  EXPECT_EQ(gradient(b)[3], 4);

  s.zero_grad();
  const auto opened = s.open_gradient(a);
  for (std::size_t i = 0; i < 6; ++i)
    opened.value.data[i] = static_cast<real>(i);
  s.copy_gradient(a, b);
  EXPECT_EQ(s.param(b).form, GradientForm::Full);
  EXPECT_EQ(gradient(b), (std::vector<real>{0, 1, 2, 3, 4, 5}));
}

TEST(AddSignal, AddsAndForgetsWhatIsActive) {
  Signal to, from;
  Mat m = to.resize_sparse(1, 3);
  to.active.begin();
  m.data[1] = 2, to.active.push(1), to.active.end_row();
  m = from.resize(1, 3);
  m.data[0] = 1, m.data[1] = 10, m.data[2] = 0;
  add_signal(from, to);
  EXPECT_FALSE(to.active.known());
  const auto sum = to.value().all();
  EXPECT_EQ(std::vector<real>(sum.begin(), sum.end()), (std::vector<real>{1, 12, 0}));
  // A sparse signal may now be written anywhere: what follows is zero again.
  const auto again = to.resize_sparse(1, 3).all();
  EXPECT_EQ(std::vector<real>(again.begin(), again.end()), (std::vector<real>{0, 0, 0}));
}

TEST(ParamStore, MasksValuesAndGradientsInEveryForm) {
  ParamStore s;
  const int a = s.add("a", 2, 2);
  s.allocate();
  s.set_mask(a, {1, 0, 0, 1});
  for (real& v : s.values())
    v = 3;
  s.mask_values();
  EXPECT_EQ(std::vector<real>(s.values().begin(), s.values().end()),
            (std::vector<real>{3, 0, 0, 3}));
  GradientBlock block{.rows = {1}, .cols = {0, 1}, .value = {4, 5}};
  s.add_gradient(a, block);
  s.mask_gradients();
  EXPECT_EQ(s.param(a).block.value, (std::vector<real>{0, 5}));
  s.zero_grad();
  GradientBlock row{.all_cols = true, .rows = {0}, .value = {6, 7}};
  s.add_gradient(a, row);
  s.mask_gradients();
  EXPECT_EQ(s.param(a).block.value, (std::vector<real>{6, 0}));
  for (real& g : s.grads())
    g = 4;
  s.mask_gradients();
  EXPECT_EQ(std::vector<real>(s.grads().begin(), s.grads().end()), (std::vector<real>{4, 0, 0, 4}));
}

}  // namespace
}  // namespace engram
