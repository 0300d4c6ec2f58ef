#include "learners/owed_rows.h"

#include <algorithm>

#include "utils/error.h"
#include "utils/parallel.h"

namespace engram {
namespace {

using Matrix = std::array<double, 4>;

Matrix times(const Matrix& a, const Matrix& b) {
  return {a[0] * b[0] + a[1] * b[2], a[0] * b[1] + a[1] * b[3], a[2] * b[0] + a[3] * b[2],
          a[2] * b[1] + a[3] * b[3]};
}

/// M^-1 gain. Without momentum v does not exist and M is diagonal in effect.
std::array<double, 2> entered(const LinearStep& s, bool momentum) {
  const auto& [a, b, c, d] = s.matrix;
  if (!momentum) return {s.gain[0] / a, 0};
  const double det = a * d - b * c;
  return {(d * s.gain[0] - b * s.gain[1]) / det, (a * s.gain[1] - c * s.gain[0]) / det};
}

}  // namespace

OwedRows::OwedRows(ParamStore& params, real* velocity)
    : params_(params),
      weights_(params.raw_values().data()),
      velocity_(velocity),
      products_((kOldest + 1) * 8, 0) {
  std::size_t rows = 0;
  for (int id = 0; id < params.count(); ++id)
    if (params.param(id).lazy) rows += static_cast<std::size_t>(params.param(id).rows);
  ages_.assign(rows, 0);
  rows = 0;
  for (int id = 0; id < params.count(); ++id) {
    if (!params.param(id).lazy) continue;
    const auto count = static_cast<std::size_t>(params.param(id).rows);
    slices_.push_back({id, std::span(ages_).subspan(rows, count)});
    rows += count;
  }
  products_[0] = products_[6] = 1;
  for (const Slice& s : slices_)
    params_.param(s.id).creditor = this;
}

OwedRows::~OwedRows() {
  for (const Slice& s : slices_) {
    settle_all(s.id);
    params_.param(s.id).creditor = nullptr;
  }
}

OwedRows::Slice* OwedRows::find(int id) {
  for (Slice& s : slices_)
    if (s.id == id) return &s;
  return nullptr;
}

Matrix OwedRows::product(int age) const {
  Matrix m;
  const real* entry = products_.data() + static_cast<std::size_t>(age) * 8;
  for (std::size_t i = 0; i < 4; ++i)
    m[i] = static_cast<double>(entry[2 * i]) + static_cast<double>(entry[2 * i + 1]);
  return m;
}

void OwedRows::pay(const Param& p, int row, int age) const {
  const Matrix m = product(age);
  const auto a = static_cast<real>(m[0]), b = static_cast<real>(m[1]);
  const auto c = static_cast<real>(m[2]), d = static_cast<real>(m[3]);
  const std::size_t begin = p.offset + static_cast<std::size_t>(row) * p.cols;
  real* w = weights_ + begin;
  if (!velocity_) {
    for (int i = 0; i < p.cols; ++i)
      w[i] *= a;
    return;
  }
  real* v = velocity_ + begin;
#pragma omp simd
  for (int i = 0; i < p.cols; ++i) {
    const real w_i = w[i], v_i = v[i];
    w[i] = a * w_i + b * v_i, v[i] = c * w_i + d * v_i;
  }
}

void OwedRows::settle(int id, std::span<const std::int32_t> rows) {
  Slice* const s = find(id);
  if (!s) return;
  const Param& p = params_.param(id);
  constexpr int kRun = 16;
  const int count = static_cast<int>(rows.size());
  parallel_for((count + kRun - 1) / kRun, [&](int run) {
    for (int r = run * kRun; r < std::min(count, (run + 1) * kRun); ++r) {
      real& age = s->age[rows[r]];
      if (age > 0) pay(p, rows[r], static_cast<int>(age));
      age = 0;
    }
  });
}

void OwedRows::settle_all(int id) {
  Slice* const s = find(id);
  if (!s) return;
  const Param& p = params_.param(id);
  constexpr int kRun = 16;
  parallel_for((p.rows + kRun - 1) / kRun, [&](int run) {
    for (int row = run * kRun; row < std::min(p.rows, (run + 1) * kRun); ++row) {
      if (s->age[row] > 0) pay(p, row, static_cast<int>(s->age[row]));
      s->age[row] = 0;
    }
  });
}

bool OwedRows::enter(int id, const LinearStep& step) {
  Slice* const s = find(id);
  if (!s) return false;
  const Param& p = params_.param(id);
  if (p.form == GradientForm::Full || (p.form == GradientForm::Block && p.block.all_rows)) {
    settle_all(id);
    return false;
  }
  params_.note_changes(id);  // every row owes a step from here on
  if (p.form == GradientForm::Block) {
    const GradientBlock& g = p.block;
    settle(id, g.rows);
    const auto unit = entered(step, velocity_ != nullptr);
    const auto of_w = static_cast<real>(unit[0]), of_v = static_cast<real>(unit[1]);
    const std::size_t width = g.width(p.cols);
    for (std::size_t r = 0; r < g.rows.size(); ++r) {
      const std::size_t begin = p.offset + static_cast<std::size_t>(g.rows[r]) * p.cols;
      real* w = weights_ + begin;
      const real* values = g.value.data() + r * width;
      for (std::size_t c = 0; c < width; ++c) {
        if (values[c] == 0) continue;
        const std::size_t at = g.all_cols ? c : static_cast<std::size_t>(g.cols[c]);
        w[at] += of_w * values[c];
        if (velocity_) velocity_[begin + at] += of_v * values[c];
      }
    }
  }
  for (real& age : s->age)
    age += 1;
  return true;
}

void OwedRows::end_step(const LinearStep& step) {
  if (slices_.empty()) return;
  // The last n steps are this one after the last n - 1 before it.
  for (int age = kOldest; age > 0; --age) {
    const Matrix m = times(step.matrix, product(age - 1));
    real* entry = products_.data() + static_cast<std::size_t>(age) * 8;
    for (std::size_t i = 0; i < 4; ++i) {
      entry[2 * i] = static_cast<real>(m[i]);
      entry[2 * i + 1] = static_cast<real>(m[i] - static_cast<double>(entry[2 * i]));
    }
  }
  for (Slice& s : slices_)
    for (std::int32_t row = 0; row < static_cast<std::int32_t>(s.age.size()); ++row)
      if (s.age[row] >= kOldest) settle(s.id, {&row, 1});
}

std::vector<std::span<real>> OwedRows::state() {
  if (slices_.empty()) return {};
  return {ages_, products_};
}

}  // namespace engram
