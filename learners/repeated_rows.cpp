#include "learners/repeated_rows.h"

#include <algorithm>
#include <utility>

#include "utils/error.h"
#include "utils/kernels.h"

namespace engram {
namespace {

/// to <- `count` rows: the b-th is row which(b) of `from`, with its active units.
template <class Which>
void take_rows(const Signal& from, int count, Which which, Signal& to) {
  const CMat value = from.value();
  const Mat rows = to.resize(count, value.cols);
  for (int b = 0; b < count; ++b)
    std::copy_n(value.row(which(b)), value.cols, rows.row(b));
  if (!from.active.known()) return;
  to.active.begin(count, value.cols);
  for (int b = 0; b < count; ++b) {
    const auto units = from.active.row(which(b));
    std::ranges::copy(units, to.active.slots(b));
    to.active.set_count(b, static_cast<int>(units.size()));
  }
}
/// The row of a batch that row b is, or repeats.
int row_of(const Batch::Repeats& repeats, int b) {
  return b < repeats.first ? b : repeats.of[static_cast<std::size_t>(b - repeats.first)];
}

}  // namespace

bool only_heads_read_tasks(const Network& net) {
  const int top = net.depth() - 1;
  if (net.gating() || top < 1 || !net.layer(top).reads_task()) return false;
  if (net.source(top) != top - 1 || net.second(top) >= 0) return false;
  for (int l = 0; l < top; ++l)
    if (net.layer(l).reads_task()) return false;
  return true;
}

void add_repeats(std::span<const int> of, std::span<const int> task, Signal& memory, Batch& batch) {
  ENGRAM_INVARIANT(of.size() == task.size());
  batch.repeats.first = batch.rows();
  batch.repeats.of.assign(of.begin(), of.end());
  const std::size_t rows = batch.target.size() + of.size();
  take_rows(
      batch.x, static_cast<int>(rows), [&](int b) { return row_of(batch.repeats, b); }, memory);
  std::swap(batch.x, memory);
  batch.target.resize(rows, -1);
  batch.task.insert(batch.task.end(), task.begin(), task.end());
  if (!batch.mask.empty()) batch.mask.resize(rows);
}

bool RepeatedRows::take(const Network& net, const Batch& batch) {
  const int distinct = batch.distinct_rows();
  if (distinct == batch.rows() || !only_heads_read_tasks(net)) return false;
  take_rows(
      batch.x, distinct, [](int b) { return b; }, x_);
  return true;
}

void RepeatedRows::repeat(const Batch& batch, const Signal& features) {
  take_rows(
      features, batch.rows(), [&](int b) { return row_of(batch.repeats, b); }, features_);
}

void RepeatedRows::sum(const Batch& batch, const Signal& error, Signal& to) const {
  const CMat from = error.value();
  const Mat sums = to.resize(batch.distinct_rows(), from.cols);
  std::copy_n(from.data, sums.size(), sums.data);
  for (int b = sums.rows; b < from.rows; ++b)
    kernels::axpy(1, {from.row(b), static_cast<std::size_t>(from.cols)},
                  sums.row(row_of(batch.repeats, b)));
}

}  // namespace engram
