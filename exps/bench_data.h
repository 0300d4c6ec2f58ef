// What the workloads of `engram bench` learn from: MNIST, or something of its size and sparseness.
#pragma once

#include <string>
#include <vector>

#include "benchmarks/catalog.h"
#include "benchmarks/dataset.h"
#include "models/tape.h"

namespace engram {

/// Random 28x28 images of ten labels whose pixels are four fifths zero, as MNIST's are.
Dataset generated_images(int train, int test);

/// MNIST when `search` finds it, else generated images of the same number.
struct BenchData {
  Dataset data;
  std::string text;  ///< which of them, for people
};
BenchData load_bench_data(const DataSearch& search);

/// Blank examples of `inputs` values each: only their labels count, for workloads that bring their
/// own inputs.
Dataset blank_examples(int inputs, int examples);

/// Outputs as a hidden layer with `winners` of `units` leaves them: zero outside the active set.
std::vector<Signal> winner_signals(int signals, int rows, int units, int winners);

}  // namespace engram
