// For those who compute with Armadillo: a matrix [n, d] by rows is its [d, n] by columns, so that a
// column is a sample.
#pragma once

#include <armadillo>

#include <xtensor/xtensor.hpp>

namespace engram {

/// A copy.
inline arma::mat columns_of(const xt::xtensor<double, 2>& samples) {
  return arma::mat(samples.data(), samples.shape(1), samples.shape(0));
}

}  // namespace engram
