// Changing which weights of a sparse layer exist: afterwards the layer computes what a dense one
// with the same weights does, whichever order its values lie in.
#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include "models/sparse_synapses.h"
#include "tests/models/harness.h"
#include "tests/utils/error_of.h"
#include "utils/error.h"
#include "utils/kernels.h"

namespace engram::testing {
namespace {

constexpr int kIn = 30, kOut = 12, kRows = 5;

struct Shape {
  int in = kIn, out = kOut;
  double density = 0.1;
  Synapses synapses() const {
    return {.density = density, .storage = WeightStorage::Sparse, .rewirable = true};
  }
};

/// Inputs of which a tenth or all are active, as lists say.
Signal inputs(bool few) {
  Signal x;
  Rng rng(3);
  const Mat m = few ? x.resize_sparse(kRows, kIn) : x.resize(kRows, kIn);
  if (few) x.active.begin();
  for (int b = 0; b < kRows; ++b) {
    for (int i = 0; i < kIn; ++i) {
      if (few && i % 15 != b) continue;
      m.row(b)[i] = static_cast<real>(rng.normal());
      if (few) x.active.push(i);
    }
    if (few) x.active.end_row();
  }
  return x;
}

/// A layer a third of whose weights have moved.
struct Moved {
  explicit Moved(double active_share, const Shape& shape = {})
      : net({1, 1, shape.in}, stack(linear(shape.out, shape.synapses())), Rng(2), active_share) {
    SparseSynapses& s = *net.layer(0).rewirable();
    std::set<std::pair<int, int>> there;
    for (std::size_t slot = 0; slot < s.entries(); ++slot)
      there.insert({s.edge(slot).output, s.edge(slot).input});
    std::vector<std::uint32_t> slots;
    std::vector<SparseSynapses::Edge> edges;
    Rng rng(8);
    for (std::uint32_t slot = 0; slot < s.entries(); slot += 3) {
      SparseSynapses::Edge e{};
      do
        e = {static_cast<std::int32_t>(rng.below(static_cast<std::uint32_t>(shape.out))),
             static_cast<std::int32_t>(rng.below(static_cast<std::uint32_t>(shape.in)))};
      while (!there.insert({e.output, e.input}).second);
      slots.push_back(slot), edges.push_back(e);
    }
    s.rewire(slots, edges);
  }
  SparseSynapses& synapses() { return *net.layer(0).rewirable(); }
  Network net;
};

TEST(Rewire, TheLayerComputesWhatItsWeightsSay) {
  for (const double share : {1.0, 0.05})
    for (const bool few : {false, true}) {
      Moved m(share);
      Signal w;
      m.net.layer(0).incoming(w);
      const Mat bias = m.net.params().value(m.net.params().find("linear1.bias"));
      const Signal x = inputs(few);
      Tape tape;
      m.net.evaluate(x, tape, {});
      Signal error, dx;
      const Mat e = error.resize(kRows, kOut);
      Rng rng(4);
      for (real& v : e.all())
        v = static_cast<real>(rng.normal());
      m.net.layer(0).backward_input(x, tape[0], error, dx, {});
      m.net.params().zero_grad();
      m.net.layer(0).accumulate(x, tape[0], error, {});
      const Mat gradient = m.net.params().grad(m.synapses().weight_id());
      for (int b = 0; b < kRows; ++b) {
        for (int o = 0; o < kOut; ++o) {
          double y = static_cast<double>(bias.data[o]);
          for (int i = 0; i < kIn; ++i)
            y += static_cast<double>(w.value().row(o)[i] * x.value().row(b)[i]);
          EXPECT_NEAR(static_cast<double>(tape[0].out.value().row(b)[o]), y, 1e-5);
        }
        for (int i = 0; i < kIn; ++i) {
          if (few && x.value().row(b)[i] == 0) continue;
          double d = 0;
          for (int o = 0; o < kOut; ++o)
            d += static_cast<double>(w.value().row(o)[i] * e.row(b)[o]);
          EXPECT_NEAR(static_cast<double>(dx.value().row(b)[i]), d, 1e-5);
        }
      }
      for (std::size_t slot = 0; slot < m.synapses().entries(); ++slot) {
        const auto [o, i] = m.synapses().edge(slot);
        double g = 0;
        for (int b = 0; b < kRows; ++b)
          g += static_cast<double>(x.value().row(b)[i] * e.row(b)[o]);
        EXPECT_NEAR(static_cast<double>(gradient.data[slot]), g, 1e-5) << share << few << slot;
      }
    }
}

Signal normal(int rows, int cols, std::uint64_t seed) {
  Signal s;
  Rng rng(seed);
  for (real& v : s.resize(rows, cols).all())
    v = static_cast<real>(rng.normal());
  return s;
}
double furthest(CMat a, CMat b) {
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    most = std::max(most, std::abs(static_cast<double>(a.data[i] - b.data[i])));
  return most;
}

/// All three products of a layer beside those of the dense matrix that it stands for.
void expect_dense_products(Network& net, int rows) {
  SparseSynapses& synapses = *net.layer(0).rewirable();
  const int in = synapses.fans().in, out = synapses.fans().outputs;
  Signal w, y, below, gradient;
  net.layer(0).incoming(w);
  const Signal x = normal(rows, in, 3), error = normal(rows, out, 4);
  const CMat bias = net.params().value(net.params().find("linear1.bias"));
  kernels::gemm(false, true, 1, x.value(), w.value(), 0, y.resize(rows, out), bias.data);
  kernels::gemm(false, false, 1, error.value(), w.value(), 0, below.resize(rows, in));
  kernels::gemm(true, false, 1, error.value(), x.value(), 0, gradient.resize(out, in));

  Tape tape;
  std::as_const(net).evaluate(x, tape, {});
  EXPECT_LT(furthest(std::as_const(tape[0].out).value(), y.value()), 1e-4);
  Signal dx;
  net.layer(0).backward_input(x, tape[0], error, dx, {});
  EXPECT_LT(furthest(std::as_const(dx).value(), below.value()), 1e-4);
  net.params().zero_grad();
  net.layer(0).accumulate(x, tape[0], error, {});
  const Mat own = net.params().grad(synapses.weight_id());
  double most = 0;
  for (std::size_t slot = 0; slot < synapses.entries(); ++slot) {
    const auto [o, i] = synapses.edge(slot);
    most =
        std::max(most, std::abs(static_cast<double>(own.data[slot] - gradient.value().row(o)[i])));
  }
  EXPECT_LT(most, 1e-3);
}

TEST(Rewire, LargeBatchesMeetTheWeightsOfARowInBlocksOfColumns) {
  // More columns than a block on both sides, and enough entries and examples for grouped rows.
  const Shape shape{1300, 1100, 0.02};
  for (const double share : {1.0, 0.05}) {
    SCOPED_TRACE(share);
    Moved m(share, shape);
    expect_dense_products(m.net, 512);
    Network other({1, 1, shape.in}, stack(linear(shape.out, shape.synapses())), Rng(2), share);
    std::ranges::copy(m.net.params().states(), other.params().states().begin());
    other.restored();
    expect_dense_products(other, 512);
  }
}

void expect_ascending(const SparseSynapses::View& view) {
  for (std::size_t unit = 0; unit + 1 < view.begin.size(); ++unit)
    for (std::int32_t j = view.begin[unit] + 1; j < view.begin[unit + 1]; ++j)
      EXPECT_LT(view.index[static_cast<std::size_t>(j - 1)],
                view.index[static_cast<std::size_t>(j)]);
}

TEST(Rewire, EveryUnitListsItsWeightsAscendingAndWhereTheyLie) {
  for (const double share : {1.0, 0.05}) {
    Moved m(share);
    SparseSynapses& s = m.synapses();
    expect_ascending(s.by_output()), expect_ascending(s.by_input());
    for (std::int32_t o = 0; o < kOut; ++o)
      for (std::int32_t j = s.by_output().begin[o]; j < s.by_output().begin[o + 1]; ++j) {
        const auto [output, input] = s.edge(static_cast<std::size_t>(s.by_output().place[j]));
        EXPECT_EQ(output, o);
        EXPECT_EQ(input, s.by_output().index[j]);
      }
  }
}

TEST(Rewire, NothingMovesWhereNothingWasRewired) {
  for (const double share : {1.0, 0.05}) {
    Network net({1, 1, kIn}, stack(linear(kOut, Shape().synapses())), Rng(2), share);
    const SparseSynapses& s = *net.layer(0).existing_synapses();
    const auto before_out = s.by_output(), before_in = s.by_input();
    net.restored();
    EXPECT_EQ(s.by_output().begin, before_out.begin);
    EXPECT_EQ(s.by_output().index, before_out.index);
    EXPECT_EQ(s.by_input().begin, before_in.begin);
    EXPECT_EQ(s.by_input().index, before_in.index);
    const auto& second = share < 0.1 ? s.by_output() : s.by_input();
    EXPECT_EQ(second.place, (share < 0.1 ? before_out : before_in).place);
  }
}

TEST(Rewire, ValuesStayInTheirPlacesAndTheStructureIsPartOfTheState) {
  Moved m(1);
  Network other({1, 1, kIn}, stack(linear(kOut, Shape().synapses())), Rng(2));
  const auto copy = [](std::span<const real> from, std::span<real> to) {
    std::copy(from.begin(), from.end(), to.begin());
  };
  EXPECT_TRUE(std::equal(m.net.params().values().begin(), m.net.params().values().end(),
                         other.params().values().begin()));
  copy(m.net.params().states(), other.params().states());
  other.restored();
  Signal a, b;
  m.net.layer(0).incoming(a), other.layer(0).incoming(b);
  EXPECT_TRUE(std::equal(a.value().all().begin(), a.value().all().end(), b.value().all().begin()));
}

TEST(Rewire, AStructureThatLeadsNowhereIsRefused) {
  for (const real bad : {real{-1}, real{kIn}, real{0.5}, static_cast<real>(NAN)}) {
    Moved m(1);
    m.net.params().states()[0] = bad;
    EXPECT_SAYS(error_of([&] { m.net.restored(); }, Fault::Data), "linear1.inputs holds");
  }
}

TEST(Rewire, LayersAreNotRewirableUnlessAskedFor) {
  Network net({1, 1, kIn}, stack(linear(kOut, {.density = 0.1, .storage = WeightStorage::Sparse})),
              Rng(2));
  EXPECT_EQ(net.layer(0).rewirable(), nullptr);
  EXPECT_EQ(net.params().states().size(), 0u);
}

}  // namespace
}  // namespace engram::testing
