// The library's parameters in the words of a reference.
#pragma once

#include "models/param_store.h"
#include "tests/learners/pff_reference.h"

namespace engram::testing {

/// All slices, without the layer's name before theirs.
inline Parameters parameters_of(const ParamStore& store) {
  Parameters all;
  for (int id = 0; id < store.count(); ++id) {
    const CMat w = store.value(id);
    Matrix m(w.rows, w.cols);
    std::copy_n(w.data, w.size(), m.v.begin());
    const std::string& name = store.param(id).name;
    all[name.substr(name.find('.') + 1)] = m;
  }
  return all;
}
inline Matrix matrix_of(CMat from) {
  Matrix m(from.rows, from.cols);
  std::copy_n(from.data, from.size(), m.v.begin());
  return m;
}
inline double farthest(const std::vector<double>& a, const std::vector<double>& b) {
  double off = a.size() == b.size() ? 0 : INFINITY;
  for (std::size_t k = 0; k < std::min(a.size(), b.size()); ++k)
    off = std::max(off, std::abs(a[k] - b[k]));
  return off;
}

}  // namespace engram::testing
