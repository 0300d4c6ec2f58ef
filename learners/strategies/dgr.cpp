// Deep generative replay (DGR; Shin et al. 2017, arXiv 1705.08690; as van de Ven & Tolias 2018,
// arXiv 1809.10635): while a task is learnt, so is a generator, a variational autoencoder. Before
// the next task both are copied; the old generator paints images, the old network labels them, and
// both learn under
//   L = L_current / k + (1 - 1/k) L_replayed      with k tasks met,
// in every step once. Labels are hard (the most probable class) or distilled (dgr.labels = soft):
//   T^2 times -sum_y softmax(z* / T)_y log softmax(z / T)_y,
// the first softmax over the outputs that the old network knew, 0 for new ones, the second over all
// that compete.
// An image is painted for no task in particular. Where the task is known at test it is shown to one
// of the past tasks, drawn for every image, and labelled among the classes of that.
// Pitfalls: pixels are learnt by their cross-entropy, so inputs must lie in [0, 1], not normalised;
// and a run takes at least twice as long, most of it for the generator.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "learners/loss.h"
#include "learners/row_weights.h"
#include "learners/soft_targets.h"
#include "learners/strategies/replay.h"
#include "learners/strategy_checks.h"
#include "learners/vae.h"
#include "utils/error.h"

namespace engram {
namespace {

using Mask = std::span<const std::uint8_t>;

OptimizerOptions adam_of(double lr) {
  OptimizerOptions o;
  o.optimizer = "adam", o.lr = lr;
  return o;
}

class Dgr final : public Strategy {
 public:
  Dgr(const DgrOptions& options, const StrategyContext& context)
      : o_(options),
        vae_({context.net.in().size(), options.codes, options.hidden}, Rng(0)),
        encoder_adam_(make_adam(adam_of(options.lr), vae_.encoder().params())),
        decoder_adam_(make_adam(adam_of(options.lr), vae_.decoder().params())),
        painter_(vae_.decoder().params().values().size()),
        solver_(context.net.params().values().size()) {
    if (o_.labels == DgrLabels::Soft) refuse_single_output(context, "dgr", " or dgr.labels = hard");
    std::size_t states = 0;
    for (int id = 0; id < context.net.params().state_count(); ++id)
      states += context.net.params().state_param(id).size();
    solver_states_.resize(states);
  }

  Provides needs() const override { return Provides::OutputError; }
  bool needs_borders() const override { return true; }
  bool needs_examples() const override { return true; }
  bool replays() const override { return true; }

  void begin_experience(Training& t) override {
    if (begun_[0] == 0) {  // the run's own beginning, which a seed decides
      Vae fresh({t.net.in().size(), o_.codes, o_.hidden}, t.rng.fork("dgr").fork("init"));
      start_from(fresh);
      begun_[0] = 1;
    }
    if (t.phase == 0) return;
    std::ranges::copy(vae_.decoder().params().values(), painter_.begin());
    std::ranges::copy(t.net.params().values(), solver_.begin());
    std::ranges::copy(t.net.params().states(), solver_states_.begin());
  }

  void extend_batch(Training& t, Batch& batch) override {
    const Rng rng = rng_of(t);
    keep_own(batch);
    count_ = 0;
    if (t.phase == 0) return;
    first_ = batch.rows(), count_ = o_.batch > 0 ? o_.batch : batch.own_rows();
    exchange(vae_.decoder().params().values(), painter_);
    vae_.paint(count_, rng.fork("codes"), painted_);
    exchange(vae_.decoder().params().values(), painter_);
    draw_tasks(t, rng.fork("tasks"));
    label(t);
    add_rows(t, batch);
  }

  void shape_error(Training& t, const Batch& batch, CMat logits, Mat error) override {
    if (count_ == 0) return;
    const double share = 1.0 / t.tasks_seen;
    if (o_.labels == DgrLabels::Hard) {
      weigh_rows(batch, 0, batch.own_rows(), share, error);
      weigh_rows(batch, first_, count_, 1 - share, error);
      return;
    }
    weigh_rows(batch, 0, batch.own_rows(), share, error);
    const auto outputs = static_cast<std::size_t>(logits.cols);
    const auto temperature = static_cast<real>(o_.temperature);
    const auto weight = static_cast<real>((1 - share) / count_) * temperature * temperature;
    for (int i = 0; i < count_; ++i)
      soft_.distil({{logits.row(first_ + i), outputs}, competing(batch, first_ + i)},
                   {{std::as_const(said_).value().row(i), outputs}, old_outputs(t, i)}, temperature,
                   weight, error.row(first_ + i));
  }

  /// The generator's own step.
  void after_step(Training& t, const Batch&) override {
    if (t.step == last_step_) return;  // another update with the same batch
    last_step_ = t.step;
    const int own = own_.rows();
    const double share = count_ > 0 ? 1.0 / t.tasks_seen : 1.0;
    weight_.assign(static_cast<std::size_t>(own), static_cast<real>(share / own));
    const Signal* x = &own_;
    if (count_ > 0) {
      weight_.resize(static_cast<std::size_t>(own + count_),
                     static_cast<real>((1 - share) / count_));
      join_rows(own_, painted_, all_);
      x = &all_;
    }
    vae_.learn(*x, weight_, rng_of(t).fork("noise"));
    for (Optimizer* adam : {encoder_adam_.get(), decoder_adam_.get()}) {
      // Only when a run goes on: Adam then looks anew at which rows rest and forgets the decay that
      // it owes them.
      if (const auto steps = static_cast<std::int64_t>(steps_[0]); adam->steps() != steps)
        adam->set_steps(steps);
      adam->step(o_.lr);
    }
    steps_[0] += 1;
  }

  std::vector<std::span<real>> state() override {
    std::vector<std::span<real>> all{vae_.encoder().params().raw_values(),
                                     vae_.decoder().params().raw_values(),
                                     painter_,
                                     solver_,
                                     solver_states_,
                                     begun_,
                                     steps_};
    for (Optimizer* adam : {encoder_adam_.get(), decoder_adam_.get()})
      for (const auto& part : adam->state())
        all.push_back(part);
    return all;
  }

 private:
  static Rng rng_of(const Training& t) {
    return t.rng.fork("dgr", static_cast<std::uint64_t>(t.step));
  }
  static void exchange(std::span<real> a, std::vector<real>& b) {
    std::swap_ranges(b.begin(), b.end(), a.begin());
  }

  void start_from(Vae& fresh) {
    const auto copy = [](const Network& from, Network& to) {
      std::ranges::copy(from.params().values(), to.params().values().begin());
    };
    copy(fresh.encoder(), vae_.encoder()), copy(fresh.decoder(), vae_.decoder());
  }

  void keep_own(const Batch& batch) {
    const CMat x = batch.x.value();
    const Mat own = own_.resize(batch.own_rows(), x.cols);
    std::copy_n(x.data, own.size(), own.data);
    const auto [least, most] = std::ranges::minmax(CMat(own).all());
    if (least < 0 || most > 1)
      throw Error(Fault::Config,
                  fmt::format("dgr learns pixels in [0, 1] and found {} to {}; use normalise = no",
                              least, most));
  }

  void draw_tasks(const Training& t, Rng rng) {
    tasks_.resize(static_cast<std::size_t>(count_));
    for (int& task : tasks_)
      task = static_cast<int>(rng.below(static_cast<std::uint32_t>(t.tasks_before)));
  }

  /// Outputs that the old network told apart in the i-th painted image.
  Mask old_outputs(const Training& t, int i) const {
    const int task = tasks_[static_cast<std::size_t>(i)];
    if (t.targets->head() == Head::PerTask) return {};
    if (t.targets->scenario() == Scenario::Task) return t.targets->own_mask(task);
    return t.targets->test_mask(t.tasks_before - 1, t.tasks_before);
  }

  /// said_ <- what the old network makes of the painted images.
  void label(Training& t) {
    exchange(t.net.params().values(), solver_), exchange(t.net.params().states(), solver_states_);
    t.net.restored();
    std::as_const(t.net).evaluate(painted_, tape_, {.tasks = tasks_});
    exchange(t.net.params().values(), solver_), exchange(t.net.params().states(), solver_states_);
    t.net.restored();
    copy_signal(tape_.back().out, said_);
  }

  void add_rows(Training& t, Batch& batch) {
    join_rows(batch.x, painted_, joined_);
    std::swap(batch.x, joined_);
    const CMat said = std::as_const(said_).value();
    for (int i = 0; i < count_; ++i) {
      const int task = tasks_[static_cast<std::size_t>(i)];
      const std::span<const real> z{said.row(i), static_cast<std::size_t>(said.cols)};
      batch.target.push_back(o_.labels == DgrLabels::Hard ? predicted_class(z, old_outputs(t, i))
                                                          : -1);
      batch.task.push_back(task);
      batch.own.push_back(t.targets->own_mask(task));
      const Mask mask = t.targets->train_mask(task, t.tasks_seen);
      if (!mask.empty() || !batch.mask.empty()) {
        batch.mask.resize(batch.target.size());
        batch.mask.back() = mask;
      }
    }
  }

  DgrOptions o_;
  Vae vae_;
  std::unique_ptr<Optimizer> encoder_adam_, decoder_adam_;
  std::vector<real> painter_;                 ///< the decoder of before the task
  std::vector<real> solver_, solver_states_;  ///< the network of before the task
  std::vector<real> begun_ = {0}, steps_ = {0};
  std::int64_t last_step_ = -1;
  int first_ = 0, count_ = 0;  ///< painted rows of the batch
  std::vector<int> tasks_;     ///< of painted images
  Signal own_, painted_, all_, said_, joined_;
  std::vector<real> weight_;
  SoftTargets soft_;
  Tape tape_;
};

}  // namespace

std::unique_ptr<Strategy> make_dgr(const DgrOptions& options, const StrategyContext& context) {
  return std::make_unique<Dgr>(options, context);
}

}  // namespace engram
