// The hidden units of fully connected layers one by one: what leads to each, what it says, what
// leads away from it. For strategies that judge units and begin some of them anew.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "learners/strategy.h"
#include "models/network.h"
#include "models/synaptic.h"

namespace engram {

/// Units between two layers of dense weights.
struct HiddenUnits {
  int layer = 0;                           ///< of the network: what they say is its output
  int count = 0;                           ///< of units
  const SynapticMatrix* in = nullptr;      ///< [fan_in, count]: a column leads to each
  std::vector<const SynapticMatrix*> out;  ///< each [count, outputs]: a row leads away; a head each
};

/// Those of every hidden layer that has dense weights below and above it and nothing else that
/// learns or reads in between, from the bottom up. Convolutions and sparse storage are left out.
/// Error(Config) that names the strategy when nothing remains.
std::vector<HiddenUnits> hidden_units(const Network&, std::string_view strategy);

/// to[i] <- mean over the rows of |y_i|, or of |y_i - around_i| if that is given; [cols].
void mean_magnitudes(const Signal& y, std::span<const double> around, std::span<double> to);
/// to[i] <- mean over the rows of y_i; [cols].
void mean_values(const Signal& y, std::span<double> to);

/// Sum of the magnitudes of the weights that lead away from a unit.
double outgoing_magnitude(const HiddenUnits&, int unit);

/// Some units begin anew: weights to them drawn from the law of the initial ones, no bias, no
/// weights away from them, and an optimiser that knows nothing of these. Draws from
/// rng.fork("unit", unit), and tells the strategies of the run.
void renew(Training&, const HiddenUnits&, std::span<const int> units, const Rng& rng);

}  // namespace engram
