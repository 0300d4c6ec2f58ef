#include "learners/hebbian/hebbian_rule.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "utils/error.h"
#include "utils/scratch.h"
#include "utils/sparse_kernels.h"

namespace engram {
namespace {

/// A layer that learns from its own activity.
struct LocalLayer {
  int index = 0;     ///< in the network
  int response = 0;  ///< layer whose output is its activity: the last activation above it
  LayerWeights weights;
  std::string name;
  std::vector<real> start;   ///< weights as they were drawn, for blocks
  std::vector<real> memory;  ///< of the rule, [fan_in * units] or empty
  real count = 0;            ///< likewise
  LocalChange change;
  Signal drive;  ///< what a competition sees in place of the signal on the tape
  std::vector<real> norms;
};

class Hebbian final : public Rule {
 public:
  Hebbian(const HebbianOptions& options, std::unique_ptr<LocalRule> local,
          std::unique_ptr<Rule> head)
      : o_(options), local_(std::move(local)), head_(std::move(head)) {}

  /// Layers below the head change whenever they see a batch, if they still learn.
  Provides provides() const override {
    const Provides of_head = head_->provides();
    if (!trains_in(0)) return of_head;
    const Provides later = trains_in(1) ? Provides::Nothing : Provides::OtherBatchesLater;
    return without(of_head, Provides::OtherBatches) | (of_head & later);
  }
  int resting(int from) const override {
    return trains_in(from) ? 0 : std::max(border_, head_->resting(from));
  }
  int lowest_stepped() const override {
    const bool apart = o_.epochs > 0;  // in epochs of their own
    return apart ? std::max(border_, head_->lowest_stepped()) : resting(0);
  }
  FeedbackPlan feedback() override { return head_->feedback(); }
  const Tape& tape() const override { return unlabelled_ ? tape_ : head_->tape(); }

  void prepare(Network& net, Rng rng) override {
    find_layers(net);
    local_->begin(o_.layers);
    for (int l = 0; l < border_; ++l)
      freeze(net, net.layer_name(l));
    for (std::size_t i = 0; o_.init && i < layers_.size(); ++i)
      draw(net.params(), layers_[i].weights, rng.fork("hebbian_init", i));
    for (LocalLayer& layer : layers_) {
      const CMat start = net.params().value(layer.weights.id());
      if (o_.blocks) layer.start.assign(start.data, start.data + start.size());
    }
    head_->prepare(net, rng);
    measures_.assign(2 * layers_.size(), 0);
  }

  void check_epochs(int experience, int epochs) const override {
    if (trains_in(experience) && o_.epochs >= epochs)
      throw Error(Fault::Config,
                  fmt::format("hebbian.epochs = {} leaves none of the {} epochs of task {} for the "
                              "head; raise epochs or later_epochs",
                              o_.epochs, epochs, experience + 1));
  }

  EpochKind begin_epoch(Network& net, const EpochPlace& at) override {
    check_blocks(at);
    if (o_.blocks && at.epoch == 0 && at.step == 0) wake_block(net, at);
    const bool trains = trains_in(at.experience);
    const int alone = trains ? o_.epochs : 0;
    unlabelled_ = at.epoch < alone;
    learns_ = trains && (unlabelled_ || alone == 0);
    const int all = alone > 0 ? alone : at.epochs;
    const bool falls = o_.anneal ? *o_.anneal == Anneal::Linear : local_->anneals();
    factor_ = falls ? 1 - static_cast<double>(at.epoch) / all : 1;
    if (at.experience > 0) factor_ *= o_.later_rate;
    place_ = at, batch_in_epoch_ = at.step;
    return {.labelled = !unlabelled_,
            .batch_size = unlabelled_ ? o_.batch_size : 0,
            .unlabelled = alone,
            .still = learns_ ? 0 : std::max(border_, head_->resting(at.experience))};
  }

  BatchStats learn(Network& net, const Batch& batch, const Pass& pass,
                   const ErrorHook& hook) override {
    BatchStats stats;
    if (unlabelled_) {
      stats.macs = net.forward(batch.x, tape_, pass, lowest_);
    } else {
      stats = head_->learn(net, batch, above(pass), hook);
    }
    std::fill(measures_.begin(), measures_.end(), std::numeric_limits<double>::quiet_NaN());
    if (learns_ && !(o_.only_first_batch && batch_in_epoch_ > 0))
      for (std::size_t i = 0; i < layers_.size(); ++i)
        stats.macs += learn_layer(net, batch, pass, i);
    ++batch_in_epoch_;
    return stats;
  }
  int updates() const override { return head_->updates(); }

  std::vector<std::string> measure_names() const override {
    std::vector<std::string> names;
    for (const LocalLayer& layer : layers_)
      names.push_back("moved_units/" + layer.name), names.push_back("norm/" + layer.name);
    return names;
  }
  std::span<const double> measures() const override { return measures_; }
  std::vector<Alignment> alignment(Network& net, const Batch& batch, const Pass& pass) override {
    return head_->alignment(net, batch, above(pass));
  }
  std::vector<std::span<real>> state() override {
    std::vector<std::span<real>> all = head_->state();
    for (const std::span<real> values : local_->state())
      all.push_back(values);
    for (LocalLayer& layer : layers_)
      if (local_->remembers()) all.emplace_back(layer.memory), all.emplace_back(&layer.count, 1);
    return all;
  }

 private:
  /// Whether the local rule changes anything in a task.
  bool trains_in(int experience) const {
    return local_->learns() && (experience == 0 || o_.later_rate > 0);
  }
  /// What the head's rule is told: its layers begin at the border, and in epochs of its own those
  /// below it stand still.
  Pass above(Pass pass) const {
    pass.floor = border_;
    if (!learns_) pass.still = border_;
    return pass;
  }

  void find_layers(const Network& net) {
    std::vector<int> with_weights;
    for (int l = 0; l < net.depth(); ++l)
      if (!net.layer(l).synapses().empty() || net.layer(l).existing_synapses())
        with_weights.push_back(l);
    const auto count = static_cast<std::size_t>(o_.layers);
    if (count >= with_weights.size())
      throw Error(Fault::Config,
                  fmt::format("hebbian.layers = {} leaves no layer for the head: the model has {} "
                              "with weights",
                              o_.layers, with_weights.size()));
    layers_.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      LocalLayer& layer = layers_[i];
      layer.index = with_weights[i], layer.name = net.layer_name(layer.index);
      const auto matrices = net.layer(layer.index).synapses();
      layer.weights.existing = net.layer(layer.index).existing_synapses();
      if (matrices.size() > 1)
        throw Error(Fault::Config,
                    fmt::format("hebbian.layers = {}: {} has {} matrices of weights, and local "
                                "rules are defined for one",
                                o_.layers, layer.name, matrices.size()));
      const bool pairs = local_->decay() == Decay::Pairs || local_->decay() == Decay::Lower;
      if (pairs && net.layer(layer.index).kind() == "grouped_conv")
        throw Error(Fault::Config,
                    fmt::format("hebbian.layers = {}: units of {} see different inputs, and this "
                                "rule compares what they see; use another rule or fewer layers",
                                o_.layers, layer.name));
      if (!matrices.empty()) layer.weights.all = matrices.front();
      layer.response = layer.index;
      for (int l = layer.index + 1; l < net.depth() && net.source(l) == l - 1; ++l) {
        if (net.layer(l).is_activation()) layer.response = l;
        if (!net.layer(l).is_activation() && net.layer(l).kind() != "batch_norm") break;
      }
      if (local_->remembers())
        layer.memory.assign(net.params().param(layer.weights.id()).size(), 0);
      check_shapes(net, layer);
    }
    border_ = layers_.back().response + 1;
    const int top = layers_.back().index;
    const bool drive = local_->sees() == Sees::Drive && net.layer(top + 1).kind() != "batch_norm";
    lowest_ = drive ? top + 1 : border_;
  }

  static void check_shapes(const Network& net, const LocalLayer& layer) {
    const int units = layer.weights.units();
    if (net.output_shape(layer.index).size() % units != 0 ||
        net.output_shape(layer.response).size() != net.output_shape(layer.index).size())
      throw Error(Fault::Config, fmt::format("{}: a local rule needs one output of its activation "
                                             "for every unit",
                                             layer.name));
  }

  /// How many tasks there are is not known before.
  void check_blocks(const EpochPlace& at) const {
    for (const LocalLayer& layer : layers_)
      if (o_.blocks && layer.weights.units() < at.experiences)
        throw Error(Fault::Config,
                    fmt::format("hebbian.blocks = yes: {} has {} units, which are too few for {} "
                                "tasks with units of their own; widen it, or use hebbian.blocks = "
                                "no",
                                layer.name, layer.weights.units(), at.experiences));
  }

  /// The weights of a layer by the law of its own.
  void draw(ParamStore& params, const LayerWeights& w, const Rng& rng) const {
    const Fans fans = w.existing ? w.existing->fans() : w.all->fans();
    std::vector<real> drawn(static_cast<std::size_t>(fans.outputs) * fans.in);
    std::vector<real> bias(static_cast<std::size_t>(fans.outputs));
    const Mat rows{drawn.data(), fans.outputs, fans.in};
    init_weights(*o_.init, fans, rows, {bias.data(), 1, fans.outputs}, rng, o_.init_scale);
    const Mat to = params.value(w.id());
    if (!w.existing) {
      kernels::transpose(rows, to);
      w.all->mask(to);
      return;
    }
    const auto& view = w.existing->by_output();
    for (int unit = 0; unit < fans.outputs; ++unit)
      for (std::int32_t j = view.begin[unit]; j < view.begin[unit + 1]; ++j)
        to.data[view.place.empty() ? j : view.place[j]] = rows.row(unit)[view.index[j]];
  }

  /// The units of a task get the weights that they were drawn with, and have no past; those of
  /// later tasks are silent.
  void wake_block(Network& net, const EpochPlace& at) {
    std::vector<real> factor, learnt;
    for (LocalLayer& layer : layers_) {
      layer.count = 0;
      const UnitRange own = block_of(layer, at);
      factor.assign(static_cast<std::size_t>(layer.weights.units()), 0);
      std::fill(factor.begin() + own.first, factor.begin() + own.last, real{1});
      const Mat w = net.params().value(layer.weights.id());
      learnt.assign(w.data, w.data + w.size());
      std::copy(layer.start.begin(), layer.start.end(), w.data);
      LocalUpdate::scale(net.params(), layer.weights, factor);
      if (at.experience == 0) continue;
      // Earlier blocks keep what they learnt; whatever is not theirs is 0 there.
      for (std::size_t i = 0; i < w.size(); ++i)
        w.data[i] += learnt[i];
    }
  }
  UnitRange block_of(const LocalLayer& layer, const EpochPlace& at) const {
    const std::int64_t units = layer.weights.units();
    if (!o_.blocks) return {0, static_cast<int>(units)};
    return {static_cast<int>(units * at.experience / at.experiences),
            static_cast<int>(units * (at.experience + 1) / at.experiences)};
  }

  /// No optimiser moves what belongs to a layer below the border, and its bias is 0.
  static void freeze(Network& net, const std::string& name) {
    ParamStore& params = net.params();
    for (int id = 0; id < params.count(); ++id) {
      Param& p = params.param(id);
      if (!p.name.starts_with(name + ".")) continue;
      p.trainable = false;
      if (p.name == name + ".bias") std::ranges::fill(params.value(id).all(), real{0});
    }
  }

  Macs learn_layer(Network& net, const Batch& batch, const Pass& pass, std::size_t i) {
    const double rate = factor_ * this->rate(i);
    if (rate == 0) return {};  // the layer stands still, and some rules divide by the rate
    LocalLayer& layer = layers_[i];
    ParamStore& params = net.params();
    const Tape& tape = this->tape();
    const Signal* pre = &input_of(net, layer.index, batch.x, tape);
    const bool drive = local_->sees() == Sees::Drive;
    const auto at = static_cast<std::size_t>(drive ? layer.index : layer.response);
    const Signal* seen = &tape[at].out;
    Macs macs;
    if (drive) macs += competition(net, batch, pass, layer, pre, seen);

    const int units = layer.weights.units(), places = seen->cols() / units;
    LayerActivity activity{{seen->value().data, seen->rows() * places, units},
                           seen->active.known() ? &seen->active : nullptr,
                           places,
                           block_of(layer, place_)};
    if (local_->wants_norms()) {
      LocalUpdate::norms(params, layer.weights, layer.norms);
      activity.norms = layer.norms;
    }
    local_->respond(activity, static_cast<int>(i), layer.change);
    const Param& weight = params.param(layer.weights.id());
    params.zero_grad(layer.weights.id());
    macs +=
        net.layer(layer.index)
            .accumulate(*pre, tape[static_cast<std::size_t>(layer.index)], layer.change.post, pass);
    const StepSize step = update_.apply(
        params, layer.weights, *local_, o_.divide.value_or(local_->divide()), layer.change,
        activity.learning, activity.y.rows, rate, o_.norm.value_or(local_->default_norm()),
        {layer.memory.data(), weight.rows, weight.cols}, layer.count);
    params.zero_grad(layer.weights.id());
    measures_[2 * i] = static_cast<double>(step.moved) / units;
    measures_[2 * i + 1] = step.norm;
    return macs;
  }

  /// Input and drive as a competition sees them: of the images as they were before they got unit
  /// norm, and with the weights' powers.
  Macs competition(Network& net, const Batch& batch, const Pass& pass, LocalLayer& layer,
                   const Signal*& pre, const Signal*& seen) {
    const int below = net.source(layer.index);
    const bool normed = o_.raw_input && below >= 0 && net.layer(below).kind() == "unit_norm";
    if (normed) pre = &input_of(net, below, batch.x, this->tape());
    if (local_->exponent() != 2) {
      seen = &layer.drive;
      return powered_drive(net, pass, layer, *pre);
    }
    if (!normed) return {};
    const std::vector<real>& norm = this->tape()[static_cast<std::size_t>(below)].saved;
    const CMat from = seen->value();
    const Mat to = layer.drive.resize(from.rows, from.cols);
    for (int b = 0; b < from.rows; ++b)
      for (int u = 0; u < from.cols; ++u)
        to.row(b)[u] = from.row(b)[u] * norm[static_cast<std::size_t>(b)];
    seen = &layer.drive;
    return {};
  }

  /// layer.drive <- the layer's output with sign(W) |W|^(p-1) in the place of W.
  Macs powered_drive(Network& net, const Pass& pass, LocalLayer& layer, const Signal& pre) const {
    thread_local Scratch memory;
    thread_local Record record;
    const Mat w = net.params().value(layer.weights.id());
    real* const own = memory.get(w.size());
    std::copy_n(w.data, w.size(), own);
    const auto power = static_cast<real>(local_->exponent() - 1);
    for (real& x : w.all())
      if (power == 2)
        x = x * std::abs(x);
      else if (x != 0)  // absent synapses have no sign, though 0 to the power of 0 is 1
        x = std::copysign(std::pow(std::abs(x), power), x);
    const Macs macs = net.layer(layer.index).forward(pre, record, pass);
    std::copy_n(own, w.size(), w.data);
    std::swap(layer.drive, record.out);
    return macs;
  }

  double rate(std::size_t layer) const {
    return o_.rate.empty() ? local_->default_rate() : o_.rate[std::min(layer, o_.rate.size() - 1)];
  }

  HebbianOptions o_;
  std::unique_ptr<LocalRule> local_;
  std::unique_ptr<Rule> head_;
  std::vector<LocalLayer> layers_;
  int border_ = 0;  ///< the first layer that is the head's
  int lowest_ = 0;  ///< so many layers are needed to learn without the head
  EpochPlace place_;
  bool unlabelled_ = false, learns_ = false;
  double factor_ = 1;  ///< of the learning rate
  std::int64_t batch_in_epoch_ = 0;
  Tape tape_;
  LocalUpdate update_;
  std::vector<double> measures_;
};

}  // namespace

std::unique_ptr<Rule> make_hebbian(const HebbianOptions& options, std::unique_ptr<LocalRule> local,
                                   std::unique_ptr<Rule> head) {
  return std::make_unique<Hebbian>(options, std::move(local), std::move(head));
}

}  // namespace engram
