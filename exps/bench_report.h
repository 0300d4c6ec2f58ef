// What `engram bench` found, for people and for programs.
#pragma once

#include <string>
#include <vector>

#include "exps/bench.h"
#include "exps/machine_peaks.h"

namespace engram {

struct BenchReport {
  std::string cpu, blas_core, simd, data;
  int threads = 1;
  MachinePeaks peaks;
  struct Row {
    std::string name;
    bool trains = true;  ///< its weights are written, not only read
    Measurement measured;
  };
  std::vector<Row> rows;

  double peak_fraction(const Row&) const;           ///< dense-equivalent, of the gemm peak
  double executed_peak_fraction(const Row&) const;  ///< of what was really multiplied
  /// Share of the memory bandwidth that one sweep over all weights per step would take: reading
  /// them, and writing them when it trains.
  double sweep_share(const Row&) const;
  /// Time of hidden_4096 over that of hidden_2048; 0: not both measured.
  double hidden_ratio() const;
};

/// The machine, a table no wider than `width` if its columns can be left out, and what they mean.
std::string bench_text(const BenchReport&, bool colour, int width);
/// One JSON object; README of exps/ documents it.
std::string bench_json(const BenchReport&);

}  // namespace engram
