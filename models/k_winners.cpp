// k-winners-take-all with boosting by duty cycle (Ahmad & Scheinkman 2019, "How can we be so
// dense?"). Winners are ranked by x * exp(-boost * duty cycle); what is passed on is x itself, and
// errors pass through winners alone. A busy negative unit is ranked up by boosting, as in the
// reference: the factor pulls its score towards zero.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "models/layers.h"
#include "utils/error.h"
#include "utils/kernels.h"

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
    const Mat out = y.out.resize(x.rows(), x.cols());
    std::fill_n(out.data, out.size(), real{0});
    const int k = pass.training ? k_train_ : k_eval_;
    const auto n = static_cast<std::size_t>(group_);
    std::vector<real> boost(static_cast<std::size_t>(channels_), 1), scores(n);
    std::vector<std::int32_t> winners(static_cast<std::size_t>(std::max(k, 1)));
    const real strength = store_->state(strength_).data[0];
    const bool boosted = strength > 0;
    if (boosted)
      for (int c = 0; c < channels_; ++c)
        boost[c] = std::exp(-strength * store_->state(duty_).data[c]);

    y.out.active.begin();
    for (int b = 0; b < in.rows; ++b) {
      for (int begin = 0; begin < in.cols; begin += group_) {
        const real* from = in.row(b) + begin;
        std::span<const real> ranked{from, n};
        if (boosted) {
          for (std::size_t i = 0; i < n; i += boost.size())
            for (std::size_t c = 0; c < boost.size(); ++c)
              scores[i + c] = from[i + c] * boost[c];
          ranked = scores;
        }
        select(ranked, k, winners, [&](int i) {
          out.row(b)[begin + i] = from[i];
          y.out.active.push(begin + i);
        });
      }
      y.out.active.end_row();
    }
    return {};
  }

  Macs backward_input(const Signal&, const Record& y, const Signal& dy, Signal& dx, const Pass&,
                      CMat) const override {
    const CMat error = dy.value();
    const Mat out = dx.resize(dy.rows(), dy.cols());
    std::fill_n(out.data, out.size(), real{0});
    for (int b = 0; b < out.rows; ++b)
      for (const int unit : y.out.active.row(b))
        out.row(b)[unit] = error.row(b)[unit];
    dx.active = y.out.active;
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
    std::vector<real> count(static_cast<std::size_t>(channels_), 0);
    for (int b = 0; b < x.rows(); ++b)
      for (const int unit : y.out.active.row(b))
        if (y.out.value().row(b)[unit] > 0) count[unit % channels_] += 1;
    real* duty = store_->state(duty_).data;
    const real keep = static_cast<real>(period - batch), whole = static_cast<real>(period);
    for (int c = 0; c < channels_; ++c)
      duty[c] = (duty[c] * keep + count[c] / static_cast<real>(places_)) / whole;
  }

 private:
  /// Calls win(i) for the winners in ascending order.
  template <class Win>
  void select(std::span<const real> scores, int k, std::vector<std::int32_t>& winners,
              Win win) const {
    if (k == 0) return;
    kernels::top_k(scores, k, winners.data());
    if (o_.ties == Ties::Strict) {
      for (int w = 0; w < k; ++w)
        if (!o_.rectify || scores[winners[w]] > 0) win(winners[w]);
      return;
    }
    real bar = scores[winners[0]];
    for (int w = 1; w < k; ++w)
      bar = std::min(bar, scores[winners[w]]);
    if (o_.rectify) bar = std::max(bar, real{0});
    for (int i = 0; i < static_cast<int>(scores.size()); ++i)
      if (scores[i] >= bar) win(i);
  }

  KWinnersOptions o_;
  ParamStore* store_ = nullptr;
  int channels_ = 0, places_ = 1, group_ = 0, k_train_ = 0, k_eval_ = 0;
  int duty_ = -1, strength_ = -1, seen_ = -1;
};

}  // namespace

LayerPtr k_winners(const KWinnersOptions& options) {
  return std::make_unique<KWinners>(options);
}

}  // namespace engram
