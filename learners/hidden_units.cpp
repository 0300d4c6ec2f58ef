#include "learners/hidden_units.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "utils/error.h"

namespace engram {
namespace {

bool has_dense_weights(const Network& net, int l) {
  const auto all = net.layer(l).synapses();
  return !all.empty() && !all.front()->is_convolution();
}

/// Whether layers [first, last) are read by their successor alone.
bool is_chain(const Network& net, int first, int last) {
  const auto inside = [&](int l) { return l >= first && l < last; };
  for (int l = 0; l < net.depth(); ++l) {
    if (inside(net.source(l)) && net.source(l) != l - 1) return false;
    if (inside(net.second(l)) || (inside(l) && net.second(l) >= 0)) return false;
    for (std::size_t i = 0; i < net.layer(l).wiring.past.size(); ++i)
      if (inside(net.past(l, i))) return false;
  }
  return true;
}

/// The layer with weights that reads what those of layer l lead to, or -1; `says`: the activation
/// in between.
int next_weights(const Network& net, int l, int& says) {
  says = -1;
  for (int m = l + 1; m < net.depth(); ++m) {
    if (net.source(m) != m - 1) return -1;
    if (has_dense_weights(net, m)) return m;
    if (net.first_slice(m) != net.last_slice(m)) return -1;
    if (net.output_shape(m).size() != net.output_shape(l).size()) return -1;
    if (net.layer(m).is_activation()) says = m;
  }
  return -1;
}

template <class Term>
void mean_over_rows(const Signal& y, std::span<double> to, Term term) {
  std::ranges::fill(to, 0.0);
  const CMat value = y.value();
  for (int b = 0; b < value.rows; ++b) {
    const real* const row = value.row(b);
    for (std::size_t i = 0; i < to.size(); ++i)
      to[i] += term(static_cast<double>(row[i]), i);
  }
  for (double& v : to)
    v /= std::max(1, value.rows);
}

}  // namespace

std::vector<HiddenUnits> hidden_units(const Network& net, std::string_view strategy) {
  std::vector<HiddenUnits> found;
  for (int l = 0; l < net.depth(); ++l) {
    if (!has_dense_weights(net, l) || net.layer(l).synapses().size() != 1) continue;
    int says = -1;
    const int above = next_weights(net, l, says);
    if (above < 0 || says < 0 || !is_chain(net, l, above)) continue;
    found.push_back({says, net.output_shape(l).size(), net.layer(l).synapses().front(),
                     net.layer(above).synapses()});
  }
  if (found.empty())
    throw Error(Fault::Config,
                fmt::format("strategies: {} needs hidden units between two fully connected layers "
                            "of dense weights, of which this network has none; use model = mlp "
                            "or weight_storage = dense",
                            strategy));
  return found;
}

void mean_magnitudes(const Signal& y, std::span<const double> around, std::span<double> to) {
  if (around.empty())
    mean_over_rows(y, to, [](double v, std::size_t) { return std::abs(v); });
  else
    mean_over_rows(y, to, [&](double v, std::size_t i) { return std::abs(v - around[i]); });
}

void mean_values(const Signal& y, std::span<double> to) {
  mean_over_rows(y, to, [](double v, std::size_t) { return v; });
}

double outgoing_magnitude(const HiddenUnits& units, int unit) {
  double sum = 0;
  for (const SynapticMatrix* matrix : units.out) {
    const CMat w = matrix->weight();
    const real* const row = w.row(unit);
    real part = 0;
#pragma omp simd reduction(+ : part)
    for (int k = 0; k < w.cols; ++k)
      part += std::abs(row[k]);
    sum += static_cast<double>(part);
  }
  return sum;
}

void renew(Training& t, const HiddenUnits& units, std::span<const int> chosen, const Rng& rng) {
  if (chosen.empty()) return;
  ParamStore& params = t.net.params();
  std::vector<std::size_t> places;
  const auto at = [](const Param& p, int row, int col) {
    return p.offset + static_cast<std::size_t>(row) * static_cast<std::size_t>(p.cols) +
           static_cast<std::size_t>(col);
  };
  const Param& in = params.param(units.in->weight_id());
  const int bias = units.in->bias_part().id();
  for (const int unit : chosen) {
    for (int i = 0; i < in.rows; ++i)
      places.push_back(at(in, i, unit));
    if (bias >= 0) places.push_back(at(params.param(bias), 0, unit));
    for (const SynapticMatrix* matrix : units.out) {
      const Param& out = params.param(matrix->weight_id());
      for (int k = 0; k < out.cols; ++k)
        places.push_back(at(out, unit, k));
    }
  }
  t.optimizer.forget(places);  // before the weights change, which it may still owe something
  const std::span<real> values = params.values();
  for (const std::size_t place : places)
    values[place] = 0;
  std::vector<real> drawn(static_cast<std::size_t>(in.rows));
  for (const int unit : chosen) {
    units.in->draw_unit(rng.fork("unit", static_cast<std::uint64_t>(unit)), unit, drawn);
    for (int i = 0; i < in.rows; ++i)
      values[at(in, i, unit)] = drawn[static_cast<std::size_t>(i)];
  }
  if (!t.strategies) return;
  for (auto& s : *t.strategies)
    s->renew(t, places);
}

}  // namespace engram
