#include "models/param_store.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "utils/error.h"
#include "utils/kernels.h"

namespace engram {
namespace {

/// Calls body(row of the slice, its values in the block).
template <class Body>
void for_each_block_row(GradientBlock& block, const Param& p, Body body) {
  const std::size_t width = block.width(p.cols);
  const int count = block.all_rows ? p.rows : static_cast<int>(block.rows.size());
  for (int r = 0; r < count; ++r)
    body(block.all_rows ? r : block.rows[r], block.value.data() + r * width);
}

double squares(std::span<const real> x) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::size_t i = 0; i < x.size(); ++i)
    sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  return sum;
}

}  // namespace

int ParamStore::add(std::string name, int rows, int cols) {
  ENGRAM_INVARIANT(values_.empty() && rows > 0 && cols > 0);
  Param p{.name = std::move(name), .rows = rows, .cols = cols, .offset = value_size_};
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
  values_ = Buffer<real>(value_size_), grads_ = Buffer<real>(value_size_);
  states_ = Buffer<real>(state_size_);
}

int ParamStore::find(std::string_view name) const {
  for (int id = 0; id < count(); ++id)
    if (param(id).name == name) return id;
  return -1;
}

Mat ParamStore::raw_value(int id) {
  note_changes(id);
  const Param& p = param(id);
  return {values_.data() + p.offset, p.rows, p.cols};
}
Mat ParamStore::value(int id) {
  if (Creditor* const c = param(id).creditor) c->settle_all(id);
  return raw_value(id);
}
CMat ParamStore::value(int id) const {
  const Param& p = param(id);
  if (p.creditor) p.creditor->settle_all(id);
  return {values_.data() + p.offset, p.rows, p.cols};
}
CMat ParamStore::rows(int id, std::span<const std::int32_t> rows) const {
  const Param& p = param(id);
  if (p.creditor) p.creditor->settle(id, rows);
  return {values_.data() + p.offset, p.rows, p.cols};
}
ParamStore::Scaled ParamStore::scaled(int id) const {
  const Param& p = param(id);
  const real* const scale = p.creditor ? p.creditor->column_scale(id) : nullptr;
  return {scale ? CMat(values_.data() + p.offset, p.rows, p.cols) : value(id), scale};
}
std::span<real> ParamStore::values() {
  for (int id = 0; id < count(); ++id)
    value(id);
  return values_;
}
std::span<const real> ParamStore::values() const {
  for (int id = 0; id < count(); ++id)
    value(id);
  return values_;
}
std::span<real> ParamStore::raw_values() {
  for (int id = 0; id < count(); ++id)
    note_changes(id);
  return values_;
}

bool ParamStore::take_changes(int id, std::vector<std::int32_t>& rows) {
  RowChanges& changes = param(id).changes;
  rows.clear();
  std::swap(rows, changes.rows);
  return !std::exchange(changes.all, false);
}
void ParamStore::note_changes(int id, std::span<const std::int32_t> rows) {
  RowChanges& changes = param(id).changes;
  if (!changes.watched || changes.all) return;
  // Nobody has asked for long: the list would be longer than the slice.
  changes.all = changes.rows.size() + rows.size() > static_cast<std::size_t>(param(id).rows);
  if (changes.all)
    changes.rows.clear();
  else
    changes.rows.insert(changes.rows.end(), rows.begin(), rows.end());
}

Mat ParamStore::state(int id) {
  const Param& p = states_table_[static_cast<std::size_t>(id)];
  return {states_.data() + p.offset, p.rows, p.cols};
}
CMat ParamStore::state(int id) const {
  const Param& p = states_table_[static_cast<std::size_t>(id)];
  return {states_.data() + p.offset, p.rows, p.cols};
}

Mat ParamStore::raw_grad(int id) {
  const Param& p = param(id);
  return {grads_.data() + p.offset, p.rows, p.cols};
}

Mat ParamStore::grad(int id) {
  Param& p = param(id);
  const Mat g = raw_grad(id);
  if (p.form == GradientForm::Full) return g;
  std::fill_n(g.data, g.size(), real{0});
  if (p.form == GradientForm::Block) {
    const std::size_t width = p.block.width(p.cols);
    for_each_block_row(p.block, p, [&](int row, const real* values) {
      if (p.block.all_cols)
        std::copy_n(values, width, g.row(row));
      else
        for (std::size_t c = 0; c < width; ++c)
          g.row(row)[p.block.cols[c]] = values[c];
    });
  }
  p.form = GradientForm::Full;
  return g;
}

ParamStore::Opened ParamStore::open_gradient(int id) {
  Param& p = param(id);
  if (p.form != GradientForm::Zero) return {grad(id), false};
  p.form = GradientForm::Full;
  return {raw_grad(id), true};
}

void ParamStore::add_gradient(int id, GradientBlock& block) {
  Param& p = param(id);
  const std::size_t width = block.width(p.cols);
  ENGRAM_INVARIANT(block.value.size() ==
                   width * (block.all_rows ? static_cast<std::size_t>(p.rows) : block.rows.size()));
  if (p.form == GradientForm::Zero) {
    std::swap(p.block, block);
    p.form = GradientForm::Block;
    return;
  }
  const Mat g = grad(id);
  for_each_block_row(block, p, [&](int row, const real* values) {
    for (std::size_t c = 0; c < width; ++c)
      g.row(row)[block.all_cols ? static_cast<std::int32_t>(c) : block.cols[c]] += values[c];
  });
}

void ParamStore::copy_gradient(int from, int to) {
  const Param& source = param(from);
  Param& p = param(to);
  ENGRAM_INVARIANT(p.form == GradientForm::Zero && p.rows == source.rows && p.cols == source.cols);
  p.form = source.form;
  if (p.form == GradientForm::Block) p.block = source.block;
  if (p.form == GradientForm::Full) std::copy_n(raw_grad(from).data, p.size(), raw_grad(to).data);
}

void ParamStore::zero_grad() {
  for (Param& p : params_)
    p.form = GradientForm::Zero;
}

std::span<real> ParamStore::grads() {
  for (int id = 0; id < count(); ++id)
    grad(id);
  return grads_;
}

void ParamStore::set_mask(int id, std::vector<std::uint8_t> mask) {
  ENGRAM_INVARIANT(mask.size() == param(id).size());
  param(id).mask = std::move(mask);
}

void ParamStore::mask_values() {
  for (int id = 0; id < count(); ++id) {
    const auto& mask = param(id).mask;
    if (mask.empty()) continue;
    real* w = value(id).data;
    for (std::size_t i = 0; i < mask.size(); ++i)
      w[i] = mask[i] != 0 ? w[i] : real{0};
  }
}

void ParamStore::mask_gradients() {
  for (int id = 0; id < count(); ++id) {
    Param& p = param(id);
    if (p.mask.empty() || p.form == GradientForm::Zero) continue;
    const auto mask_row = [&p](int row, real* values, const GradientBlock* block) {
      const std::uint8_t* mask = p.mask.data() + static_cast<std::size_t>(row) * p.cols;
      if (block && !block->all_cols) {
        for (std::size_t c = 0; c < block->cols.size(); ++c)
          if (mask[block->cols[c]] == 0) values[c] = 0;
        return;
      }
#pragma omp simd
      for (int c = 0; c < p.cols; ++c)
        values[c] = mask[c] != 0 ? values[c] : real{0};
    };
    if (p.form == GradientForm::Full)
      for (int row = 0; row < p.rows; ++row)
        mask_row(row, raw_grad(id).row(row), nullptr);
    else
      for_each_block_row(p.block, p,
                         [&](int row, real* values) { mask_row(row, values, &p.block); });
  }
}

void ParamStore::clip_gradients(double bound) {
  const real most = static_cast<real>(bound);
  for (int id = 0; id < count(); ++id) {
    Param& p = param(id);
    if (p.form == GradientForm::Full) kernels::clip(raw_grad(id).all(), most);
    if (p.form == GradientForm::Block) kernels::clip(p.block.value, most);
  }
}

std::span<const real> ParamStore::kept_gradient(int id) const {
  const Param& p = param(id);
  if (p.form == GradientForm::Full) return {grads_.data() + p.offset, p.size()};
  if (p.form == GradientForm::Block) return p.block.value;
  return {};
}

double ParamStore::gradient_norm(int id) const {
  return std::sqrt(squares(kept_gradient(id)));
}

double ParamStore::gradient_norm() const {
  double sum = 0;
  for (int id = 0; id < count(); ++id)
    if (param(id).trainable) sum += squares(kept_gradient(id));
  return std::sqrt(sum);
}

void ParamStore::scale_gradients(double by) {
  const real factor = static_cast<real>(by);
  for (int id = 0; id < count(); ++id) {
    Param& p = param(id);
    if (p.form == GradientForm::Full)
      for (real& g : raw_grad(id).all())
        g *= factor;
    if (p.form == GradientForm::Block)
      for (real& g : p.block.value)
        g *= factor;
  }
}

}  // namespace engram
