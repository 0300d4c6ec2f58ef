// Adam (Kingma & Ba 2015) with the L2 penalty added to the gradient, as PyTorch's Adam:
//   m <- b1 m + (1 - b1) g;  v <- b2 v + (1 - b2) g^2;
//   w <- w - lr / (1 - b1^t) * m / (sqrt(v) / sqrt(1 - b2^t) + eps).
// Decoupled (AdamW, Loshchilov & Hutter 2019): g is the gradient alone, and w shrinks by
// 1 - lr decay before that step.
// Exact for untouched weights too: their moments decay and they still move. `lazy_adam` leaves
// them alone. But without decay a row whose first moments are all 0 stands still, to the last bit,
// and m does get there: 0.9^t is less than any number after some 800 steps. Such rows rest; the
// decay of v is made up for when a gradient wakes them. So dendrite segments cost nothing unless
// they were chosen of late.
#include "learners/optimizers/adam_moments.h"

namespace engram {
namespace {

class Adam final : public AdamMoments {
 public:
  using AdamMoments::AdamMoments;

  void move(double lr) override {
    if (!known_) find_rests();
    count_step();
    for (int id = 0; id < params_.count(); ++id) {
      const Param& p = params_.param(id);
      if (!p.trainable) continue;
      const AdamStep update = step_of(p, lr);
      Rests& rests = rests_[static_cast<std::size_t>(id)];
      wake(p, rests);
      ++rests.steps;
      if (rests.none) {
        params_.note_changes(id);
        for_each_run(params_, id, [&](std::size_t begin, std::size_t count, const real* g) {
          update(*this, begin, count, g);
        });
      } else {
        params_.note_changes(id, rests.awake);
        move_rows(p, update, rests);
      }
    }
  }
  void reset() override {
    AdamMoments::reset();
    lay_all_down();
    known_ = true;
  }
  void set_steps(std::int64_t steps) override {
    AdamMoments::set_steps(steps);
    known_ = false;  // the moments have been replaced
  }
  std::vector<std::span<real>> state() override {
    for (int id = 0; known_ && id < params_.count(); ++id)
      settle_all(params_.param(id), rests_[static_cast<std::size_t>(id)]);
    return AdamMoments::state();
  }

 private:
  static constexpr std::int64_t kAwake = -1;
  /// Which rows of a slice rest: their first moments are 0, and the decay of the second is owed.
  struct Rests {
    bool none = false;                ///< nor will any: weights decay, or all rows had a gradient
    std::int64_t steps = 0;           ///< of the slice: none while it is frozen
    std::vector<std::int64_t> since;  ///< [rows]: the last of them that v knows of, or kAwake
    std::vector<std::int32_t> awake;  ///< ascending
    void list_awake() {
      awake.clear();
      for (std::size_t row = 0; row < since.size(); ++row)
        if (since[row] == kAwake) awake.push_back(static_cast<std::int32_t>(row));
    }
  };

  /// Before a step: rows with a gradient rest no longer.
  void wake(const Param& p, Rests& rests) {
    if (rests.none || p.form == GradientForm::Zero) return;
    if (p.form == GradientForm::Full || p.block.all_rows) {
      settle_all(p, rests);
      rests.none = true;
      return;
    }
    bool woken = false;
    for (const std::int32_t row : p.block.rows) {
      std::int64_t& since = rests.since[static_cast<std::size_t>(row)];
      if (since == kAwake) continue;
      settle(p, row, rests);
      since = kAwake, woken = true;
    }
    if (woken) rests.list_awake();
  }

  void move_rows(const Param& p, const AdamStep& update, Rests& rests) {
    const auto cols = static_cast<std::size_t>(p.cols);
    const auto is_zero = [](real m) { return m == 0; };
    const auto step = [&](std::size_t begin, std::size_t count, const real* g) {
      if (g) return update(*this, begin, count, g);
      for (std::size_t at = begin; at < begin + count; at += cols) {
        std::int64_t& since = rests.since[(at - p.offset) / cols];
        if (since != kAwake) continue;
        update(*this, at, cols, nullptr);
        if (std::all_of(&first_[at], &first_[at] + cols, is_zero)) since = rests.steps;
      }
    };
    constexpr int kRows = 16;
    const int rows = static_cast<int>(rests.awake.size());
    parallel_for((rows + kRows - 1) / kRows, [&](int run) {
      const std::int32_t* const of_run = rests.awake.data() + run * kRows;
      const int first = of_run[0], last = of_run[std::min(kRows, rows - run * kRows) - 1] + 1;
      if (p.form == GradientForm::Block)
        for_each_run_of_block(p, first, last, step);
      else
        step(p.offset + first * cols, static_cast<std::size_t>(last - first) * cols, nullptr);
    });
    std::erase_if(rests.awake, [&](std::int32_t row) {
      return rests.since[static_cast<std::size_t>(row)] != kAwake;
    });
  }

  /// Decays the second moments of a row that rests as often as they would have been, for the same
  /// bits.
  void settle(const Param& p, int row, Rests& rests) {
    std::int64_t& since = rests.since[static_cast<std::size_t>(row)];
    if (since == kAwake) return;
    const auto b2 = static_cast<real>(o_.beta2);
    real* const v = second_.data() + p.offset + static_cast<std::size_t>(row) * p.cols;
    constexpr int kPart = 64;
    for (int from = 0; from < p.cols; from += kPart) {
      real part[kPart] = {};
      const int size = std::min(kPart, p.cols - from);
      std::copy_n(v + from, size, part);
      if (std::all_of(part, part + size, [](real v_i) { return v_i == 0; })) continue;
      for (std::int64_t step = since; step < rests.steps; ++step)
#pragma omp simd
        for (int i = 0; i < kPart; ++i)
          part[i] *= b2;
      std::copy_n(part, size, v + from);
    }
    since = rests.steps;
  }
  void settle_all(const Param& p, Rests& rests) {
    if (rests.none) return;
    for_rows(p.rows, [&](int row) { settle(p, row, rests); });
  }

  /// All rows rest, but in slices whose weights decay.
  void lay_all_down() {
    rests_.assign(static_cast<std::size_t>(params_.count()), {});
    for (int id = 0; id < params_.count(); ++id) {
      const Param& p = params_.param(id);
      Rests& rests = rests_[static_cast<std::size_t>(id)];
      rests.none = o_.weight_decay * p.decay != 0;
      if (!rests.none) rests.since.assign(static_cast<std::size_t>(p.rows), 0);
    }
  }
  void find_rests() {
    lay_all_down();
    for (int id = 0; id < params_.count(); ++id) {
      const Param& p = params_.param(id);
      Rests& rests = rests_[static_cast<std::size_t>(id)];
      if (rests.none) continue;
      for_rows(p.rows, [&](int row) {
        const real* const m = first_.data() + p.offset + static_cast<std::size_t>(row) * p.cols;
        if (!std::all_of(m, m + p.cols, [](real m_i) { return m_i == 0; }))
          rests.since[static_cast<std::size_t>(row)] = kAwake;
      });
      rests.list_awake();
    }
    known_ = true;
  }

  std::vector<Rests> rests_;
  bool known_ = false;  ///< whether rests_ says what the moments say
};

}  // namespace

std::unique_ptr<Optimizer> make_adam(const OptimizerOptions& options, ParamStore& params) {
  return std::make_unique<Adam>(options, params);
}

}  // namespace engram
