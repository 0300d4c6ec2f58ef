#include "models/tape.h"

#include <algorithm>

#include "utils/error.h"
#include "utils/kernels.h"
#include "utils/parallel.h"

namespace engram {

Mat Signal::resize(int rows, int cols) {
  const std::size_t needed = static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols);
  if (memory_.size() < needed) memory_ = Buffer<real>(needed);
  rows_ = rows, cols_ = cols, sparse_ = false;
  active.forget();
  return value();
}

Mat Signal::resize_sparse(int rows, int cols) {
  constexpr double kFew = 0.06;  // above this share clearing all, in order, is no slower
  const bool kept = sparse_ && rows == rows_ && cols == cols_ && active_share() < kFew;
  if (!kept) {
    const Mat all = resize(rows, cols);
    kernels::fill(all.all(), 0);
  } else {
    for (int b = 0; b < rows; ++b) {
      real* const row = value().row(b);
      for (const std::int32_t i : active.row(b))
        row[i] = 0;
    }
    active.forget();
  }
  sparse_ = true;
  return value();
}

void copy_signal(const Signal& from, Signal& to) {
  const CMat value = from.value();
  std::copy_n(value.data, value.size(), to.resize(value.rows, value.cols).data);
  if (from.active.known()) to.active = from.active;
}

void join_rows(const Signal& above, const Signal& below, Signal& to) {
  ENGRAM_INVARIANT(above.cols() == below.cols());
  const Mat all = to.resize(above.rows() + below.rows(), above.cols());
  int at = 0;
  for (const Signal* part : {&above, &below}) {
    const CMat value = part->value();
    std::copy_n(value.data, value.size(), all.row(at));
    at += value.rows;
  }
  if (!above.active.known() || !below.active.known()) return;
  to.active.begin(all.rows, all.cols), at = 0;
  for (const Signal* part : {&above, &below})
    for (int b = 0; b < part->rows(); ++b, ++at) {
      const auto units = part->active.row(b);
      std::copy(units.begin(), units.end(), to.active.slots(at));
      to.active.set_count(at, static_cast<int>(units.size()));
    }
}

void add_signal(const Signal& from, Signal& to) {
  ENGRAM_INVARIANT(from.rows() == to.rows() && from.cols() == to.cols());
  to.densify();
  const Mat sum = to.value();
  const real* const term = from.value().data;
  constexpr std::size_t kRun = 1 << 15;
  parallel_for(static_cast<int>((sum.size() + kRun - 1) / kRun), [&](int run) {
    const std::size_t begin = static_cast<std::size_t>(run) * kRun;
    const std::size_t count = std::min(kRun, sum.size() - begin);
    kernels::axpy(1, {term + begin, count}, sum.data + begin);
  });
}

}  // namespace engram
