#include "learners/learner.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "learners/gather_batch.h"
#include "learners/preview.h"
#include "utils/error.h"
#include "utils/kernels.h"

namespace engram {

Learner::Learner(const LearnerOptions& options, Network& net, Rule& rule, Optimizer& optimizer,
                 const OptimizerOptions& optimizer_options, StrategyList& strategies,
                 const Targets& targets, Rng rng)
    : o_(options),
      optimizer_options_(optimizer_options),
      net_(net),
      rule_(rule),
      optimizer_(optimizer),
      strategies_(strategies),
      targets_(targets),
      rng_(rng),
      hidden_(hidden_activations(net)) {
  check_served(strategies_, {rule_.provides()});
  for (const auto& s : strategies_)
    rule_learns_ = rule_learns_ && !s->learns_instead();
}

int Learner::epochs_of(int experience) const {
  return experience == 0 ? o_.epochs : o_.later_epochs.value_or(o_.epochs);
}

bool Learner::run(const TaskStream& stream, Cursor& cursor, Observer& observer) {
  check_joint_tasks(stream);
  ordered_ = stream.ordered();
  check_served(strategies_, {.provides = rule_.provides(), .borders = !stream.task_free()});
  for (int e = 0; e < stream.experiences(); ++e) {
    rule_.check_epochs(e, epochs_of(e));
    if (ordered_ && epochs_of(e) > 1)
      throw Error(
          Fault::Config,
          fmt::format("epochs = {}: the examples of this stream come in an order of its own, "
                      "once; use epochs = 1, or boundaries = sharp",
                      epochs_of(e)));
  }
  if (cursor.total_steps == 0) observer.before_training();
  for (; cursor.experience < stream.experiences(); ++cursor.experience) {
    const Experience experience = stream.experience(cursor.experience);
    if (experience.train.empty())
      throw Error(Fault::Config,
                  fmt::format("task {} has no training examples", cursor.experience));
    const int seen = experience.seen;
    const int before = cursor.experience == 0 ? 0 : stream.experience(cursor.experience - 1).seen;
    Training context{.net = net_,
                     .rule = rule_,
                     .optimizer = optimizer_,
                     .stream = &stream,
                     .targets = &targets_,
                     .experience = &experience,
                     .phase = cursor.experience,
                     .tasks_seen = seen,
                     .tasks_before = before,
                     .epoch = cursor.epoch,
                     .epochs = epochs_of(cursor.experience),
                     .step = cursor.total_steps,
                     .batch_size = o_.batch_size,
                     .rng = rng_,
                     .seen = targets_.test_mask(experience.index, seen),
                     .strategies = &strategies_};
    std::vector<int> tasks = experience.train.tasks();
    if (std::ranges::any_of(strategies_, [](const auto& s) { return s->replays(); })) {
      for (int e = 0; e < cursor.experience; ++e)
        for (const int task : stream.experience(e).train.tasks())
          tasks.push_back(task);
      std::ranges::sort(tasks);
      tasks.erase(std::unique(tasks.begin(), tasks.end()), tasks.end());
    }
    net_.begin_experience(tasks);
    if (cursor.epoch == 0 && cursor.step == 0) {
      preview(experience.train, net_);
      if (cursor.experience > 0 && optimizer_options_.optimizer_state == StatePolicy::Reset)
        optimizer_.reset();
      for (auto& s : strategies_)
        s->begin_experience(context);
    }
    for (; cursor.epoch < epochs_of(cursor.experience); ++cursor.epoch)
      if (!train_epoch(context, cursor, observer)) return false;
    // A loss sees the weights before its step: the last step of a task is looked at here.
    if (!kernels::all_finite(std::as_const(net_).params().values()))
      throw Error(Fault::Numerical,
                  fmt::format("a weight is no longer finite after task {}; lower lr (now {})",
                              cursor.experience, optimizer_options_.lr));
    for (auto& s : strategies_)
      s->end_experience(context);
    observer.after_experience(experience);
    cursor.epoch = 0;
    Cursor next = cursor;
    ++next.experience;
    observer.may_save(next);
    if (observer.stop_requested() && next.experience < stream.experiences())
      return cursor = next, false;
  }
  return true;
}

bool Learner::train_epoch(Training& context, Cursor& cursor, Observer& observer) {
  const Experience& experience = *context.experience;
  const auto order = epoch_order(experience.train, cursor);
  kind_ = rule_.begin_epoch(net_, {cursor.experience, context.stream->experiences(), cursor.epoch,
                                   epochs_of(cursor.experience), cursor.step});
  kind_.labelled = kind_.labelled && rule_learns_;
  const int rows = kind_.batch_size > 0 ? kind_.batch_size : o_.batch_size;
  const auto batch_size = static_cast<std::size_t>(rows) *
                          (o_.joint_tasks == JointTasks::Together ? experience.train.views() : 1);
  steps_in_epoch_ = static_cast<std::int64_t>((order.size() + batch_size - 1) / batch_size);
  if (cursor.step == 0) {
    if (o_.boost_decay) net_.begin_epoch(kind_.still);
    cursor.examples = 0, cursor.loss = cursor.correct = cursor.seconds = 0, cursor.macs = {};
    cursor.active.assign(hidden_.size(), 0);
    cursor.measures.assign(rule_.measure_names().size(), 0);
    cursor.measured.assign(cursor.measures.size(), 0);
  }
  context.epoch = cursor.epoch, context.epoch_steps = steps_in_epoch_;
  context.unlabelled = kind_.unlabelled, context.still = kind_.still;
  const auto places = [&](std::int64_t step) {
    const auto begin = static_cast<std::size_t>(step) * batch_size;
    return std::span(order).subspan(begin, std::min(batch_size, order.size() - begin));
  };
  while (cursor.step < steps_in_epoch_) {
    observer.before_step(cursor);
    const auto started = std::chrono::steady_clock::now();
    gather_batch(experience.train, places(cursor.step), targets_, context.tasks_seen, batch_);
    BatchStats stats;
    train_step(context, cursor, stats);
    cursor.seconds +=
        std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    ++cursor.step, ++cursor.total_steps;
    observer.after_step(cursor, stats, stats.counted, steps_in_epoch_,
                        epochs_of(cursor.experience));
    observer.may_save(cursor);
    if (observer.stop_requested()) return false;
  }
  end_epoch(context, places(steps_in_epoch_ - 1), cursor, observer);
  return true;
}

void Learner::end_epoch(Training& context, std::span<const std::uint32_t> last_batch,
                        Cursor& cursor, Observer& observer) {
  const double n = static_cast<double>(std::max<std::int64_t>(1, cursor.examples));
  EpochRow row{cursor.experience, cursor.epoch,       cursor.learning_rate,
               cursor.loss / n,   cursor.correct / n, cursor.seconds,
               cursor.macs,       cursor.active,      {},
               cursor.measures};
  for (double& a : row.active_fraction)
    a = o_.record_stats ? a / n : std::nan("");
  for (std::size_t m = 0; m < row.measures.size(); ++m) {
    const auto measured = static_cast<double>(cursor.measured[m]);
    row.measures[m] = measured > 0 ? row.measures[m] / measured : std::nan("");
  }
  if (!kind_.labelled) row.loss = row.train_accuracy = std::nan("");
  if (o_.record_stats && kind_.labelled) {
    // Again: a resumed run may not have taken that step itself.
    gather_batch(context.experience->train, last_batch, targets_, context.tasks_seen, batch_);
    row.alignment = rule_.alignment(net_, batch_, pass_of(cursor.total_steps - 1));
  }
  observer.after_epoch(row);
  cursor.step = 0;
}

void Learner::train_step(Training& context, Cursor& cursor, BatchStats& stats) {
  context.step = cursor.total_steps, context.epoch_step = cursor.step;
  for (auto& s : strategies_)
    s->extend_batch(context, batch_);
  for (int u = 0; rule_learns_ && u < rule_.updates(); ++u)
    update(context, u, cursor, stats);
  stats.labelled = kind_.labelled;
  if (stats.counted == 0) stats.counted = batch_.rows();
  if (!rule_learns_) {
    context.stepped = false;
    for (auto& s : strategies_)
      s->after_step(context, batch_);
  }
  cursor.examples += stats.counted;
  cursor.loss += stats.loss * stats.counted, cursor.correct += stats.correct;
  cursor.macs += stats.macs;
  if (rule_learns_) add_measures(stats.counted, cursor);
  if (o_.record_stats && rule_learns_) count_active(stats.counted, cursor);
}

void Learner::update(Training& context, int count, Cursor& cursor, BatchStats& stats) {
  if (o_.rezero == Rezero::TrainForward) net_.params().mask_values();
  net_.params().zero_grad();
  const ErrorHook hook = [&](CMat logits, Mat error) {
    for (auto& s : strategies_)
      s->shape_error(context, batch_, logits, error);
  };
  Pass pass = pass_of(cursor.total_steps);
  pass.update = count;
  stats = rule_.learn(net_, batch_, pass, strategies_.empty() ? ErrorHook{} : hook);
  if (!std::isfinite(stats.loss))
    throw Error(
        Fault::Numerical,
        fmt::format("the loss became {} in task {}, epoch {}, step {}; lower lr (now {}) or "
                    "check the model",
                    stats.loss, cursor.experience, cursor.epoch + 1, cursor.step + 1,
                    optimizer_options_.lr));
  context.stepped = kind_.labelled && covers(rule_.provides(), Provides::Gradient);
  if (kind_.labelled) spend_gradient(context, cursor);
  for (auto& s : strategies_)
    s->after_step(context, batch_);
}

void Learner::spend_gradient(Training& context, Cursor& cursor) {
  for (auto& s : strategies_)
    s->shape_gradient(context);
  if (o_.rezero == Rezero::Step) net_.params().mask_gradients();
  if (optimizer_options_.clip > 0) net_.params().clip_gradients(optimizer_options_.clip);
  const int epochs = epochs_of(cursor.experience) - kind_.unlabelled;
  const int epoch = cursor.epoch - kind_.unlabelled;
  const std::int64_t step = epoch * steps_in_epoch_ + cursor.step;
  cursor.learning_rate =
      optimizer_options_.lr * schedule_factor(o_.schedule, step, steps_in_epoch_ * epochs, epoch,
                                              cursor.total_steps - step);
  // Other rules have changed the weights themselves.
  if (context.stepped) optimizer_.step(cursor.learning_rate);
}

Pass Learner::pass_of(std::int64_t step) const {
  return {true, rng_.fork("pass", static_cast<std::uint64_t>(step)), batch_.task};
}

std::vector<std::uint32_t> Learner::epoch_order(const ExampleSet& examples,
                                                const Cursor& cursor) const {
  const auto views =
      static_cast<std::uint32_t>(o_.joint_tasks == JointTasks::Mixed ? 1 : examples.views());
  const auto n = static_cast<std::uint32_t>(examples.size()) / views;
  const auto batch = static_cast<std::uint32_t>(o_.batch_size);
  std::vector<std::uint32_t> places;
  if (o_.train_pad == TrainPad::Prepend && n % batch != 0)
    for (std::uint32_t i = 0; i < batch - n % batch; ++i)
      places.push_back(i % n);
  for (std::uint32_t i = 0; i < n; ++i)
    places.push_back(i);
  if (ordered_) return places;
  const auto size = static_cast<std::uint32_t>(places.size());
  const auto permutation = o_.shuffle == Shuffle::OnceSeed0
                               ? numpy_legacy_permutation(0, size)
                               : rng_.fork("order", static_cast<std::uint64_t>(cursor.experience))
                                     .fork("epoch", static_cast<std::uint64_t>(cursor.epoch))
                                     .permutation(size);
  std::vector<std::uint32_t> order(size);
  for (std::uint32_t i = 0; i < size; ++i)
    order[i] = places[permutation[i]];
  if (o_.joint_tasks == JointTasks::Mixed) return order;
  // So far an order of images; a task's examples follow each other in the set.
  if (o_.joint_tasks == JointTasks::Random) {
    Rng draw = rng_.fork("task", static_cast<std::uint64_t>(cursor.experience))
                   .fork("epoch", static_cast<std::uint64_t>(cursor.epoch));
    for (std::uint32_t& place : order)
      place += n * draw.below(views);
    return order;
  }
  std::vector<std::uint32_t> together;
  together.reserve(order.size() * views);
  for (const std::uint32_t image : order)
    for (std::uint32_t task = 0; task < views; ++task)
      together.push_back(image + n * task);
  return together;
}

void Learner::check_joint_tasks(const TaskStream& stream) const {
  if (o_.joint_tasks == JointTasks::Mixed) return;
  if (stream.experience(stream.experiences() - 1).train.views() < 2)
    throw Error(Fault::Config,
                fmt::format("joint_tasks = {} needs phases of several tasks over the same images: "
                            "stream = multi_mnist or attributes with protocol = joint or "
                            "cumulative; use joint_tasks = mixed here",
                            name_of(o_.joint_tasks)));
}

void Learner::add_measures(int rows, Cursor& cursor) const {
  const auto measures = rule_.measures();
  for (std::size_t m = 0; m < measures.size(); ++m)
    if (!std::isnan(measures[m]))
      cursor.measures[m] += measures[m] * rows, cursor.measured[m] += rows;
}

void Learner::count_active(int rows, Cursor& cursor) const {
  std::size_t i = 0;
  for (const int l : hidden_)
    cursor.active[i++] += active_fraction(rule_.tape()[static_cast<std::size_t>(l)]) * rows;
}

std::vector<int> hidden_activations(const Network& net) {
  std::vector<int> layers;
  for (int l = 0; l + 1 < net.depth(); ++l)
    if (net.layer(l).is_activation() && !net.layer(l + 1).is_activation()) layers.push_back(l);
  return layers;
}

double active_fraction(const Record& record) {
  const CMat y = record.out.value();
  std::size_t active = 0;
  if (record.out.active.known()) {
    active = record.out.active.total();
  } else {
    for (std::size_t i = 0; i < y.size(); ++i)
      active += y.data[i] != 0;
  }
  return y.size() > 0 ? static_cast<double>(active) / static_cast<double>(y.size()) : 0;
}

}  // namespace engram
