// Mutation and crossover of attention maps (D2BL): noise on the map of a pass. Nothing of it
// persists: another pass draws anew, and the same pass draws the same again on its way back.
#pragma once

#include <cstdint>
#include <vector>

#include "models/past/past_options.h"
#include "utils/matrix.h"
#include "utils/rng.h"

namespace engram {

/// The noise of one pass on maps [features, features], as many as heads for every example.
class PassNoise {
 public:
  PassNoise(const AttentionOptions& options, const Rng& rng, int heads, int features)
      : o_(options), rng_(rng), heads_(heads), n_(features) {}

  /// map <- T(map), of a head of example b.
  void apply(int b, int head, Mat map) const;
  /// error <- the error at the map before T, from that at T(map).
  void apply_adjoint(int b, int head, Mat error) const;

  /// First column of the tails that crossover exchanges; `features` when there are none.
  static int first_of_tail(const AttentionOptions& options, int features);

 private:
  bool mutates(int b) const;
  void multiply(int b, int head, Mat map) const;
  struct Rows {
    int first, second;
  };
  Rows rows(int b, int head) const;

  AttentionOptions o_;
  Rng rng_;
  int heads_, n_;
};

}  // namespace engram
