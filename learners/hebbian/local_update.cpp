#include "learners/hebbian/local_update.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "utils/kernels.h"
#include "utils/parallel.h"
#include "utils/scratch.h"

namespace engram {
namespace {

constexpr int kRows = 32, kColumns = 64;
/// What stands for the largest change when nothing changes, so that nothing is divided by 0.
constexpr real kSmallest = real{1e-30F};

/// Calls body(begin, end) for tiles of [0, count), in parallel.
template <class Body>
void for_tiles(int count, int size, const Body& body) {
  parallel_for((count + size - 1) / size,
               [&](int tile) { body(tile * size, std::min(count, (tile + 1) * size)); });
}

/// The largest of what body(begin, end) returns over tiles, which may be none.
template <class Body>
real largest_of_tiles(int count, int size, const Body& body) {
  thread_local std::vector<real> memory;
  memory.assign(static_cast<std::size_t>((count + size - 1) / size), 0);
  for_tiles(count, size, [&, largest = memory.data()](int begin, int end) {
    largest[begin / size] = body(begin, end);
  });
  return memory.empty() ? real{0} : *std::max_element(memory.begin(), memory.end());
}

/// Changes D = G - W M entry by entry, and W by them. Units are those that the batch touched.
class Entries {
 public:
  virtual ~Entries() = default;
  virtual real largest() const = 0;
  /// W += factor[unit] D.
  virtual void add(const real* factor) = 0;
};

/// What D consists of besides G.
struct Decayed {
  const real* unit = nullptr;  ///< [units]: the diagonal of M
  CMat pairs{};                ///< W M, [fan_in, touched units]
};

/// All weights [fan_in, units], of which some may be masked. The gradient may be a block.
class AllEntries final : public Entries {
 public:
  AllEntries(ParamStore& params, int id, const Decayed& decayed,
             const std::vector<std::int32_t>& touched, std::vector<std::int32_t>& row_of)
      : p_(params.param(id)),
        w_(params.value(id)),
        decayed_(decayed),
        touched_(touched),
        row_of_(row_of) {
    row_of_.assign(static_cast<std::size_t>(w_.rows), -1);
    const GradientBlock& b = p_.block;
    if (p_.form == GradientForm::Full) {
      gradient_ = params.grad(id).data, width_ = static_cast<std::size_t>(w_.cols);
      std::iota(row_of_.begin(), row_of_.end(), 0);
    } else if (p_.form == GradientForm::Block) {
      gradient_ = b.value.data(), width_ = b.width(w_.cols), narrow_ = !b.all_cols;
      if (b.all_rows)
        std::iota(row_of_.begin(), row_of_.end(), 0);
      else
        for (std::size_t r = 0; r < b.rows.size(); ++r)
          row_of_[static_cast<std::size_t>(b.rows[r])] = static_cast<std::int32_t>(r);
    }
  }

  real largest() const override {
    return largest_of_tiles(w_.rows, kRows, [&](int begin, int end) {
      real most = 0;
      for (int i = begin; i < end; ++i)
        if (whole()) {
          const real* const change = changes(i);
#pragma omp simd reduction(max : most)
          for (int o = 0; o < w_.cols; ++o)
            most = std::max(most, std::abs(change[o]));
        } else {
          with_changes(i, [&](std::int32_t, real d) { most = std::max(most, std::abs(d)); });
        }
      return most;
    });
  }
  void add(const real* factor) override {
    for_tiles(w_.rows, kRows, [&](int begin, int end) {
      for (int i = begin; i < end; ++i) {
        real* const row = w_.row(i);
        if (whole()) {
          const real* const change = changes(i);
#pragma omp simd
          for (int o = 0; o < w_.cols; ++o)
            row[o] += factor[o] * change[o];
        } else {
          with_changes(i, [&](std::int32_t unit, real d) { row[unit] += factor[unit] * d; });
        }
      }
    });
  }

 private:
  /// Every unit changes, and none of its weights is missing: rows are taken as vectors.
  bool whole() const {
    return static_cast<int>(touched_.size()) == w_.cols && !narrow_ && p_.mask.empty();
  }
  const real* gradient_row(int i) const {
    const std::int32_t row = row_of_[static_cast<std::size_t>(i)];
    return row < 0 ? nullptr : gradient_ + static_cast<std::size_t>(row) * width_;
  }
  /// D along row i, for all units; lives until the thread's next call.
  const real* changes(int i) const {
    thread_local Scratch memory;
    real* const to = memory.get(static_cast<std::size_t>(w_.cols));
    const real* const g = gradient_row(i);
    if (g)
      std::copy_n(g, w_.cols, to);
    else
      std::fill_n(to, w_.cols, real{0});
    if (decayed_.unit) {
      const real* const w = w_.row(i);
#pragma omp simd
      for (int o = 0; o < w_.cols; ++o)
        to[o] -= decayed_.unit[o] * w[o];
    }
    if (decayed_.pairs) {
      const real* const pairs = decayed_.pairs.row(i);
#pragma omp simd
      for (int o = 0; o < w_.cols; ++o)
        to[o] -= pairs[o];
    }
    return to;
  }
  /// Calls body(unit, D) along row i, for the touched units that have the weight.
  template <class Body>
  void with_changes(int i, const Body& body) const {
    const real* const g = gradient_row(i);
    const real* const w = w_.row(i);
    const real* const pairs = decayed_.pairs ? decayed_.pairs.row(i) : nullptr;
    const std::uint8_t* const mask =
        p_.mask.empty() ? nullptr : p_.mask.data() + static_cast<std::size_t>(i) * w_.cols;
    for (std::size_t t = 0; t < touched_.size(); ++t) {
      const std::int32_t o = touched_[t];
      if (mask && mask[o] == 0) continue;
      real change = g ? g[narrow_ ? t : static_cast<std::size_t>(o)] : real{0};
      if (decayed_.unit) change -= decayed_.unit[o] * w[o];
      if (pairs) change -= pairs[t];
      body(o, change);
    }
  }

  const Param& p_;
  Mat w_;
  Decayed decayed_;
  const std::vector<std::int32_t>& touched_;
  const real* gradient_ = nullptr;
  std::size_t width_ = 0;
  bool narrow_ = false;                ///< gradient columns are the touched units alone
  std::vector<std::int32_t>& row_of_;  ///< of the gradient, for each input; -1: all zero
};

/// Weights of which only those that exist are stored, with a gradient stored alike.
class ExistingEntries final : public Entries {
 public:
  ExistingEntries(ParamStore& params, const SparseSynapses& s, int id, const Decayed& decayed,
                  const std::vector<std::int32_t>& touched)
      : view_(s.by_output()),
        w_(params.value(id).data),
        gradient_(params.grad(id).data),
        decayed_(decayed),
        touched_(touched) {}

  real largest() const override {
    return largest_of_tiles(count(), kColumns, [&](int begin, int end) {
      real most = 0;
      for (int t = begin; t < end; ++t)
        with_changes(t,
                     [&](std::int32_t, real change) { most = std::max(most, std::abs(change)); });
      return most;
    });
  }
  void add(const real* factor) override {
    for_tiles(count(), kColumns, [&](int begin, int end) {
      for (int t = begin; t < end; ++t) {
        const real by = factor[touched_[static_cast<std::size_t>(t)]];
        with_changes(t, [&](std::int32_t place, real change) { w_[place] += by * change; });
      }
    });
  }

 private:
  int count() const { return static_cast<int>(touched_.size()); }
  /// Calls body(place among the values, D) for the weights of the t-th touched unit.
  template <class Body>
  void with_changes(int t, const Body& body) const {
    const std::int32_t o = touched_[static_cast<std::size_t>(t)];
    for (std::int32_t j = view_.begin[o]; j < view_.begin[o + 1]; ++j) {
      const std::int32_t place = view_.place.empty() ? j : view_.place[j];
      real change = gradient_[place];
      if (decayed_.unit) change -= decayed_.unit[o] * w_[place];
      if (decayed_.pairs) change -= decayed_.pairs.row(view_.index[j])[t];
      body(place, change);
    }
  }

  const SparseSynapses::View& view_;
  real* w_;
  const real* gradient_;
  Decayed decayed_;
  const std::vector<std::int32_t>& touched_;
};

/// The units that a signal [rows, places * units] is active in, ascending; all that may learn if
/// that is not known.
void touched_units(const Signal& post, int units, UnitRange learning,
                   std::vector<std::int32_t>& touched) {
  touched.clear();
  if (!post.active.known()) {
    touched.resize(static_cast<std::size_t>(learning.last - learning.first));
    std::iota(touched.begin(), touched.end(), learning.first);
    return;
  }
  thread_local std::vector<std::uint8_t> met;
  met.assign(static_cast<std::size_t>(units), 0);
  for (int b = 0; b < post.active.rows(); ++b)
    for (const std::int32_t u : post.active.row(b))
      met[static_cast<std::size_t>(u % units)] = 1;
  for (int u = 0; u < units; ++u)
    if (met[static_cast<std::size_t>(u)] != 0) touched.push_back(u);
}

/// squares[t] <- sum of the squares of the weights of the t-th of these units.
void squared_norms(ParamStore& params, const LayerWeights& w,
                   const std::vector<std::int32_t>& units, std::vector<real>& squares) {
  squares.assign(units.size(), 0);
  const int count = static_cast<int>(units.size());
  if (w.existing) {
    const auto& view = w.existing->by_output();
    const real* const value = params.value(w.id()).data;
    for_tiles(count, kColumns, [&](int begin, int end) {
      for (int t = begin; t < end; ++t)
        for (std::int32_t j = view.begin[units[t]]; j < view.begin[units[t] + 1]; ++j) {
          const real x = value[view.place.empty() ? j : view.place[j]];
          squares[t] += x * x;
        }
    });
    return;
  }
  const CMat value = params.value(w.id());
  const bool all = count == value.cols;
  for_tiles(count, kColumns, [&](int begin, int end) {
    for (int i = 0; i < value.rows; ++i) {
      const real* const row = value.row(i);
      for (int t = begin; t < end; ++t) {
        const real x = row[all ? t : units[t]];
        squares[t] += x * x;
      }
    }
  });
}

}  // namespace

void LocalUpdate::norms(ParamStore& params, const LayerWeights& w, std::vector<real>& norms) {
  thread_local std::vector<std::int32_t> units;
  units.resize(static_cast<std::size_t>(w.units()));
  std::iota(units.begin(), units.end(), 0);
  squared_norms(params, w, units, norms);
  for (real& n : norms)
    n = std::sqrt(n);
}

void LocalUpdate::scale(ParamStore& params, const LayerWeights& w,
                        const std::vector<real>& factor) {
  const Mat value = params.value(w.id());
  if (w.existing) {
    const auto& view = w.existing->by_output();
    for_tiles(w.units(), kColumns, [&](int begin, int end) {
      for (int o = begin; o < end; ++o)
        for (std::int32_t j = view.begin[o]; j < view.begin[o + 1]; ++j)
          value.data[view.place.empty() ? j : view.place[j]] *= factor[o];
    });
    return;
  }
  for_tiles(value.rows, kRows, [&](int begin, int end) {
    for (int i = begin; i < end; ++i)
      for (int o = 0; o < value.cols; ++o)
        value.row(i)[o] *= factor[o];
  });
}

CMat LocalUpdate::pairs_decayed(ParamStore& params, const LayerWeights& w, const Signal& post,
                                bool lower) {
  const int units = w.units(), count = static_cast<int>(touched_.size()), fan_in = w.fan_in();
  const int samples = static_cast<int>(post.value().size() / static_cast<std::size_t>(units));
  const auto room = [](std::vector<real>& memory, int rows, int cols) {
    memory.resize(static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols));
    return Mat{memory.data(), rows, cols};
  };
  const auto gather = [&](CMat from, Mat to) {
    for_rows(from.rows, [&](int r) {
      for (int t = 0; t < count; ++t)
        to.row(r)[t] = from.row(r)[touched_[static_cast<std::size_t>(t)]];
    });
  };
  const Mat y = room(post_, samples, count), weights = room(weights_, fan_in, count);
  gather({post.value().data, samples, units}, y);
  if (w.existing) {
    std::ranges::fill(weights.all(), real{0});
    const auto& view = w.existing->by_output();
    const real* const value = params.value(w.id()).data;
    for (int t = 0; t < count; ++t) {
      const std::int32_t o = touched_[static_cast<std::size_t>(t)];
      for (std::int32_t j = view.begin[o]; j < view.begin[o + 1]; ++j)
        weights.row(view.index[j])[t] = value[view.place.empty() ? j : view.place[j]];
    }
  } else {
    gather(params.value(w.id()), weights);
  }
  const Mat pairs = room(pairs_, count, count), decayed = room(decayed_, fan_in, count);
  kernels::gemm(true, false, 1, y, y, 0, pairs);
  for (int j = 0; lower && j < count; ++j)
    std::fill_n(pairs.row(j), j, real{0});
  kernels::gemm(false, false, 1, weights, pairs, 0, decayed);
  return decayed;
}

StepSize LocalUpdate::apply(ParamStore& params, const LayerWeights& w, LocalRule& rule,
                            Divide divide, const LocalChange& change, UnitRange learning,
                            int samples, double rate, double norm, Mat memory, real& count) {
  const int id = w.id(), units = w.units();
  touched_.reserve(static_cast<std::size_t>(units));
  squares_.reserve(static_cast<std::size_t>(units));
  touched_units(change.post, units, learning, touched_);
  double size = divide == Divide::Samples ? samples : 1;
  if (rule.remembers()) {
    const Mat all = params.grad(id);
    for (real& g : all.all())
      g /= static_cast<real>(size);
    const LearningSynapses synapses{learning, all.rows, all.cols, params.param(id).mask,
                                    w.existing ? &w.existing->by_output() : nullptr};
    rule.edit(all, synapses, memory, count, rate);
    size = 1;
  }
  Decayed decayed;
  if (rule.decay() == Decay::Units) decayed.unit = change.unit_decay.data();
  if (rule.decay() == Decay::Pairs || rule.decay() == Decay::Lower)
    decayed.pairs = pairs_decayed(params, w, change.post, rule.decay() == Decay::Lower);

  const auto go = [&](Entries&& entries) {
    if (divide == Divide::LargestChange)
      size = static_cast<double>(std::max(kSmallest, entries.largest()));
    factor_.assign(static_cast<std::size_t>(units), static_cast<real>(rate / size));
    for (std::size_t u = 0; u < change.unit_rate.size(); ++u)
      factor_[u] *= change.unit_rate[u];
    entries.add(factor_.data());
  };
  if (w.existing)
    go(ExistingEntries(params, *w.existing, id, decayed, touched_));
  else
    go(AllEntries(params, id, decayed, touched_, row_of_));

  squared_norms(params, w, touched_, squares_);
  if (norm > 0) {
    factor_.assign(static_cast<std::size_t>(units), 1);
    for (std::size_t t = 0; t < touched_.size(); ++t) {
      real& squares = squares_[t];
      if (!(squares > 0)) continue;
      factor_[touched_[t]] = static_cast<real>(norm) / std::sqrt(squares);
      squares = static_cast<real>(norm * norm);
    }
    scale(params, w, factor_);
  }
  double sum = 0;
  for (const real s : squares_)
    sum += std::sqrt(static_cast<double>(s));
  const auto moved = static_cast<double>(touched_.size());
  return {static_cast<int>(touched_.size()), moved > 0 ? sum / moved : std::nan("")};
}

}  // namespace engram
