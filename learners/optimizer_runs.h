// Implementation of for_each_run (optimizer.h).
#pragma once

#include <algorithm>

#include "utils/parallel.h"

namespace engram {

/// The rows [first, last) of a slice whose gradient is a block.
template <class Step>
void for_each_run_of_block(const Param& p, int first, int last, Step& step) {
  const GradientBlock& block = p.block;
  const auto cols = static_cast<std::size_t>(p.cols);
  const std::size_t width = block.width(p.cols);
  thread_local std::vector<real> spread;  // one row of the gradient; zeros between uses
  if (!block.all_cols && spread.size() < cols) spread.resize(cols, 0);
  const auto idle = [&](int from, int to) {
    if (from < to)
      step(p.offset + from * cols, static_cast<std::size_t>(to - from) * cols,
           static_cast<const real*>(nullptr));
  };
  const auto touched = [&](int row, std::size_t place) {
    const real* values = block.value.data() + place * width;
    if (block.all_cols) return step(p.offset + row * cols, cols, values);
    for (std::size_t c = 0; c < width; ++c)
      spread[block.cols[c]] = values[c];
    step(p.offset + row * cols, cols, static_cast<const real*>(spread.data()));
    for (std::size_t c = 0; c < width; ++c)
      spread[block.cols[c]] = 0;
  };
  if (block.all_rows) {
    for (int row = first; row < last; ++row)
      touched(row, static_cast<std::size_t>(row));
    return;
  }
  auto next = std::lower_bound(block.rows.begin(), block.rows.end(), first);
  int row = first;
  for (; next != block.rows.end() && *next < last; ++next) {
    idle(row, *next);
    touched(*next, static_cast<std::size_t>(next - block.rows.begin()));
    row = *next + 1;
  }
  idle(row, last);
}

template <class Step>
void for_each_run(ParamStore& params, int id, Step step) {
  constexpr std::size_t kRun = 1 << 15;  // elements per task of the thread pool
  const Param& p = params.param(id);
  const auto cols = static_cast<std::size_t>(p.cols);
  if (p.form != GradientForm::Block) {
    const real* gradient = p.form == GradientForm::Full ? params.grad(id).data : nullptr;
    const std::size_t runs = (p.size() + kRun - 1) / kRun;
    parallel_for(static_cast<int>(runs), [&](int run) {
      const std::size_t begin = static_cast<std::size_t>(run) * kRun;
      step(p.offset + begin, std::min(kRun, p.size() - begin),
           gradient ? gradient + begin : nullptr);
    });
    return;
  }
  const int rows_per_run = static_cast<int>(std::max<std::size_t>(1, kRun / cols));
  parallel_for((p.rows + rows_per_run - 1) / rows_per_run, [&](int run) {
    const int first = run * rows_per_run;
    for_each_run_of_block(p, first, std::min(p.rows, first + rows_per_run), step);
  });
}

}  // namespace engram
