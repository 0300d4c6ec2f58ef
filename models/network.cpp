#include "models/network.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "models/synaptic.h"
#include "utils/error.h"

namespace engram {

Network::Network(ImageShape in, std::vector<LayerPtr> layers, Rng rng, double active_share,
                 const FeedbackPlan& feedback, std::unique_ptr<Gating> gating)
    : layers_(std::move(layers)), shapes_{in}, gating_(std::move(gating)) {
  bind(active_share, feedback);
  find_ways_down();
  if (gating_) gating_->bind(*this, feedback, store_);
  store_.allocate();
  for (int l = 0; l < depth(); ++l)
    layer(l).init(rng.fork("layer", static_cast<std::uint64_t>(l)));
  store_.mask_values();
  for (int l = 0; l < depth(); ++l)
    for (const SynapticMatrix* s : layer(l).synapses())
      synapses_.push_back(s);
  for (std::size_t i = 0; i < synapses_.size(); ++i)
    if (synapses_[i]->feedback_id() >= 0 && feedback.draw)
      feedback.draw(*synapses_[i], rng.fork("feedback", i));
  if (gating_) gating_->init(*this, rng.fork("gating"));
}

void Network::bind(double active_share, const FeedbackPlan& feedback) {
  std::map<std::string, int> seen;  // kinds get a number each: linear1, linear2, conv1
  std::vector<double> shares{active_share};
  for (int l = 0; l < depth(); ++l) {
    const int from = source(l), also = second(l);
    ENGRAM_INVARIANT(from >= -1 && from < l && also >= -1 && also < l);
    std::vector<ImageShape> remembered;
    for (std::size_t i = 0; i < layer(l).wiring.past.size(); ++i) {
      ENGRAM_INVARIANT(past(l, i) >= 0 && past(l, i) < l);
      remembered.push_back(output_shape(past(l, i)));
    }
    const std::string kind = layer(l).kind();
    names_.push_back(kind + std::to_string(++seen[kind]));
    const double share = shares[static_cast<std::size_t>(from + 1)];
    first_slice_.push_back(store_.count()), first_state_.push_back(store_.state_count());
    shapes_.push_back(layer(l).bind(
        input_shape(l), {l, names_.back(), share, from < 0, &feedback, remembered}, store_));
    if (lowest_learning_ < 0 && store_.count() > first_slice_.back()) lowest_learning_ = l;
    shares.push_back(also < 0 ? layer(l).active_share(share) : 1);
    if (also >= 0 && output_shape(also) != output_shape(l))
      throw Error(Fault::Config,
                  fmt::format("{}: a shortcut of {} does not fit its output of {}", names_.back(),
                              output_shape(also).text(), output_shape(l).text()));
  }
  first_slice_.push_back(store_.count()), first_state_.push_back(store_.state_count());
}

void Network::find_ways_down() {
  errors_reach_.assign(layers_.size(), 0);
  if (!layers_.empty()) errors_reach_.back() = 1;
  const auto reach = [this](int l) {
    if (l >= 0) errors_reach_[static_cast<std::size_t>(l)] = 1;
  };
  for (int l = depth() - 1; l >= 0; --l) {
    if (!errors_reach(l)) continue;
    reach(second(l));
    if (layer(l).errors_reach_input()) reach(source(l));
    if (!layer(l).errors_reach_past()) continue;
    for (std::size_t i = 0; i < layer(l).wiring.past.size(); ++i)
      reach(past(l, i));
  }
}

Macs Network::evaluate(const Signal& x, Tape& tape, const Pass& pass, int count) const {
  ENGRAM_INVARIANT(x.cols() == in().size());
  tape.resize(layers_.size());
  if (gating_) gating_->open(*this, tape);
  Macs macs;
  Pass still = pass;
  still.training = false;
  for (int l = 0; l < count; ++l) {
    Record& y = tape[static_cast<std::size_t>(l)];
    y.past.resize(layer(l).wiring.past.size());
    for (std::size_t i = 0; i < y.past.size(); ++i)
      y.past[i] = &tape[static_cast<std::size_t>(past(l, i))].out;
    macs += layer(l).forward(input_of(*this, l, x, tape), y, l < pass.still ? still : pass);
    if (const int also = second(l); also >= 0)
      add_signal(tape[static_cast<std::size_t>(also)].out, y.out);
  }
  return macs;
}

Macs Network::forward(const Signal& x, Tape& tape, const Pass& pass, int count) {
  if (pass.training)
    for (int l = pass.still; l < count; ++l)
      if (source(l) < 0) layer(l).meet(x, pass);
  const Macs macs = evaluate(x, tape, pass, count);
  if (pass.training)
    for (int l = pass.still; l < count; ++l)
      layer(l).observe(input_of(*this, l, x, tape), tape[static_cast<std::size_t>(l)]);
  return macs;
}

bool Network::previews() const {
  return std::ranges::any_of(layers_, [](const LayerPtr& l) { return l->previews(); });
}
void Network::preview(CMat images, std::span<const int> tasks) {
  for (const LayerPtr& l : layers_)
    if (l->previews()) l->preview(images, tasks);
}

std::vector<std::string> Network::weight_layers() const {
  std::vector<std::string> names;
  for (int l = 0; l < depth(); ++l)
    if (!layer(l).synapses().empty()) names.push_back(layer_name(l));
  return names;
}

std::string Network::describe() const {
  std::string text;
  for (int l = 0; l < depth(); ++l) {
    const bool passes_by = layer(l).wiring.reads > 1 && source(l) >= 0;
    std::string remembered;
    for (std::size_t i = 0; i < layer(l).wiring.past.size(); ++i)
      remembered += (i == 0 ? " with " : ", ") + layer_name(past(l, i));
    text += fmt::format("{}{}{}{}  {} -> {}\n", layer(l).describe(),
                        passes_by ? " of " + layer_name(source(l)) : "", remembered,
                        second(l) >= 0 ? " + " + layer_name(second(l)) : "", input_shape(l).text(),
                        output_shape(l).text());
  }
  return gating_ ? text + gating_->describe() + "\n" : text;
}

void Network::begin_epoch(int first) {
  for (int l = first; l < depth(); ++l)
    layer(l).begin_epoch();
}
void Network::restored() {
  for (const LayerPtr& layer : layers_)
    layer->restored();
}
void Network::check_restored() const {
  for (const LayerPtr& layer : layers_)
    layer->check_restored();
}

void Network::begin_experience(std::span<const int> tasks) {
  for (auto& l : layers_)
    l->begin_experience(tasks);
}

}  // namespace engram
