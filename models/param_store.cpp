#include "models/param_store.h"

#include <algorithm>

#include "utils/error.h"

namespace engram {

void TouchedRows::clear() {
  for (const int row : rows_)
    marked_[static_cast<std::size_t>(row)] = 0;
  rows_.clear(), all_ = false;
}

int ParamStore::add(std::string name, int rows, int cols) {
  ENGRAM_INVARIANT(values_.empty() && rows > 0 && cols > 0);
  Param p{.name = std::move(name), .rows = rows, .cols = cols, .offset = value_size_};
  p.touched = TouchedRows(rows);
  value_size_ += p.size();
  params_.push_back(std::move(p));
  return count() - 1;
}

int ParamStore::add_state(std::string name, int rows, int cols) {
  ENGRAM_INVARIANT(values_.empty() && rows > 0 && cols > 0);
  Param p{.name = std::move(name), .rows = rows, .cols = cols, .offset = state_size_};
  state_size_ += p.size();
  states_table_.push_back(std::move(p));
  return static_cast<int>(states_table_.size()) - 1;
}

void ParamStore::allocate() {
  values_.assign(value_size_, 0), grads_.assign(value_size_, 0), states_.assign(state_size_, 0);
}

int ParamStore::find(std::string_view name) const {
  for (int id = 0; id < count(); ++id)
    if (param(id).name == name) return id;
  return -1;
}

Mat ParamStore::value(int id) {
  const Param& p = param(id);
  return {values_.data() + p.offset, p.rows, p.cols};
}
CMat ParamStore::value(int id) const {
  const Param& p = param(id);
  return {values_.data() + p.offset, p.rows, p.cols};
}
Mat ParamStore::state(int id) {
  const Param& p = states_table_[static_cast<std::size_t>(id)];
  return {states_.data() + p.offset, p.rows, p.cols};
}
CMat ParamStore::state(int id) const {
  const Param& p = states_table_[static_cast<std::size_t>(id)];
  return {states_.data() + p.offset, p.rows, p.cols};
}
Mat ParamStore::grad(int id) {
  const Param& p = param(id);
  return {grads_.data() + p.offset, p.rows, p.cols};
}

void ParamStore::zero_grad() {
  for (int id = 0; id < count(); ++id) {
    Param& p = param(id);
    const Mat g = grad(id);
    if (p.touched.all())
      std::fill_n(g.data, g.size(), real{0});
    else
      for (const int row : p.touched.rows())
        std::fill_n(g.row(row), g.cols, real{0});
    p.touched.clear();
  }
}

void ParamStore::set_mask(int id, std::vector<std::uint8_t> mask) {
  ENGRAM_INVARIANT(mask.size() == param(id).size());
  param(id).mask = std::move(mask);
}

void ParamStore::mask_values() {
  for (int id = 0; id < count(); ++id) {
    const auto& mask = param(id).mask;
    real* w = value(id).data;
    for (std::size_t i = 0; i < mask.size(); ++i)
      w[i] = mask[i] != 0 ? w[i] : real{0};
  }
}

void ParamStore::mask_gradients() {
  for (int id = 0; id < count(); ++id) {
    const Param& p = param(id);
    if (p.mask.empty()) continue;
    const Mat g = grad(id);
    const auto mask_row = [&](int row) {
      const std::uint8_t* mask = p.mask.data() + static_cast<std::size_t>(row) * p.cols;
      real* out = g.row(row);
      for (int i = 0; i < p.cols; ++i)
        out[i] = mask[i] != 0 ? out[i] : real{0};
    };
    if (p.touched.all())
      for (int row = 0; row < p.rows; ++row)
        mask_row(row);
    else
      for (const int row : p.touched.rows())
        mask_row(row);
  }
}

}  // namespace engram
