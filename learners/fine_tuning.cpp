#include "learners/fine_tuning.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "models/synaptic.h"
#include "utils/error.h"

namespace engram {
namespace {

class FineTuned final : public Rule {
 public:
  FineTuned(const FineTuningOptions& options, std::unique_ptr<Rule> rule)
      : o_(options), rule_(std::move(rule)) {}

  Provides provides() const override { return rule_->provides(); }
  FeedbackPlan feedback() override { return rule_->feedback(); }
  const Tape& tape() const override { return rule_->tape(); }
  int resting(int from) const override { return std::max(frozen_in(from), rule_->resting(from)); }
  void check_epochs(int experience, int epochs) const override {
    rule_->check_epochs(experience, epochs);
  }
  std::vector<std::span<real>> state() override { return rule_->state(); }
  int updates() const override { return rule_->updates(); }
  std::vector<std::string> measure_names() const override { return rule_->measure_names(); }
  std::span<const double> measures() const override { return rule_->measures(); }

  void prepare(Network& net, Rng rng) override {
    rule_->prepare(net, rng);
    rng_ = rng.fork("reset_head");
    if (o_.freezes()) border_ = layer_named(net, o_.frozen_until, "frozen_until") + 1;
    if (border_ > 0 && !learns_above(net))
      throw Error(Fault::Config,
                  fmt::format("frozen_until = {} leaves no layer that learns; name a lower one",
                              o_.frozen_until));
    if (o_.reset_head == ResetHead::Never) return;
    if (!covers(rule_->provides(), Provides::Gradient))
      throw Error(Fault::Config,
                  fmt::format("reset_head = {} needs a rule whose knowledge is in the weights "
                              "alone, such as backprop",
                              name_of(o_.reset_head)));
    for (int l = border_; l < net.depth(); ++l)
      check_can_restart(net, l);
  }

  EpochKind begin_epoch(Network& net, const EpochPlace& at) override {
    const bool begins = at.experience > 0 && at.epoch == 0 && at.step == 0;
    const bool anew = o_.reset_head == ResetHead::EachTask ||
                      (o_.reset_head == ResetHead::AfterFirst && at.experience == 1);
    if (begins && anew) restart(net, rng_.fork("task", static_cast<std::uint64_t>(at.experience)));
    still_ = frozen_in(at.experience);
    for_each_slice(net, 0, still_, [&](int id) { net.params().param(id).trainable = false; });
    EpochKind kind = rule_->begin_epoch(net, at);
    kind.still = std::max(kind.still, still_);
    return kind;
  }

  BatchStats learn(Network& net, const Batch& batch, const Pass& pass,
                   const ErrorHook& hook) override {
    return rule_->learn(net, batch, above(pass), hook);
  }
  std::vector<Alignment> alignment(Network& net, const Batch& batch, const Pass& pass) override {
    return rule_->alignment(net, batch, above(pass));
  }

 private:
  /// Layers below this one are frozen in a task.
  int frozen_in(int experience) const {
    return o_.frozen_from == FrozenFrom::Start || experience > 0 ? border_ : 0;
  }

  Pass above(Pass pass) const {
    pass.floor = std::max(pass.floor, still_);
    pass.still = std::max(pass.still, still_);
    return pass;
  }

  /// Calls body(id) for the slices of the layers [first, last).
  template <class Body>
  static void for_each_slice(const Network& net, int first, int last, const Body& body) {
    for (int l = first; l < last; ++l)
      for (int id = net.first_slice(l); id < net.last_slice(l); ++id)
        body(id);
  }

  bool learns_above(const Network& net) const {
    bool any = false;
    for_each_slice(net, border_, net.depth(), [&](int) { any = true; });
    return any;
  }

  /// A layer with missing synapses would draw others than those that a resumed run has.
  static void check_can_restart(const Network& net, int l) {
    bool sparse = net.layer(l).existing_synapses() != nullptr;
    for_each_slice(net, l, l + 1, [&](int id) { sparse |= !net.params().param(id).mask.empty(); });
    if (sparse)
      throw Error(Fault::Config, fmt::format("reset_head: {} has missing synapses and cannot start "
                                             "anew; set its density to 1 or freeze it",
                                             net.layer_name(l)));
  }

  /// What lies above the border, as it is drawn for this task. Feedback stays what it is, and so do
  /// gates, which belong to no layer.
  void restart(Network& net, const Rng& rng) const {
    ParamStore& params = net.params();
    const auto zero = [](Mat m) { std::fill_n(m.data, m.size(), real{0}); };
    for_each_slice(net, border_, net.depth(), [&](int id) {
      if (!params.param(id).name.ends_with(".feedback")) zero(params.value(id));
    });
    for (int l = border_; l < net.depth(); ++l) {
      Layer& layer = net.layer(l);
      if (knows_images(layer)) continue;
      for (int id = net.first_state(l); id < net.last_state(l); ++id)
        zero(params.state(id));
      layer.init(rng.fork("layer", static_cast<std::uint64_t>(l)));
    }
  }
  /// Whether a layer was shown images before training (whitening, mean images of tasks). That is
  /// nothing it has learnt, and nobody shows them again: not those of a task that begins now.
  static bool knows_images(const Layer& layer) { return layer.fits() || layer.previews(); }

  FineTuningOptions o_;
  std::unique_ptr<Rule> rule_;
  Rng rng_{0};
  int border_ = 0;  ///< layers below it are, or will be, frozen
  int still_ = 0;   ///< of them, those that are frozen in this epoch
};

}  // namespace

std::unique_ptr<Rule> make_fine_tuned(const FineTuningOptions& options,
                                      std::unique_ptr<Rule> rule) {
  return std::make_unique<FineTuned>(options, std::move(rule));
}

int layer_named(const Network& net, const std::string& name, const std::string& key) {
  std::vector<std::string> names;
  for (int l = 0; l < net.depth(); ++l) {
    names.push_back(net.layer_name(l));
    if (names.back() == name) return l;
  }
  throw Error(Fault::Config, fmt::format("{} = {}: the network has no such layer{}", key, name,
                                         suggestion(name, names)));
}

}  // namespace engram
