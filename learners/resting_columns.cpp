#include "learners/resting_columns.h"

#include <algorithm>
#include <cmath>

#include "utils/error.h"
#include "utils/parallel.h"

namespace engram {
namespace {

constexpr int kRows = 16;  // of a tile
constexpr std::int32_t kNone = -1;
constexpr int kNever = 1 << 20;  // steps; ages stop there, so that a float counts them exactly
/// What is left, when a column rests, of what its velocity deviated from the common ratio. A step
/// moves a weight by a few per cent of its size at most, so this is below a weight's rounding.
constexpr double kForgotten = sizeof(real) == 4 ? 1e-6 : 1e-14;

}  // namespace

RestingColumns::RestingColumns(ParamStore& params, int id, real* velocity)
    : params_(params),
      id_(id),
      rows_(static_cast<std::size_t>(params.param(id).rows)),
      cols_(static_cast<std::size_t>(params.param(id).cols)),
      capacity_(cols_ / 4),
      velocity_(velocity),
      columns_(3 * cols_, 0),
      header_(kHeader, 0) {
  std::fill_n(factor(), cols_, real{1});
  std::fill_n(slot(), cols_, real{kNone});
  params.param(id).creditor = this;
}

RestingColumns::~RestingColumns() {
  settle_all(id_);
  params_.param(id_).creditor = nullptr;
}

void RestingColumns::settle(int id, std::span<const std::int32_t>) {
  settle_all(id);
}

void RestingColumns::settle_all(int) {
  if (header_[kFactors] == 0) return;
  const Mat w = params_.raw_value(id_);
  const real* c = factor();
  parallel_for((w.rows + kRows - 1) / kRows, [&](int tile) {
    for (int i = tile * kRows; i < std::min(w.rows, (tile + 1) * kRows); ++i) {
      real* row = w.row(i);
#pragma omp simd
      for (std::size_t o = 0; o < cols_; ++o)
        row[o] *= c[o];
    }
  });
  std::fill_n(factor(), cols_, real{1});
  header_[kFactors] = 0;
}

const real* RestingColumns::column_scale(int) {
  return header_[kFactors] == 0 ? nullptr : factor();
}

/// The ages of the columns, as this step's gradient leaves them.
void RestingColumns::count(const Param& p) {
  for (std::size_t o = 0; o < cols_; ++o)
    idle()[o] = std::min<real>(idle()[o] + 1, kNever);
  if (p.form == GradientForm::Zero) return;
  for (const std::int32_t o : p.block.cols)
    idle()[o] = 0;
}

bool RestingColumns::step(const LinearStep& step) {
  const Param& p = params_.param(id_);
  const auto& [a, b, c, d] = step.matrix;
  // The eigenvalues of M: the slow one carries the weights, the fast one what is being forgotten.
  const double mean = (a + d) / 2, root = std::sqrt(std::max(0.0, mean * mean - (a * d - b * c)));
  const double fade = std::abs((mean - root) / (mean + root));
  patience_ = fade > 0 && fade < 1
                  ? static_cast<int>(std::ceil(std::log(kForgotten) / std::log(fade))) + 1
                  : kNever;
  if (p.form == GradientForm::Full || (p.form == GradientForm::Block && p.block.all_cols)) {
    if (header_[kSplit] != 0) join();
    std::fill_n(idle(), cols_, real{0});
  } else {
    count(p);
    const auto awake = static_cast<std::size_t>(
        std::count_if(idle(), idle() + cols_, [this](real age) { return age <= patience(); }));
    if (header_[kSplit] != 0 && awake > capacity_)
      join();
    else if (header_[kSplit] == 0 && 2 * awake <= capacity_)
      split();
  }
  const bool split_now = header_[kSplit] != 0;
  if (split_now) {
    // All who go to rest before anybody wakes, who may need one of their slots.
    for (std::size_t o = 0; o < cols_; ++o)
      if (idle()[o] > patience()) slot()[o] = kNone;
    for (std::size_t o = 0; o < cols_; ++o)
      if (slot()[o] < 0 && idle()[o] == 0) wake(static_cast<int>(o));
    sweep(step);
    const auto shrink = static_cast<real>(a + b * ratio());
    for (std::size_t o = 0; o < cols_; ++o)
      if (slot()[o] < 0) factor()[o] *= shrink;
    header_[kFactors] = 1;
  }
  const double next = (c + d * ratio()) / (a + b * ratio());
  header_[kRatioHigh] = static_cast<real>(next);
  header_[kRatioLow] = static_cast<real>(next - static_cast<double>(header_[kRatioHigh]));
  return split_now;
}

void RestingColumns::list_awake() {
  awake_.assign(capacity_, kNone);
  std::size_t used = 0;
  for (std::size_t o = 0; o < cols_; ++o)
    if (slot()[o] >= 0) {
      const auto s = static_cast<std::size_t>(slot()[o]);
      awake_[s] = static_cast<std::int32_t>(o);
      used = std::max(used, s + 1);
    }
  awake_.resize(used);
}

void RestingColumns::split() {
  std::size_t used = 0;
  for (std::size_t o = 0; o < cols_; ++o)
    slot()[o] = idle()[o] <= patience() ? static_cast<real>(used++) : real{kNone};
  list_awake();
  for (std::size_t i = 0; i < rows_; ++i)  // upwards: a row's new place is never after its old one
    for (std::size_t s = 0; s < awake_.size(); ++s)
      velocity_[i * capacity_ + s] = velocity_[i * cols_ + awake_[s]];
  header_[kSplit] = 1;
}

void RestingColumns::join() {
  settle_all(id_);
  list_awake();
  const auto r = static_cast<real>(ratio());
  std::vector<real> row(awake_.size());
  const Mat w = params_.raw_value(id_);
  for (std::size_t i = rows_; i-- > 0;) {  // downwards, for the same reason
    std::copy_n(velocity_ + i * capacity_, awake_.size(), row.data());
    real* to = velocity_ + i * cols_;
    for (std::size_t o = 0; o < cols_; ++o)
      to[o] = slot()[o] < 0 ? r * w.row(static_cast<int>(i))[o]
                            : row[static_cast<std::size_t>(slot()[o])];
  }
  std::fill_n(slot(), cols_, real{kNone});
  header_[kSplit] = 0;
}

void RestingColumns::forget() {
  settle_all(id_);
  std::fill_n(idle(), cols_, real{0});
  std::fill_n(slot(), cols_, real{kNone});
  std::fill(header_.begin(), header_.end(), real{0});
}

/// Gives a column a slot, its factor to its weights, and the velocity that all idle weights have.
void RestingColumns::wake(int column) {
  list_awake();
  std::size_t s = 0;
  while (s < awake_.size() && awake_[s] != kNone)
    ++s;
  ENGRAM_INVARIANT(s < capacity_);
  slot()[column] = static_cast<real>(s);
  const real c = factor()[column], r = static_cast<real>(ratio());
  const Mat w = params_.raw_value(id_);
  for (std::size_t i = 0; i < rows_; ++i) {
    real& weight = w.row(static_cast<int>(i))[column];
    weight *= c;
    velocity_[i * capacity_ + s] = r * weight;
  }
  factor()[column] = 1;
}

/// The ordinary step for the columns awake.
void RestingColumns::sweep(const LinearStep& step) {
  const Param& p = params_.param(id_);
  const GradientBlock& block = p.block;
  const bool any = p.form == GradientForm::Block;
  order_.clear();  // by column, so that memory is walked in one direction
  std::size_t next_touched = 0;
  for (std::int32_t o = 0; o < static_cast<std::int32_t>(cols_); ++o) {
    if (slot()[o] < 0) continue;
    std::int32_t t = kNone;
    if (any && next_touched < block.cols.size() && block.cols[next_touched] == o)
      t = static_cast<std::int32_t>(next_touched++);
    order_.push_back({o, static_cast<std::int32_t>(slot()[o]), t});
  }
  const auto a = static_cast<real>(step.matrix[0]), b = static_cast<real>(step.matrix[1]);
  const auto c = static_cast<real>(step.matrix[2]), d = static_cast<real>(step.matrix[3]);
  const auto of_w = static_cast<real>(step.gain[0]), of_v = static_cast<real>(step.gain[1]);
  const Mat w = params_.raw_value(id_);
  parallel_for((w.rows + kRows - 1) / kRows, [&](int tile) {
    const int first = tile * kRows, last = std::min(w.rows, first + kRows);
    auto next = block.all_rows ? block.rows.begin()
                               : std::lower_bound(block.rows.begin(), block.rows.end(), first);
    for (int i = first; i < last; ++i) {
      const real* gradient = nullptr;
      if (any && block.all_rows)
        gradient = block.value.data() + static_cast<std::size_t>(i) * block.cols.size();
      else if (any && next != block.rows.end() && *next == i)
        gradient = block.value.data() +
                   static_cast<std::size_t>(next++ - block.rows.begin()) * block.cols.size();
      real* weights = w.row(i);
      real* v = velocity_ + static_cast<std::size_t>(i) * capacity_;
      for (const auto& [column, s, t] : order_) {
        real& w_i = weights[column];
        real& v_i = v[s];
        const real g = gradient && t != kNone ? gradient[t] : real{0};
        const real before = w_i;
        w_i = a * before + b * v_i + of_w * g;
        v_i = c * before + d * v_i + of_v * g;
      }
    }
  });
}

}  // namespace engram
