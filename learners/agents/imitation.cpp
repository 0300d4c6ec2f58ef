// Imitation by DAgger (Ross et al. 2011): the expert acts in the first episodes, then the agent
// does, and at every moment the expert says what it would have done. All that was ever said is
// learnt from, the agent's outputs being the actions themselves.
#include <algorithm>

#include "learners/agents/agents.h"

namespace engram {
namespace {

class Imitation final : public Agent {
 public:
  Imitation(const ImitationOptions& options, const AgentContext& context)
      : o_(options),
        net_(*context.net),
        clear_memory_(context.clear_memory),
        inputs_(context.inputs),
        outputs_(context.world.action_size()),
        memory_(options.memory, inputs_ + outputs_),
        places_(static_cast<std::size_t>(options.batch)),
        expert_acts_(static_cast<std::size_t>(context.world.bodies())) {}

  void act(const Sight& now, Rng rng, Mat actions) override {
    macs_ += net_.evaluate(now.seen, tape_, {.training = false, .rng = rng});
    std::ranges::copy(std::as_const(tape_.back().out).value().all(), actions.data);
  }

  void begin_regime() override {
    if (clear_memory_) memory_.clear();
    begun_[0] = 0;
    for (real& body : expert_acts_)
      body = next_episode();
  }

  void explore(const Sight& now, const RegimePlace&, Rng rng, Mat actions) override {
    act(now, rng, actions);
    now.world.expert(said_.resize(actions.rows, outputs_));
    for (int b = 0; b < actions.rows; ++b)
      if (expert_acts_[static_cast<std::size_t>(b)] != 0)
        std::copy_n(said_.value().row(b), outputs_, actions.row(b));
  }

  void remember(const Transition& t) override {
    if (o_.late_targets) t.world.expert(said_.resize(said_.rows(), outputs_));
    for (int b = 0; b < said_.rows(); ++b) {
      const std::span<real> row = memory_.add();
      std::copy_n(t.before.value().row(b), inputs_, row.begin());
      std::copy_n(said_.value().row(b), outputs_, row.begin() + inputs_);
      const auto body = static_cast<std::size_t>(b);
      if (t.ended[body] != Ended::No) expert_acts_[body] = next_episode();
    }
  }

  std::int64_t due(std::int64_t interactions) const override {
    return interactions / o_.train_every;
  }
  bool can_learn() const override { return memory_.size() >= std::min(o_.batch, o_.memory); }

  void recall(Batch& batch, Rng rng) override {
    memory_.draw(rng, places_);
    const Mat x = batch.x.resize(o_.batch, inputs_), goal = batch.goal.resize(o_.batch, outputs_);
    for (int i = 0; i < o_.batch; ++i) {
      const auto row = memory_.row(places_[static_cast<std::size_t>(i)]);
      std::copy_n(row.begin(), inputs_, x.row(i));
      std::copy_n(row.begin() + inputs_, outputs_, goal.row(i));
    }
  }

  std::vector<std::span<real>> state() override {
    std::vector<std::span<real>> all = memory_.state();
    all.push_back(expert_acts_), all.push_back(begun_);
    return all;
  }

 private:
  /// Whether the expert acts in the episode that begins now. Counted no further than it matters.
  real next_episode() {
    const bool expert = begun_[0] < static_cast<real>(o_.expert_episodes);
    if (expert) begun_[0] += 1;
    return expert ? real{1} : real{0};
  }

  ImitationOptions o_;
  Network& net_;
  bool clear_memory_;
  int inputs_, outputs_;
  ReplayMemory memory_;
  std::vector<int> places_;
  std::vector<real> expert_acts_;  ///< per body, in its episode: 1 or 0
  std::vector<real> begun_ = {0};  ///< episodes of the regime that the expert acts in, so far
  Signal said_;                    ///< by the expert, at this moment
  Tape tape_;
};

}  // namespace

std::unique_ptr<Agent> make_imitation(const ImitationOptions& options,
                                      const AgentContext& context) {
  return std::make_unique<Imitation>(options, context);
}

}  // namespace engram
