// Changing which weights of a sparse layer exist: afterwards the layer computes what a dense one
// with the same weights does, whichever order its values lie in.
#include <set>

#include <gtest/gtest.h>

#include "models/sparse_synapses.h"
#include "tests/models/harness.h"
#include "utils/error.h"

namespace engram::testing {
namespace {

constexpr int kIn = 30, kOut = 12, kRows = 5;

Synapses tenth() {
  return {.density = 0.1, .storage = WeightStorage::Sparse, .rewirable = true};
}

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

struct Moved {
  explicit Moved(double active_share)
      : net({1, 1, kIn}, stack(linear(kOut, tenth())), Rng(2), active_share) {
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
        e = {static_cast<std::int32_t>(rng.below(kOut)), static_cast<std::int32_t>(rng.below(kIn))};
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

TEST(Rewire, ValuesStayInTheirPlacesAndTheStructureIsPartOfTheState) {
  Moved m(1);
  Network other({1, 1, kIn}, stack(linear(kOut, tenth())), Rng(2));
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
    EXPECT_THROW(m.net.restored(), Error);
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
