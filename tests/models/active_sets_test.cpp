// Layers that make or narrow lists of active units: what they list, that lists change no value, and
// that results do not depend on the number of threads.
#include <cmath>

#include <gtest/gtest.h>

#include "tests/models/harness.h"
#include "utils/parallel.h"

namespace engram {
namespace {

using testing::Alone;
using testing::stack;

Signal normal(int rows, int cols, double shift, std::uint64_t seed = 1) {
  Signal s;
  Rng rng(seed);
  for (real& v : s.resize(rows, cols).all())
    v = static_cast<real>(rng.normal() - shift);
  return s;
}
std::vector<real> values(const Signal& s) {
  return {s.value().data, s.value().data + s.value().size()};
}
std::vector<std::vector<std::int32_t>> lists(const Signal& s) {
  std::vector<std::vector<std::int32_t>> all;
  for (int b = 0; b < s.active.rows(); ++b)
    all.emplace_back(s.active.row(b).begin(), s.active.row(b).end());
  return all;
}
std::vector<std::vector<std::int32_t>> nonzero(const Signal& s) {
  std::vector<std::vector<std::int32_t>> all(static_cast<std::size_t>(s.rows()));
  for (int b = 0; b < s.rows(); ++b)
    for (int i = 0; i < s.cols(); ++i)
      if (s.value().row(b)[i] != 0) all[static_cast<std::size_t>(b)].push_back(i);
  return all;
}

TEST(ActiveSets, CanBeFilledInAnyOrderAndCopied) {
  ActiveSet set;
  set.begin(3, 4);
  set.slots(2)[0] = 7, set.set_count(2, 1);
  set.slots(0)[0] = 1, set.slots(0)[1] = 5, set.set_count(0, 2);
  ActiveSet copy = set;
  set.forget();
  EXPECT_TRUE(copy.known());
  EXPECT_EQ(copy.rows(), 3);
  EXPECT_EQ(copy.total(), 3u);
  EXPECT_EQ(copy.row(0)[1], 5);
  EXPECT_TRUE(copy.row(1).empty());
  EXPECT_EQ(copy.row(2)[0], 7);
  copy = set;
  EXPECT_FALSE(copy.known());
}

TEST(Relu, ListsItsPositiveUnitsWhenTheyAreFew) {
  for (const int cols : {1, 7, 16, 17, 65, 4000}) {
    Alone few(relu(), {1, 1, cols}), many(relu(), {1, 1, cols});
    const Signal& y = few.forward(normal(33, cols, 1.5), true);
    ASSERT_TRUE(y.active.known());
    EXPECT_EQ(lists(y), nonzero(y));
    EXPECT_FALSE(many.forward(normal(33, cols, -1), true).active.known());
  }
}

TEST(Relu, ForgetsAListThatTurnsOutLong) {
  Signal x = normal(32, 100, 3);
  for (int b = 2; b < 32; ++b)  // only the rows that are looked at first are sparse
    std::fill_n(x.value().row(b), 100, real{1});
  Alone r(relu(), {1, 1, 100});
  EXPECT_FALSE(r.forward(x, true).active.known());
}

TEST(Relu, NarrowsAListThatComesIn) {
  KWinnersOptions o;
  for (const double percent_on : {0.01, 0.3}) {
    o.percent_on = percent_on;
    Network net({1, 1, 300}, stack(k_winners(o), relu()), Rng(1));
    Tape tape;
    net.evaluate(normal(9, 300, 2), tape, {});
    EXPECT_EQ(lists(tape[1].out), nonzero(tape[1].out));
    EXPECT_LE(tape[1].out.active.total(), tape[0].out.active.total());
  }
}

TEST(Dropout, KeepsTheListedUnitsThatSurvive) {
  for (const double shift : {1.0, 2.6}) {  // a sixth active, and so few that each is asked alone
    Network net({1, 1, 501}, stack(relu(), dropout(0.4)), Rng(1));
    Tape tape;
    const Signal x = normal(40, 501, shift);
    net.evaluate(x, tape, {.training = true, .rng = Rng(4), .tasks = {}});
    EXPECT_EQ(lists(tape[1].out), nonzero(tape[1].out));
    Signal hidden;  // the same values without a list
    std::copy_n(tape[0].out.value().data, hidden.resize(40, 501).size(), hidden.value().data);
    Record dense;
    net.layer(1).forward(hidden, dense, {.training = true, .rng = Rng(4), .tasks = {}});
    EXPECT_FALSE(dense.out.active.known());
    EXPECT_EQ(values(dense.out), values(tape[1].out));
  }
}

TEST(Dropout, PassesErrorsToSurvivorsThatAreZero) {
  Alone d(dropout(0.5), {1, 1, 200});
  Signal zeros;
  std::fill_n(zeros.resize(3, 200).data, 600, real{0});
  d.forward(zeros, true);
  Signal dy = normal(3, 200, 0), dx;
  d.layer().backward_input(zeros, d.tape[0], dy, dx,
                           {.training = true, .rng = Rng(9), .tasks = {}});
  const auto passed = values(dx), errors = values(dy);
  int survivors = 0;
  for (std::size_t i = 0; i < 600; ++i) {
    EXPECT_EQ(passed[i], passed[i] != 0 ? errors[i] * 2 : 0);
    survivors += passed[i] != 0;
  }
  EXPECT_NEAR(survivors, 300, 60);
}

/// Outputs, lists and errors of a stack of layers, with memory that an earlier batch has used.
std::vector<real> run(int threads, bool many) {
  set_threads(threads);
  KWinnersOptions o;
  o.percent_on = many ? 0.3 : 0.01, o.boost_strength = 1, o.local = true;
  Network net({1, 40, 100}, stack(relu(), dropout(0.3), k_winners(o), dropout(0.5)), Rng(1));
  Tape tape;
  std::vector<real> all;
  std::vector<Signal> dx(4);
  for (const int rows : {31, 31, 7}) {
    const Signal x = normal(rows, 4000, many ? 0.2 : 1, static_cast<std::uint64_t>(rows));
    const Pass pass{.training = true, .rng = Rng(rows), .tasks = {}};
    net.forward(x, tape, pass);
    const Signal dy = normal(rows, 4000, 0, 3);
    for (int l = 3; l >= 0; --l) {
      const auto at = static_cast<std::size_t>(l);
      net.layer(l).backward_input(l == 0 ? x : tape[at - 1].out, tape[at], l == 3 ? dy : dx[at + 1],
                                  dx[at], pass);
      for (const real v : dx[at].value().all())
        all.push_back(v);
      for (const real v : std::as_const(tape[at].out).value().all())
        all.push_back(v);
      for (const Signal* s : {&tape[at].out, &dx[at]}) {
        if (!s->active.known()) continue;
        std::size_t inside = 0, everywhere = 0;
        for (int b = 0; b < rows; ++b) {
          for (const std::int32_t i : s->active.row(b))
            inside += std::as_const(*s).value().row(b)[i] != 0;
          for (int i = 0; i < s->cols(); ++i)
            everywhere += std::as_const(*s).value().row(b)[i] != 0;
        }
        EXPECT_EQ(inside, everywhere) << "layer " << l << " is not zero outside its list";
      }
    }
  }
  const auto states = net.params().states();
  all.insert(all.end(), states.begin(), states.end());
  set_threads(1);
  return all;
}

TEST(ActiveSets, HaveTheSameBitsForAnyNumberOfThreads) {
  for (const bool many : {false, true}) {
    const auto one = run(1, many);
    EXPECT_EQ(run(2, many), one);
    EXPECT_EQ(run(3, many), one);
  }
}

}  // namespace
}  // namespace engram
