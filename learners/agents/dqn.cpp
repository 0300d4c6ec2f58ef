// Deep Q-learning (Mnih et al. 2015) with double estimation (van Hasselt et al. 2016): of an action
// a in s, followed by reward r and s',
//   y = r + gamma Q'(s', argmax_a' Q(s', a')),
// where Q' is a copy of the network Q that is renewed now and then, and y = r alone where the
// episode really ended; a truncated one would have gone on. Q(s, a) comes near y by Huber's loss,
// the other outputs take no part.
#include <algorithm>
#include <cmath>

#include "learners/agents/agents.h"
#include "utils/kernels.h"

namespace engram {
namespace {

class Dqn final : public Agent {
 public:
  Dqn(const DqnOptions& options, const AgentContext& context)
      : o_(options),
        net_(*context.net),
        copy_(context.twin()),
        clear_memory_(context.clear_memory),
        inputs_(context.inputs),
        choices_(context.world.choices().rows),
        memory_(options.memory, 2 * inputs_ + 3),
        places_(static_cast<std::size_t>(options.batch)),
        chosen_(static_cast<std::size_t>(context.world.bodies())) {
    const auto n = static_cast<std::size_t>(choices_);
    alone_.resize(n * n, 0);
    for (std::size_t c = 0; c < n; ++c)
      alone_[c * n + c] = 1;
    renew_copy();
  }

  void act(const Sight& now, Rng rng, Mat actions) override {
    choose(now, rng);
    take(now.world.choices(), actions);
  }

  void begin_regime() override {
    if (clear_memory_) memory_.clear();
  }

  void explore(const Sight& now, const RegimePlace& place, Rng rng, Mat actions) override {
    choose(now, rng.fork("network"));
    const double share = epsilon(place);
    for (int& choice : chosen_)
      if (rng.uniform() < share)
        choice = static_cast<int>(rng.below(static_cast<std::uint32_t>(choices_)));
    take(now.world.choices(), actions);
  }

  void remember(const Transition& t) override {
    for (int b = 0; b < t.before.rows(); ++b) {
      const auto body = static_cast<std::size_t>(b);
      auto to = memory_.add().begin();
      to = std::copy_n(t.before.value().row(b), inputs_, to);
      to = std::copy_n(t.after.value().row(b), inputs_, to);
      *to++ = static_cast<real>(chosen_[body]);
      *to++ = static_cast<real>(o_.reward_scale) * t.reward[body];
      *to++ = static_cast<real>(t.ended[body] == Ended::Terminal ? 0 : o_.gamma);
    }
  }

  std::int64_t due(std::int64_t interactions) const override {
    return interactions / o_.train_every;
  }
  bool can_learn() const override { return memory_.size() >= std::min(o_.starts, o_.memory); }

  void recall(Batch& batch, Rng rng) override {
    memory_.draw(rng, places_);
    const Mat x = batch.x.resize(o_.batch, inputs_), later = next_.resize(o_.batch, inputs_);
    for (int i = 0; i < o_.batch; ++i) {
      const auto row = memory_.row(places_[static_cast<std::size_t>(i)]);
      std::copy_n(row.begin(), inputs_, x.row(i));
      std::copy_n(row.begin() + inputs_, inputs_, later.row(i));
    }
    const Pass pass{.training = false, .rng = rng.fork("network")};
    macs_ += copy_->evaluate(next_, copy_tape_, pass);
    if (o_.double_q) macs_ += net_.evaluate(next_, tape_, pass);
    const CMat judged = std::as_const(copy_tape_.back().out).value();
    const CMat choosing = o_.double_q ? std::as_const(tape_.back().out).value() : judged;
    const auto n = static_cast<std::size_t>(choices_);
    const Mat goal = batch.goal.resize(o_.batch, choices_);
    batch.mask.resize(static_cast<std::size_t>(o_.batch));
    for (int i = 0; i < o_.batch; ++i) {
      const auto row = memory_.row(places_[static_cast<std::size_t>(i)]).subspan(2 * inputs());
      const auto action = static_cast<std::size_t>(row[0]);
      const int best = kernels::argmax({choosing.row(i), n}, {});
      std::fill_n(goal.row(i), n, real{0});
      goal.row(i)[action] = row[1] + row[2] * judged.row(i)[best];
      batch.mask[static_cast<std::size_t>(i)] = std::span(alone_).subspan(action * n, n);
    }
  }

  void after_update(std::int64_t updates) override {
    if (updates % o_.copy_every == 0) renew_copy();
  }

  double longest_gradient() const override { return o_.longest_gradient; }
  double epsilon(const RegimePlace& place) const override {
    const double over = o_.epsilon_share * static_cast<double>(place.budget);
    const double done = std::min(1.0, static_cast<double>(place.interactions) / over);
    return o_.epsilon + (o_.epsilon_final - o_.epsilon) * done;
  }

  std::vector<std::span<real>> state() override {
    std::vector<std::span<real>> all = memory_.state();
    all.push_back(copy_->params().raw_values()), all.push_back(copy_->params().states());
    return all;
  }
  void restored() override { copy_->check_restored(), copy_->restored(); }

 private:
  std::size_t inputs() const { return static_cast<std::size_t>(inputs_); }

  void choose(const Sight& now, Rng rng) {
    macs_ += net_.evaluate(now.seen, tape_, {.training = false, .rng = rng});
    const CMat values = std::as_const(tape_.back().out).value();
    chosen_.resize(static_cast<std::size_t>(values.rows));
    for (int b = 0; b < values.rows; ++b)
      chosen_[static_cast<std::size_t>(b)] =
          kernels::argmax({values.row(b), static_cast<std::size_t>(choices_)}, {});
  }
  void take(CMat choices, Mat actions) const {
    for (int b = 0; b < actions.rows; ++b)
      std::copy_n(choices.row(chosen_[static_cast<std::size_t>(b)]), choices.cols, actions.row(b));
  }

  void renew_copy() {
    std::ranges::copy(net_.params().values(), copy_->params().values().begin());
    std::ranges::copy(net_.params().states(), copy_->params().states().begin());
    copy_->restored();  // where weights lead is a state, too
  }

  DqnOptions o_;
  Network& net_;
  std::unique_ptr<Network> copy_;
  bool clear_memory_;
  int inputs_, choices_;
  ReplayMemory memory_;  ///< rows: s, s', action, reward, discount of what follows
  std::vector<int> places_, chosen_;
  std::vector<std::uint8_t> alone_;  ///< [choices, choices]: a mask for each of the choices
  Signal next_;
  Tape tape_, copy_tape_;
};

}  // namespace

std::unique_ptr<Agent> make_dqn(const DqnOptions& options, const AgentContext& context) {
  return std::make_unique<Dqn>(options, context);
}

}  // namespace engram
