// What the programs in this folder share: the time of a function, and signals to call it with.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>

#include "models/tape.h"
#include "utils/rng.h"

namespace engram {

inline double best_ms(const std::function<void()>& body) {
  double best = 1e9;
  const auto start = std::chrono::steady_clock::now();
  const auto since = [](auto t) {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - t).count();
  };
  body();
  for (int i = 0; i < 5 || since(start) < 300; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    body();
    best = std::min(best, since(begin));
  }
  return best;
}

/// About `share` of the units are active.
inline Signal random_signal(int rows, int cols, double share, std::uint64_t seed) {
  Signal s;
  Rng rng(seed);
  const Mat m = s.resize(rows, cols);
  s.active.begin();
  for (int b = 0; b < rows; ++b) {
    for (int i = 0; i < cols; ++i) {
      const bool on = rng.uniform() < share;
      m.row(b)[i] = on ? static_cast<real>(rng.uniform(-1, 1)) : real{0};
      if (on) s.active.push(i);
    }
    s.active.end_row();
  }
  return s;
}

}  // namespace engram
