// Dynamic sparse synapses, our own: a constant budget of synapses that follows the stream. New ones
// begin between units that are active together on the task at hand (Hebb's condition), those go
// whose loss would cost least, and old ones may be slowed or kept:
//  - where: an example of the batch, one of its active inputs and one of its active outputs are
//    drawn; of several such candidates that with the largest gradient on the batch may be chosen,
//    so looking costs candidates x batch and never the size of the layer;
//  - what goes: with an importance Omega from another strategy (si, ewc, mas) the cost of losing a
//    weight is Omega w^2, what that strategy's penalty would charge for it; weights of this task
//    are ranked by |w| among those that matter least to the past;
//  - how many: were every task to move as many, the last ones would live on the synapses of all
//    others once none is spare, so the n-th moves an n-th of what the first did;
//  - what is old: a synapse that has lived through n tasks takes steps times slow^n;
//  - what the past says of new ones: it was learnt without them, so it would have them stay at 0.
//    How much it minds is known for every pair of units (learners/past_claims.h: F), in units of
//    Omega when scaled such that both have the same sum over the layer's old synapses. Strategies
//    that hold weights hold the new ones by that.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "learners/layer_errors.h"
#include "learners/past_claims.h"
#include "learners/rewiring.h"
#include "learners/strategies/rewiring_strategies.h"

namespace engram {
namespace {

class DynamicSynapses final : public Rewiring {
 public:
  DynamicSynapses(const DynamicSynapsesOptions& o, const StrategyContext& context)
      : Rewiring(context),
        o_(o),
        loss_(context.loss),
        born_in_(context.net.params().values().size(), 0),
        born_at_(born_in_.size(), -std::numeric_limits<real>::max()) {
    if (!o_.claims) return;
    if (!context.stream)
      throw Error(Fault::Config,
                  "dynamic_synapses.claims: there is no stream of tasks to ask; write "
                  "dynamic_synapses.claims = no");
    for (int l = context.lowest_stepped(); l < context.net.depth(); ++l)
      if (const SparseSynapses* s = context.net.layer(l).existing_synapses(); s && s->rewirable())
        claims_.emplace(l,
                        PastClaims(s->fans().in, s->fans().outputs, context.stream->experiences()));
  }

  Provides needs() const override { return Provides::Gradient; }

  void shape_gradient(Training& t) override {
    if (o_.slow >= 1) return;
    const auto values = t.net.params().values();
    before_.assign(values.begin(), values.end());
  }
  void after_step(Training& t, const Batch& batch) override {
    if (!t.stepped) return;
    if (o_.slow < 1) slow_down(t);
    Rewiring::after_step(t, batch);
    if (o_.claims && is_a_sample(t) && is_anything_held(t)) {
      look(t, batch);
      for (auto& [l, claims] : claims_)
        if (l >= t.still) claims.see(seen_[l].in, seen_[l].error);
    }
  }
  void end_experience(Training&) override {
    for (auto& [l, claims] : claims_)
      claims.end_task();
  }
  std::vector<std::span<real>> state() override {
    std::vector<std::span<real>> all{born_in_, born_at_};
    for (auto& [l, claims] : claims_)
      all.push_back(claims.state());
    return all;
  }

 private:
  double share(const Training& t) const override {
    if (o_.tasks > 0 && t.phase >= o_.tasks) return 0;
    return cosine_share(t, o_.every, o_.fair ? o_.share / (t.phase + 1) : o_.share, o_.until);
  }

  /// Batches that say what a task will claim: some of its second half, when it is learnt.
  static bool is_a_sample(const Training& t) {
    constexpr std::int64_t kEvery = 20;
    const std::int64_t left = t.task_steps() - t.task_step() - 1;
    return left % kEvery == 0 && 2 * left < t.task_steps();
  }
  /// Claims are of use to strategies that hold weights.
  static bool is_anything_held(Training& t) {
    return std::ranges::any_of(*t.strategies, [&](auto& s) { return !s->importance(t).empty(); });
  }
  int age(const Training& t, std::size_t place) const {
    return t.phase - static_cast<int>(born_in_[place]);
  }
  void slow_down(Training& t) {
    const auto values = t.net.params().values();
    while (pace_.size() <= static_cast<std::size_t>(t.phase))
      pace_.push_back(static_cast<real>(std::pow(o_.slow, static_cast<double>(pace_.size()))));
    for (std::size_t i = 0; i < values.size(); ++i)
      if (const int tasks = age(t, i); tasks > 0)
        values[i] = before_[i] + pace_[static_cast<std::size_t>(tasks)] * (values[i] - before_[i]);
  }

  void look(Training& t, const Batch& batch) override {
    errors_.run(
        t.net, loss_, batch, look_pass(t, batch),
        [&](int l, const Signal& in, const Signal& error) {
          if (!t.net.layer(l).rewirable()) return;
          copy_signal(in, seen_[l].in), copy_signal(error, seen_[l].error);
        },
        t.still);
  }

  void worth(Training& t, const Site& site, std::span<double> of) override {
    std::span<const real> omega;
    if (o_.drop == DropWhat::Saliency)
      for (auto& s : *t.strategies)
        if (const auto says = s->importance(t); !says.empty()) omega = says;
    std::vector<double> old;
    const double young = static_cast<double>(t.step) - static_cast<double>(o_.maturity) * o_.every;
    for (std::size_t i = 0; i < of.size(); ++i) {
      const std::size_t place = site.offset + i;
      const auto w = static_cast<double>(site.weight[i]);
      // What the past rests on; what it does not know, by size.
      of[i] = omega.empty() ? std::abs(w) : kSmall * std::abs(w);
      if (!omega.empty() && age(t, place) > 0) of[i] += static_cast<double>(omega[place]) * w * w;
      if (static_cast<double>(born_at_[place]) > young)
        of[i] = std::numeric_limits<double>::infinity();
      else if (age(t, place) > 0)
        old.push_back(of[i]);
    }
    if (o_.keep <= 0 || old.empty()) return;
    const auto kept = static_cast<std::size_t>(o_.keep * static_cast<double>(old.size()));
    if (kept == 0) return;
    std::nth_element(old.begin(), old.end() - static_cast<std::ptrdiff_t>(kept), old.end());
    const double bound = *(old.end() - static_cast<std::ptrdiff_t>(kept));
    for (std::size_t i = 0; i < of.size(); ++i)
      if (age(t, site.offset + i) > 0 && of[i] >= bound)
        of[i] = std::numeric_limits<double>::infinity();
  }

  void grow(Training&, const Batch&, Site& site, std::span<const Edge>, std::size_t count,
            std::vector<Edge>& to) override {
    if (o_.grow == GrowWhere::Random) return grow_at_random(site, count, to);
    const Seen& seen = seen_[site.layer];
    const bool by_gradient = o_.grow == GrowWhere::Gradient;
    std::size_t tries = 100 * (count + 1);
    while (to.size() < count && tries > 0) {
      Edge best{};
      real largest = -1;
      for (int c = 0; c < (by_gradient ? o_.candidates : 1) && tries > 0; --tries) {
        Edge e{};
        if (!draw(seen, site.rng, e) || site.taken(e)) continue;
        const real size = by_gradient ? std::abs(gradient(seen, e)) : real{0};
        if (size > largest) largest = size, best = e;
        ++c;
      }
      if (largest < 0) return;
      site.take(best), to.push_back(best);
    }
  }
  void moved(Training& t, const Site& site, std::span<const std::uint32_t> slots) override {
    for (const std::uint32_t slot : slots) {
      born_in_[site.offset + slot] = static_cast<real>(t.phase);
      born_at_[site.offset + slot] = static_cast<real>(t.step);
    }
    if (o_.claims) hold_new(t, site, slots);
  }
  /// Every strategy that holds weights is told in its own units.
  void hold_new(Training& t, const Site& site, std::span<const std::uint32_t> slots) {
    const PastClaims& claims = claims_.at(site.layer);
    std::vector<std::size_t> old, places;
    double claimed = 0;
    for (std::size_t i = 0; i < site.weight.size(); ++i)
      if (age(t, site.offset + i) > 0) {
        old.push_back(site.offset + i);
        claimed += static_cast<double>(claims.at(site.synapses.edge(i)));
      }
    if (claimed <= 0) return;
    for (const std::uint32_t slot : slots)
      places.push_back(site.offset + slot);
    std::vector<real> importance(slots.size());
    for (auto& s : *t.strategies) {
      const auto omega = s->importance(t);
      if (omega.empty()) continue;
      double held = 0;
      for (const std::size_t place : old)
        held += static_cast<double>(omega[place]);
      if (held <= 0) continue;
      for (std::size_t k = 0; k < slots.size(); ++k)
        importance[k] = static_cast<real>(held / claimed) * claims.at(site.synapses.edge(slots[k]));
      s->hold(t, places, importance);
    }
  }

  struct Seen {
    Signal in, error;
  };
  /// A unit that is not 0 in a row, each as likely as any other; -1 if it was not found.
  static int draw_active(const Signal& s, int row, Rng& rng) {
    if (s.active.known()) {
      const auto units = s.active.row(row);
      if (units.empty()) return -1;
      return units[rng.below(static_cast<std::uint32_t>(units.size()))];
    }
    for (int tries = 0; tries < 200; ++tries)
      if (const auto i = static_cast<int>(rng.below(static_cast<std::uint32_t>(s.cols())));
          s.value().row(row)[i] != 0)
        return i;
    return -1;
  }
  /// Ends that are active together in an example: an input that is not 0, an output that an error
  /// reaches, which are the winners or positive units.
  static bool draw(const Seen& seen, Rng& rng, Edge& e) {
    const int row = static_cast<int>(rng.below(static_cast<std::uint32_t>(seen.in.rows())));
    e.input = draw_active(seen.in, row, rng), e.output = draw_active(seen.error, row, rng);
    return e.input >= 0 && e.output >= 0;
  }
  static real gradient(const Seen& seen, Edge e) {
    real sum = 0;
    for (int b = 0; b < seen.in.rows(); ++b)
      sum += seen.in.value().row(b)[e.input] * seen.error.value().row(b)[e.output];
    return sum;
  }

  /// Below any importance that matters; orders weights without one.
  static constexpr double kSmall = 1e-9;

  DynamicSynapsesOptions o_;
  LossOptions loss_;
  LayerErrors errors_;
  std::map<int, Seen> seen_;
  std::map<int, PastClaims> claims_;     ///< by layer
  std::vector<real> born_in_, born_at_;  ///< task and step of the run, for every weight
  std::vector<real> before_;
  std::vector<real> pace_;  ///< slow^n
};

}  // namespace

std::unique_ptr<Strategy> make_dynamic_synapses(const DynamicSynapsesOptions& options,
                                                const StrategyContext& context) {
  return std::make_unique<DynamicSynapses>(options, context);
}

}  // namespace engram
