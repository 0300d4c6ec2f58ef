#include "learners/carried_error.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace engram {
namespace {

/// Sums of products of two vectors, however many pieces they come in.
struct Cosine {
  double ab = 0, aa = 0, bb = 0;
  template <class A, class B>
  void add(const A& a, const B& b) {
    for (std::size_t i = 0; i < a.size(); ++i) {
      const double x = static_cast<double>(a[i]), y = static_cast<double>(b[i]);
      ab += x * y, aa += x * x, bb += y * y;
    }
  }
  double degrees() const {
    if (aa == 0 || bb == 0) return std::numeric_limits<double>::quiet_NaN();
    const double cosine = ab / std::sqrt(aa) / std::sqrt(bb);
    return std::acos(std::fmin(1, std::fmax(-1, cosine))) * 180 / std::numbers::pi;
  }
};

double squares(CMat m) {
  double sum = 0;
  for (const real x : m.all())
    sum += static_cast<double>(x) * static_cast<double>(x);
  return sum;
}

}  // namespace

FeedbackPlan CarriedError::feedback() {
  FeedbackPlan plan = plan_;
  plan.draw = [this](const SynapticMatrix& s, Rng rng) { draw(s, rng); };
  return plan;
}

/// Weights that no error ever reaches have no gradient at all: nothing may shrink them either.
/// Those of a layer that others share have one if it reaches any of these.
void CarriedError::leave_unreached(Network& net) {
  met_a_batch_ = true;
  for (int l = 0; l < net.depth(); ++l)
    for (int id = net.first_slice(l); id < net.last_slice(l); ++id)
      if (!net.errors_reach(l) && net.params().param(id).form == GradientForm::Zero)
        net.params().param(id).trainable = false;
}

void CarriedError::derive_all(const Network& net, const Pass& pass) {
  if (!plan_.derived) return;
  for (std::size_t i = 0; i < net.synapses().size(); ++i)
    if (net.synapses()[i]->has_feedback()) derive(*net.synapses()[i], pass.rng.fork("feedback", i));
}

BatchStats CarriedError::learn(Network& net, const Batch& batch, const Pass& pass,
                               const ErrorHook& hook) {
  derive_all(net, pass);
  spared_ = spares_repeats(net, batch, pass);
  const Macs up = forward(net, batch, pass);
  BatchStats stats = output_error(loss_, tape_.back().out, batch, error_);
  stats.macs += up;
  if (hook) hook(std::as_const(tape_.back().out).value(), error_.value());
  stats.macs += descend(net, batch, pass, false);
  if (!met_a_batch_) leave_unreached(net);
  finish(net, pass);
  return stats;
}

/// What goes on below a border belongs to others, who read the batch as it is; so do direct paths.
bool CarriedError::spares_repeats(const Network& net, const Batch& batch, const Pass& pass) {
  if (pass.floor > 0 || pass.still > 0 || plan_.path == Path::Direct) return false;
  return repeats_.take(net, batch);
}

Macs CarriedError::forward(Network& net, const Batch& batch, const Pass& pass) {
  if (!spared_) return net.forward(batch.x, tape_, pass);
  const int top = net.depth() - 1;
  Macs macs = net.forward(repeats_.x(), tape_, pass, top);
  repeats_.repeat(batch, tape_[static_cast<std::size_t>(top - 1)].out);
  Record& heads = tape_[static_cast<std::size_t>(top)];
  macs += net.layer(top).forward(repeats_.features(), heads, pass);
  if (pass.training) net.layer(top).observe(repeats_.features(), heads);
  return macs;
}

Macs CarriedError::descend(Network& net, const Batch& batch, const Pass& pass, bool exact) {
  Macs macs;
  const auto passes_on = [&](int l) { return !exact && skips(net.layer(l)); };
  const auto spares = [&](int l) { return spared_ && l == net.depth() - 1; };
  const auto in = [&](int l) -> const Signal& {
    return spares(l) ? repeats_.features()
                     : input_of(net, l, spared_ ? repeats_.x() : batch.x, tape_);
  };
  const auto out = [&](int l) -> const Record& { return tape_[static_cast<std::size_t>(l)]; };
  macs += walk_.run(
      net, error_,
      [&](int l, const Signal& above) {
        if (!passes_on(l)) macs += net.layer(l).accumulate(in(l), out(l), above, pass);
      },
      [&](int l, const Signal& above, Signal& below) -> Macs {
        if (passes_on(l)) return copy_signal(above, below), Macs{};
        const Layer& layer = net.layer(l);
        const Descent descent{exact ? Path::Weights : path_of(layer), &error_};
        Signal& to = spares(l) ? repeated_error_ : below;
        const Macs sent = layer.backward_input(in(l), out(l), above, to, pass, descent);
        if (spares(l)) repeats_.sum(batch, to, below);
        return sent;
      },
      [&](int l, const Signal& above, std::span<Signal> past) {
        return net.layer(l).backward_past(in(l), out(l), above, past, pass);
      },
      std::max(pass.floor, net.lowest_learning()));
  return macs;
}

std::vector<Alignment> CarriedError::alignment(Network& net, const Batch& batch, const Pass& pass) {
  if (plan_.path == Path::Weights) return {};
  derive_all(net, pass);
  spared_ = false;
  std::as_const(net).evaluate(batch.x, tape_, pass);
  output_error(loss_, tape_.back().out, batch, error_);
  ParamStore& params = net.params();
  std::vector<std::vector<real>> own;  // of every matrix
  params.zero_grad();
  descend(net, batch, pass, false);
  for (const SynapticMatrix* s : net.synapses()) {
    const CMat g = params.grad(s->weight_id());
    own.emplace_back(g.data, g.data + g.size());
  }
  params.zero_grad();
  descend(net, batch, pass, true);
  std::vector<Alignment> all;
  std::size_t next = 0;
  for (int l = 0; l < net.depth(); ++l) {
    const auto synapses = net.layer(l).synapses();
    if (synapses.empty()) continue;
    Cosine update, feedback;
    double weights = 0, carriers = 0;
    for (const SynapticMatrix* s : synapses) {
      update.add(own[next++], CMat(params.grad(s->weight_id())).all());
      if (!s->has_feedback()) continue;
      weights += squares(s->weight()), carriers += squares(s->feedback());
      if (s->feedback().size() == s->weight().size() && plan_.path == Path::Feedback)
        feedback.add(s->feedback().all(), s->weight().all());
    }
    constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
    all.push_back({feedback.degrees(), update.degrees(),
                   weights > 0 ? std::sqrt(carriers / weights) : kNone});
  }
  params.zero_grad();
  return all;
}

}  // namespace engram
