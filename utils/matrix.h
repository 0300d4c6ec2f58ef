// Non-owning row-major matrices: what kernels, layers and rules hand to each other.
// A row is an example (or, for weights, an output unit). Never resize, never own.
#pragma once

#include <cstddef>
#include <span>

#include "utils/real.h"

namespace engram {

struct CMat {
  const real* data = nullptr;
  int rows = 0, cols = 0;

  CMat() = default;
  CMat(const real* values, int row_count, int col_count)
      : data(values), rows(row_count), cols(col_count) {}
  explicit operator bool() const { return data != nullptr; }
  std::size_t size() const {
    return static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols);
  }
  const real* row(int i) const {
    return data + static_cast<std::size_t>(i) * static_cast<std::size_t>(cols);
  }
  std::span<const real> all() const { return {data, size()}; }
};

struct Mat {
  real* data = nullptr;
  int rows = 0, cols = 0;

  Mat() = default;
  Mat(real* values, int row_count, int col_count)
      : data(values), rows(row_count), cols(col_count) {}
  operator CMat() const { return {data, rows, cols}; }  // NOLINT(google-explicit-constructor)
  explicit operator bool() const { return data != nullptr; }
  std::size_t size() const {
    return static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols);
  }
  real* row(int i) const {
    return data + static_cast<std::size_t>(i) * static_cast<std::size_t>(cols);
  }
  std::span<real> all() const { return {data, size()}; }
};

}  // namespace engram
