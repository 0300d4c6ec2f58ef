// k-winners-take-all with boosting by duty cycle (Ahmad & Scheinkman 2019, "How can we be so
// dense?"). Winners are ranked by x * exp(-boost * duty cycle); what is passed on is x itself, and
// errors pass through winners alone. A busy negative unit is ranked up by boosting, as in the
// reference: the factor pulls its score towards zero.
#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "models/layers.h"
#include "utils/error.h"
#include "utils/parallel.h"
#include "utils/top_k.h"

namespace engram {
namespace {

/// Python's round() on doubles.
int round_half_even(double x) {
  return static_cast<int>(std::nearbyint(x));
}

class KWinners final : public Layer {
 public:
  explicit KWinners(const KWinnersOptions& options) : o_(options) {
    if (!(o_.percent_on > 0 && o_.percent_on <= 1))
      throw Error(Fault::Config, fmt::format("percent_on = {}: must be in (0, 1]", o_.percent_on));
    if (!(o_.percent_on * o_.k_inference_factor > 0 && o_.percent_on * o_.k_inference_factor <= 1))
      throw Error(Fault::Config,
                  fmt::format("percent_on * k_inference_factor = {}: must be in (0, 1]",
                              o_.percent_on * o_.k_inference_factor));
  }

  std::string kind() const override { return "k_winners"; }
  std::string describe() const override {
    return fmt::format("k-winners {} of {}{}{}{}", k_train_, group_,
                       k_eval_ != k_train_ ? fmt::format(" ({} in evaluation)", k_eval_) : "",
                       places_ == 1 ? "" : (o_.local ? " at each place" : " per image"),
                       o_.boost_strength > 0 ? fmt::format(", boost {}", o_.boost_strength) : "");
  }
  bool is_activation() const override { return true; }
  double active_share(double) const override { return static_cast<double>(k_train_) / group_; }

  ImageShape bind(ImageShape in, const Place& place, ParamStore& store) override {
    store_ = &store, channels_ = in.channels, places_ = in.height * in.width;
    const bool local = o_.local && places_ > 1;
    group_ = local ? channels_ : in.size();
    k_train_ = round_half_even(group_ * o_.percent_on);
    // The 1-d layer of the reference truncates the rounded k, the 2-d layer rounds afresh.
    k_eval_ = places_ == 1 ? static_cast<int>(k_train_ * o_.k_inference_factor)
                           : round_half_even(group_ * (o_.percent_on * o_.k_inference_factor));
    if ((k_train_ < 1 || k_eval_ < 1) && !o_.allow_dead)
      throw Error(Fault::Config,
                  fmt::format("{}: {} of {} units rounds to k = {} winners ({} in evaluation), "
                              "which silences the layer; raise percent_on above {:.4g}",
                              place.name, o_.percent_on, group_, k_train_, k_eval_, 0.5 / group_));
    k_train_ = std::min(k_train_, group_), k_eval_ = std::min(k_eval_, group_);
    duty_ = store.add_state(place.name + ".duty_cycle", 1, channels_);
    strength_ = store.add_state(place.name + ".boost_strength", 1, 1);
    seen_ = store.add_state(place.name + ".samples_seen", 1, 1);
    return in;
  }
  void init(Rng) override {
    store_->state(strength_).data[0] = static_cast<real>(o_.boost_strength);
  }
  void begin_epoch() override {
    store_->state(strength_).data[0] *= static_cast<real>(o_.boost_strength_factor);
  }

  Macs forward(const Signal& x, Record& y, const Pass& pass) const override {
    const CMat in = x.value();
    const int k = pass.training ? k_train_ : k_eval_, groups = in.cols / group_;
    const bool few = is_few(k, group_);
    const Mat out = few ? y.out.resize_sparse(in.rows, in.cols) : y.out.resize(in.rows, in.cols);
    ActiveSet& active = y.out.active;
    active.begin(in.rows, o_.ties == Ties::Threshold ? in.cols : k * groups);
    if (k == 0) {
      std::fill_n(out.data, out.size(), real{0});
      return {};
    }
    const kernels::Contest contest{group_, k, boost_factors()};
    for_row_tiles(in, [&](int b) {
      std::int32_t* const units = active.slots(b);
      const real* const from = in.row(b);
      real* const to = out.row(b);
      int count = k * groups;
      if (o_.ties == Ties::Threshold) {
        count = all_tied(from, in.cols, contest, units);
      } else {
        kernels::top_k({from, static_cast<std::size_t>(in.cols)}, contest, units,
                       few || o_.rectify ? nullptr : to);
        if (o_.rectify) count = keep_positive(from, contest, units, count);
      }
      active.set_count(b, count);
      const bool written = !few && !o_.rectify && o_.ties == Ties::Strict;
      if (!written) write_listed(active.row(b), from, few ? 0 : in.cols, to);
    });
    return {};
  }

  Macs backward_input(const Signal&, const Record& y, const Signal& dy, Signal& dx, const Pass&,
                      const Descent&) const override {
    const CMat error = dy.value();
    const ActiveSet& active = y.out.active;
    const bool few = is_few(static_cast<double>(active.total()), static_cast<double>(error.size()));
    const Mat out = few ? dx.resize_sparse(dy.rows(), dy.cols()) : dx.resize(dy.rows(), dy.cols());
    for_row_tiles(error, [&](int b) {
      write_listed(active.row(b), error.row(b), few ? 0 : out.cols, out.row(b));
    });
    dx.active = active;
    return {};
  }

  /// d <- (d (P - B) + c) / P with c the positive outputs per unit (per channel, divided by the
  /// number of places) and P = min(period, samples seen).
  void observe(const Signal& x, const Record& y) override {
    const double batch = x.rows();
    real& seen = store_->state(seen_).data[0];
    // Only min(period, seen) matters, so counting may stop there and stays exact in a float.
    seen = static_cast<real>(
        std::min<double>(static_cast<double>(seen) + batch, o_.duty_cycle_period));
    double period = static_cast<double>(seen);
    if (o_.overlong == OverlongBatch::Mean) period = std::max(period, batch);
    count_positive(y.out);
    const std::int32_t* const count = counts_.data();
    real* duty = store_->state(duty_).data;
    const real keep = static_cast<real>(period - batch), whole = static_cast<real>(period);
    const real places = static_cast<real>(places_);
    for (int c = 0; c < channels_; ++c)
      duty[c] = (duty[c] * keep + static_cast<real>(count[c]) / places) / whole;
  }

 private:
  /// Whether outputs are so few that they are written one by one into memory kept zero.
  static bool is_few(double active, double all) { return active < 0.06 * all; }

  /// Calls body(row) for all rows, in parallel.
  template <class Body>
  static void for_row_tiles(CMat m, const Body& body) {
    const int step = std::max(1, (1 << 15) / std::max(1, m.cols));
    parallel_for((m.rows + step - 1) / step, [&](int tile) {
      for (int b = tile * step; b < std::min(m.rows, (tile + 1) * step); ++b)
        body(b);
    });
  }

  /// to <- from at the units; the first `cols` values are cleared before.
  static void write_listed(std::span<const std::int32_t> units, const real* from, int cols,
                           real* to) {
    std::fill_n(to, cols, real{0});
    for (const std::int32_t unit : units)
      to[unit] = from[unit];
  }

  /// The boost factor of every unit of a group, or null when there is no boosting. Valid until the
  /// next call on this thread.
  const real* boost_factors() const {
    const real strength = store_->state(strength_).data[0];
    if (!(strength > 0)) return nullptr;
    thread_local std::vector<real> memory;
    memory.resize(static_cast<std::size_t>(group_));
    const real* const duty = store_->state(duty_).data;
    real* const boost = memory.data();
    constexpr int kTile = 512;
    parallel_for((channels_ + kTile - 1) / kTile, [&](int tile) {
      for (int c = tile * kTile; c < std::min(channels_, (tile + 1) * kTile); ++c)
        boost[c] = std::exp(-strength * duty[c]);
    });
    for (int i = channels_; i < group_; i += channels_)
      std::copy_n(boost, channels_, boost + i);
    return boost;
  }

  static real score(const real* group, const kernels::Contest& contest, int i) {
    return contest.boost != nullptr ? group[i] * contest.boost[i] : group[i];
  }

  /// Keeps the units with a positive score; returns how many.
  int keep_positive(const real* from, const kernels::Contest& contest, std::int32_t* units,
                    int count) const {
    int kept = 0;
    for (int w = 0; w < count; ++w) {
      const int i = units[w] % group_;
      if (score(from + (units[w] - i), contest, i) > 0) units[kept++] = units[w];
    }
    return kept;
  }

  /// Ties::Threshold: lists all units that are as good as the last winner of their group.
  int all_tied(const real* from, int cols, const kernels::Contest& contest,
               std::int32_t* units) const {
    thread_local std::vector<std::int32_t> winners;
    winners.resize(static_cast<std::size_t>(contest.k) + kernels::kWinnersSlack);
    int count = 0;
    for (int begin = 0; begin < cols; begin += group_) {
      const real* const group = from + begin;
      kernels::top_k({group, static_cast<std::size_t>(group_)}, contest, winners.data());
      real bar = score(group, contest, winners[0]);
      for (int w = 1; w < contest.k; ++w)
        bar = std::min(bar, score(group, contest, winners[static_cast<std::size_t>(w)]));
      if (o_.rectify) bar = std::max(bar, real{0});
      for (int i = 0; i < group_; ++i)
        if (score(group, contest, i) >= bar) units[count++] = begin + i;
    }
    return count;
  }

  /// counts_[c] <- positive outputs of channel c over the batch and all places.
  void count_positive(const Signal& y) {
    const int rows = y.rows(), step = y.active.total() < 8192 ? std::max(1, rows) : 16;
    const int tiles = std::max(1, (rows + step - 1) / step);
    const auto channels = static_cast<std::size_t>(channels_);
    counts_.assign(static_cast<std::size_t>(tiles) * channels, 0);
    parallel_for(tiles, [this, step, &y](int tile) {
      std::int32_t* const count = counts_.data() + tile * static_cast<std::ptrdiff_t>(channels_);
      for (int b = tile * step; b < std::min(y.rows(), (tile + 1) * step); ++b) {
        const real* const row = y.value().row(b);
        int place = 0;  // where the channels of the unit's place begin
        for (const std::int32_t unit : y.active.row(b)) {
          while (unit >= place + channels_)
            place += channels_;
          count[unit - place] += row[unit] > 0;
        }
      }
    });
    for (int tile = 1; tile < tiles; ++tile)
      for (std::size_t c = 0; c < channels; ++c)
        counts_[c] += counts_[static_cast<std::size_t>(tile) * channels + c];
  }

  KWinnersOptions o_;
  ParamStore* store_ = nullptr;
  int channels_ = 0, places_ = 1, group_ = 0, k_train_ = 0, k_eval_ = 0;
  int duty_ = -1, strength_ = -1, seen_ = -1;
  std::vector<std::int32_t> counts_;  ///< scratch of observe(): [tiles][channels]
};

}  // namespace

LayerPtr k_winners(const KWinnersOptions& options) {
  return std::make_unique<KWinners>(options);
}

}  // namespace engram
