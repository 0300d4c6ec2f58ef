// Learning without forgetting (Li & Hoiem 2016, arXiv 1606.09282): the network as it was before a
// task says what it makes of the task's images, and goes on saying so while they are learnt:
//   loss + lambda KD,  KD = -sum_y softmax(z*/T)_y log softmax(z/T)_y  over the old outputs,
// a mean over the examples, without a factor T^2; lambda may be a list, one for each task. With one
// head per task every old head is asked about every image (KD is the mean over them); under one
// head the classes of each past task (scenario = task), all classes seen before (class) or all
// outputs (domain) are compared; lwf.outputs = all gives new classes the target 0 beside those seen
// before (van de Ven & Tolias 2018). What the old network says is computed once per task: images
// are not augmented here.
// In class-incremental streams a low figure is what LwF does (20 to 21 % on split MNIST here, 22
// to 24 published).
#include <algorithm>
#include <utility>

#include "learners/gather_batch.h"
#include "learners/repeated_rows.h"
#include "learners/soft_targets.h"
#include "learners/strategies/importance.h"
#include "learners/strategy_checks.h"
#include "utils/error.h"

namespace engram {
namespace {

using Mask = std::span<const std::uint8_t>;

class Lwf final : public Strategy {
 public:
  Lwf(const LwfOptions& options, const StrategyContext& context)
      : o_(options), width_(context.net.outputs()) {
    if (o_.lambda.empty()) throw Error(Fault::Config, "lwf.lambda is empty: give a weight");
    if (!context.stream) return;  // refused elsewhere
    refuse_single_output(context, "lwf");
    per_task_ = context.targets->head() == Head::PerTask;
    by_task_ = per_task_ || context.targets->scenario() == Scenario::Task;
    if (by_task_) groups_ = context.stream->tasks();
    std::size_t most = 0;
    for (int e = 1; e < context.stream->experiences(); ++e)
      most = std::max(most, context.stream->experience(e).train.size());
    said_.resize(most * static_cast<std::size_t>((per_task_ ? groups_ : 1) * width_));
  }

  Provides needs() const override { return Provides::OutputError; }
  bool needs_borders() const override { return true; }
  bool needs_examples() const override { return true; }
  bool replays() const override { return per_task_; }

  void begin_experience(Training& t) override {
    if (t.phase > 0) ask(t);
  }

  /// With one head per task: every image once more for every old head.
  void extend_batch(Training& t, Batch& batch) override {
    added_ = batch.rows();
    if (!per_task_ || t.phase == 0) return;
    rows_.clear(), heads_.clear();
    for (int head = 0; head < t.tasks_before; ++head)
      for (int b = 0; b < batch.own_rows(); ++b) {
        rows_.push_back(b), heads_.push_back(head);
        batch.own.push_back(t.targets->own_mask(head));
      }
    add_repeats(rows_, heads_, memory_, batch);
  }

  void shape_error(Training& t, const Batch& batch, CMat logits, Mat error) override {
    if (t.phase == 0) return;
    const real share = real{1} / static_cast<real>(t.tasks_seen);
    real weight = static_cast<real>(lambda_in(t)) / static_cast<real>(batch.own_rows());
    if (o_.weigh_by_tasks) {
      weight *= 1 - share;
      for (int b = 0; b < added_; ++b)
        for (int y = 0; y < error.cols; ++y)
          error.row(b)[y] *= share;
    }
    const auto n = static_cast<std::size_t>(width_);
    const bool over_all = o_.outputs == LwfOutputs::All && !by_task_;
    for (int g = 0; g < groups_in(t); ++g)
      for (int b = 0; b < batch.own_rows(); ++b) {
        const int row = per_task_ ? added_ + g * batch.own_rows() + b : b;
        const Mask known = mask_of(t, g);
        soft_.distil({{logits.row(row), n}, over_all ? competing(batch, row) : known},
                     {{said(batch.place[static_cast<std::size_t>(b)], g), n}, known},
                     static_cast<real>(o_.temperature), weight / static_cast<real>(groups_in(t)),
                     error.row(row));
      }
  }

  std::vector<std::span<real>> state() override { return {said_}; }

 private:
  double lambda_in(const Training& t) const {
    return o_.lambda[std::min(static_cast<std::size_t>(t.phase), o_.lambda.size() - 1)];
  }
  /// Sets of outputs that are compared apart.
  int groups_in(const Training& t) const { return by_task_ ? t.tasks_before : 1; }
  Mask mask_of(const Training& t, int group) const {
    if (per_task_) return {};
    if (t.targets->scenario() == Scenario::Task) return t.targets->own_mask(group);
    return t.targets->test_mask(t.tasks_before - 1, t.tasks_before);
  }
  /// What the old network said of an example: its logits; of several heads, those of one.
  real* said(std::uint32_t place, int head) {
    const std::size_t heads = per_task_ ? static_cast<std::size_t>(groups_) : 1;
    const std::size_t at = place * heads + (per_task_ ? static_cast<std::size_t>(head) : 0);
    return said_.data() + at * static_cast<std::size_t>(width_);
  }

  void ask(Training& t) {
    const ExampleSet& train = t.experience->train;
    const Network& net = t.net;
    const int top = net.depth() - 1;
    const bool same_features = only_heads_read_tasks(net);
    Batch batch;
    Tape tape;
    std::vector<std::uint32_t> places;
    for (std::size_t at = 0; at < train.size(); at += places.size()) {
      places.resize(std::min<std::size_t>(250, train.size() - at));
      for (std::size_t i = 0; i < places.size(); ++i)
        places[i] = static_cast<std::uint32_t>(at + i);
      gather_batch(train, places, *t.targets, t.tasks_seen, batch);
      for (int head = 0; head < (per_task_ ? t.tasks_before : 1); ++head) {
        if (per_task_) std::ranges::fill(batch.task, head);
        const Pass pass{.tasks = batch.task};
        if (head > 0 && same_features)
          net.layer(top).forward(input_of(net, top, batch.x, tape), tape.back(), pass);
        else
          net.evaluate(batch.x, tape, pass);
        const CMat out = std::as_const(tape.back().out).value();
        for (int b = 0; b < out.rows; ++b)
          std::copy_n(out.row(b), out.cols, said(places[static_cast<std::size_t>(b)], head));
      }
    }
  }

  LwfOptions o_;
  int width_;
  bool per_task_ = false;  ///< one head each
  bool by_task_ = false;   ///< the outputs of every past task are compared apart
  int groups_ = 1, added_ = 0;
  std::vector<real> said_;         ///< [examples of the phase][old heads][outputs]
  std::vector<int> rows_, heads_;  ///< that are asked in a batch
  Signal memory_;
  SoftTargets soft_;
};

}  // namespace

std::unique_ptr<Strategy> make_lwf(const LwfOptions& options, const StrategyContext& context) {
  return std::make_unique<Lwf>(options, context);
}

}  // namespace engram
