// Matrices with the signs of the weights, for sign-concordant feedback. They are made anew in every
// step, so they are made in parallel runs.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "models/init.h"
#include "utils/matrix.h"
#include "utils/parallel.h"
#include "utils/rng.h"

namespace engram {

constexpr std::size_t kSignRun = 1 << 14;  ///< elements of a task

/// r[i] <- magnitude(i) * sign(w[i]), where sign(0) = 0.
template <class Magnitude>
void with_signs_of(CMat w, Mat r, Magnitude magnitude) {
  parallel_for(static_cast<int>((w.size() + kSignRun - 1) / kSignRun), [&](int run) {
    const std::size_t begin = static_cast<std::size_t>(run) * kSignRun;
    const std::size_t end = std::min(w.size(), begin + kSignRun);
#pragma omp simd
    for (std::size_t i = begin; i < end; ++i) {
      const real m = magnitude(i);
      r.data[i] = w.data[i] > 0 ? m : w.data[i] < 0 ? -m : real{0};
    }
  });
}

/// m[i] <- |x_i|, x_i drawn by a law of mean 0 and this deviation: uniform or normal, as weights
/// start.
inline void random_magnitudes(WeightInit law, double deviation, const Rng& rng, Mat m) {
  const bool normal = is_normal(law);
  parallel_for(static_cast<int>((m.size() + kSignRun - 1) / kSignRun), [&](int run) {
    const std::size_t begin = static_cast<std::size_t>(run) * kSignRun;
    const std::size_t count = std::min(m.size() - begin, kSignRun);
    if (normal) {
      Rng own = rng.fork("run", static_cast<std::uint64_t>(run));
      for (std::size_t i = 0; i < count; ++i)
        m.data[begin + i] = static_cast<real>(std::abs(deviation * own.normal()));
      return;
    }
    // |U(-b, b)| is U(0, b), whose deviation as a symmetric law is b / sqrt(3).
    const auto step = static_cast<real>(deviation * std::sqrt(3.0) * 0x1.0p-24);
    thread_local std::uint32_t words[kSignRun];
    rng.words(begin / 4, (count + 3) / 4, words);
    real* const to = m.data + begin;
#pragma omp simd
    for (std::size_t i = 0; i < count; ++i)
      to[i] = step * static_cast<real>(static_cast<std::int32_t>(words[i] >> 8));
  });
}

}  // namespace engram
