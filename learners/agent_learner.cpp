#include "learners/agent_learner.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include <fmt/format.h>

#include "utils/error.h"
#include "utils/kernels.h"

namespace engram {
namespace {

/// Tells strategies how a regime is divided: into epochs of as many steps each, one for every
/// evaluation, which ends near it. All steps count that are due, the first ones too, for which the
/// agent does not remember enough yet: so a resumed run counts alike.
void divide_regime(const AgentOptions& o, const Agent& agent, std::int64_t bodies, Training& t) {
  t.epochs = (o.steps_per_regime - 1) / o.evaluate_every + 1;
  const std::int64_t interactions = (o.steps_per_regime + bodies - 1) / bodies * bodies;
  t.epoch_steps = std::max<std::int64_t>(1, (agent.due(interactions) + t.epochs - 1) / t.epochs);
}
/// The step to come is this one of the regime, 0-based.
void place_step(std::int64_t step, Training& t) {
  t.epoch = static_cast<int>(step / t.epoch_steps), t.epoch_step = step % t.epoch_steps;
}

}  // namespace

void Senses::look(const Simulation& world, int regime, Signal& to) {
  const int bodies = world.bodies(), own = world.observation_size();
  const Mat x = to.resize(bodies, own + codes_);
  if (codes_ == 0) return world.observe(x);
  const Mat seen = seen_.resize(bodies, own);
  world.observe(seen);
  for (int b = 0; b < bodies; ++b) {
    std::copy_n(seen.row(b), own, x.row(b));
    std::fill_n(x.row(b) + own, codes_, real{0});
    x.row(b)[own + regime] = 1;
  }
}

AgentLearner::AgentLearner(const AgentOptions& options, const ScheduleOptions& schedule,
                           const OptimizerOptions& optimizer_options, const AgentParts& parts,
                           const Regimes& regimes, Rng rng)
    : o_(options),
      schedule_(schedule),
      optimizer_options_(optimizer_options),
      parts_(parts),
      regimes_(regimes),
      rng_(rng),
      senses_(options.regime_input ? regimes.count() : 0) {
  const Provides provided = parts_.rule.provides();
  if (!covers(provided, Provides::Gradient | Provides::OutputError))
    throw Error(Fault::Config,
                "rule: agents learn by the error of their outputs, which this rule does not carry "
                "down; use backprop, feedback_alignment or another rule of their kind");
  check_served(parts_.strategies, {.provides = provided, .examples = false});
}

bool AgentLearner::run(Cursor& cursor, AgentObserver& observer) {
  if (cursor.experience == 0 && cursor.step == 0) observer.before_training();
  for (; cursor.experience < regimes_.count(); ++cursor.experience) {
    const int regime = cursor.experience;
    Experience experience;
    experience.index = regime, experience.seen = regime + 1;
    Training context{.net = parts_.net,
                     .rule = parts_.rule,
                     .optimizer = parts_.optimizer,
                     .experience = &experience,
                     .phase = regime,
                     .tasks_seen = regime + 1,
                     .tasks_before = regime,
                     .step = cursor.total_steps,
                     .rng = rng_,
                     .strategies = &parts_.strategies};
    world_ = regimes_.make(regime, Role::Train);
    divide_regime(o_, parts_.agent, world_->bodies(), context);
    const auto bodies = static_cast<std::size_t>(world_->bodies());
    actions_.resize(bodies * static_cast<std::size_t>(world_->action_size()));
    reward_.resize(bodies), how_ended_.resize(bodies);
    if (cursor.step == 0)
      begin_regime(cursor, context);
    else
      world_->load(saved_world_);
    if (running_.size() != bodies) throw Error(Fault::Data, "the checkpoint is of other bodies");
    if (!train_regime(context, cursor, observer)) return false;
    if (!kernels::all_finite(std::as_const(parts_.net).params().values()))
      throw Error(
          Fault::Numerical,
          fmt::format("a weight is no longer finite after regime {}; lower lr (now {})",
                      regimes_.names[static_cast<std::size_t>(regime)], optimizer_options_.lr));
    for (auto& s : parts_.strategies)
      s->end_experience(context);
    observer.after_regime(regime);
    cursor.step = 0, cursor.epoch = 0;
    Cursor next = cursor;
    ++next.experience;
    observer.may_save(next);
    if (observer.stop_requested() && next.experience < regimes_.count())
      return cursor = next, false;
  }
  return true;
}

void AgentLearner::begin_regime(Cursor& cursor, Training& context) {
  constexpr int kOnlyHead[] = {0};
  parts_.net.begin_experience(kOnlyHead);
  if (cursor.experience > 0 && optimizer_options_.optimizer_state == StatePolicy::Reset)
    parts_.optimizer.reset();
  for (auto& s : parts_.strategies)
    s->begin_experience(context);
  world_->reset(rng_.fork("world", static_cast<std::uint64_t>(cursor.experience)));
  parts_.agent.begin_regime();
  running_.assign(static_cast<std::size_t>(world_->bodies()), 0);
  ended_return_ = ended_ = 0;
  cursor.examples = 0, cursor.loss = cursor.seconds = 0, cursor.macs = {};
}

bool AgentLearner::train_regime(Training& context, Cursor& cursor, AgentObserver& observer) {
  senses_.look(*world_, cursor.experience, before_);
  while (cursor.step < o_.steps_per_regime) {
    const auto started = std::chrono::steady_clock::now();
    const std::int64_t from = cursor.step;
    live(cursor);
    for (int due = parts_.agent.updates(from, cursor.step); due > 0; --due) {
      place_step(parts_.agent.due(cursor.step) - due, context);
      learn(context, from, cursor);
    }
    cursor.macs += parts_.agent.take_macs();
    cursor.seconds +=
        std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    observer.after_step(cursor, parts_.agent.epsilon(place_of(cursor)));
    if (from / o_.evaluate_every != cursor.step / o_.evaluate_every ||
        cursor.step >= o_.steps_per_regime)
      end_epoch(cursor, observer);
    if (cursor.step >= o_.steps_per_regime) break;  // the regime's end can be saved, too
    observer.may_save(cursor);
    if (observer.stop_requested()) return false;
  }
  return true;
}

void AgentLearner::live(Cursor& cursor) {
  const int bodies = world_->bodies();
  const Mat actions{actions_.data(), bodies, world_->action_size()};
  const Rng rng = rng_.fork("explore", static_cast<std::uint64_t>(cursor.experience))
                      .fork("step", static_cast<std::uint64_t>(cursor.step));
  parts_.agent.explore({*world_, before_}, place_of(cursor), rng, actions);
  world_->step(actions, reward_, how_ended_);
  senses_.look(*world_, cursor.experience, after_);
  parts_.agent.remember({*world_, before_, after_, reward_, how_ended_});
  bool some = false;
  for (std::size_t b = 0; b < running_.size(); ++b) {
    running_[b] += static_cast<double>(reward_[b]);
    if (how_ended_[b] == Ended::No) continue;
    ended_return_ += running_[b], ++ended_;
    running_[b] = 0, some = true;
  }
  if (some) {
    world_->restart(how_ended_);
    senses_.look(*world_, cursor.experience, before_);
  } else {
    std::swap(before_, after_);
  }
  cursor.step += bodies;
}

void AgentLearner::learn(Training& context, std::int64_t from, Cursor& cursor) {
  context.step = cursor.total_steps;
  parts_.agent.recall(batch_, rng_.fork("replay", static_cast<std::uint64_t>(cursor.total_steps)));
  batch_.task.assign(static_cast<std::size_t>(batch_.rows()), 0);
  for (auto& s : parts_.strategies)
    s->extend_batch(context, batch_);
  parts_.net.params().zero_grad();
  const ErrorHook hook = [&](CMat logits, Mat error) {
    for (auto& s : parts_.strategies)
      s->shape_error(context, batch_, logits, error);
  };
  const BatchStats stats = parts_.rule.learn(parts_.net, batch_, pass_of(cursor.total_steps),
                                             parts_.strategies.empty() ? ErrorHook{} : hook);
  if (!std::isfinite(stats.loss))
    throw Error(Fault::Numerical,
                fmt::format("the loss became {} in regime {}, after {} interactions; lower lr "
                            "(now {}) or check the model",
                            stats.loss, regimes_.names[static_cast<std::size_t>(cursor.experience)],
                            cursor.step, optimizer_options_.lr));
  spend_gradient(context, from, cursor);
  for (auto& s : parts_.strategies)
    s->after_step(context, batch_);
  parts_.agent.after_update(++cursor.total_steps);
  cursor.examples += batch_.rows();
  cursor.loss += stats.loss * batch_.rows(), cursor.macs += stats.macs;
}

void AgentLearner::spend_gradient(Training& context, std::int64_t from, Cursor& cursor) {
  ParamStore& params = parts_.net.params();
  for (auto& s : parts_.strategies)
    s->shape_gradient(context);
  params.mask_gradients();
  if (optimizer_options_.clip > 0) params.clip_gradients(optimizer_options_.clip);
  if (const double longest = parts_.agent.longest_gradient(); longest > 0)
    if (const double length = params.gradient_norm(); length > longest)
      params.scale_gradients(longest / length);
  cursor.learning_rate = optimizer_options_.lr *
                         schedule_factor(schedule_, from, o_.steps_per_regime, cursor.epoch,
                                         std::int64_t{cursor.experience} * o_.steps_per_regime);
  parts_.optimizer.step(cursor.learning_rate);
}

void AgentLearner::end_epoch(Cursor& cursor, AgentObserver& observer) {
  const double n = static_cast<double>(cursor.examples), nothing = std::nan("");
  EpochRow row{cursor.experience,
               cursor.epoch,
               cursor.learning_rate,
               n > 0 ? cursor.loss / n : nothing,
               nothing,
               cursor.seconds,
               cursor.macs,
               {},
               {},
               {}};
  if (n > 0) {
    // Drawn anew: a resumed run may not have learnt the last batch itself.
    parts_.agent.recall(batch_, rng_.fork("look", static_cast<std::uint64_t>(cursor.total_steps)));
    batch_.task.assign(static_cast<std::size_t>(batch_.rows()), 0);
    parts_.agent.take_macs();  // of looking, not of learning
    row.alignment = parts_.rule.alignment(parts_.net, batch_, pass_of(cursor.total_steps - 1));
  }
  observer.after_epoch(row, cursor.step, ended_ > 0 ? ended_return_ / ended_ : nothing);
  cursor.examples = 0, cursor.loss = cursor.seconds = 0, cursor.macs = {};
  ended_return_ = ended_ = 0;
  ++cursor.epoch;
  parts_.net.begin_epoch();
}

Pass AgentLearner::pass_of(std::int64_t step) const {
  return {true, rng_.fork("pass", static_cast<std::uint64_t>(step)), batch_.task};
}

std::vector<double> AgentLearner::save() const {
  std::vector<double> all{ended_return_, ended_, static_cast<double>(running_.size())};
  all.insert(all.end(), running_.begin(), running_.end());
  if (world_) {
    const std::vector<double> world = world_->save();
    all.insert(all.end(), world.begin(), world.end());
  }
  return all;
}

void AgentLearner::load(std::span<const double> saved) {
  constexpr std::size_t kFixed = 3;
  if (saved.size() < kFixed || !(saved[2] >= 0) ||
      !(saved[2] <= static_cast<double>(saved.size() - kFixed)))
    throw Error(Fault::Data, "what was saved of the world is too short");
  ended_return_ = saved[0], ended_ = saved[1];
  const auto world = saved.begin() + kFixed + static_cast<std::ptrdiff_t>(saved[2]);
  running_.assign(saved.begin() + kFixed, world);
  saved_world_.assign(world, saved.end());
  parts_.agent.restored();
}

}  // namespace engram
