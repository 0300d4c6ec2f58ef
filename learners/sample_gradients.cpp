#include "learners/sample_gradients.h"

#include <algorithm>
#include <utility>

namespace engram {
namespace {

/// Row b alone; its active set is not needed.
void take_row(const Signal& from, int b, Signal& to) {
  const auto n = static_cast<std::size_t>(from.cols());
  std::copy_n(from.value().row(b), n, to.resize(1, from.cols()).data);
}

}  // namespace

SampleGradients::SampleGradients(Network& net, Of of) : net_(net), of_(of) {
  for (int l = 0; l < net.depth(); ++l)
    if (net.first_slice(l) < net.last_slice(l)) at_once_ = at_once_ && net.layer(l).meets_once();
}

CMat SampleGradients::forward(const Signal& x, std::span<const int> tasks) {
  x_ = &x, tasks_ = tasks;
  std::as_const(net_).evaluate(x, tape_, {.tasks = tasks});
  return std::as_const(tape_.back().out).value();
}

void SampleGradients::powers(const Signal& from, Signal& to) const {
  copy_signal(from, to);
  for (real& v : to.value().all())
    v = power(v);
}

void SampleGradients::descend(const Signal& x, const Tape& tape, const Signal& error,
                              const Pass& pass, bool of_products) {
  const auto in = [&](int l) -> const Signal& { return input_of(net_, l, x, tape); };
  const auto out = [&](int l) -> const Record& { return tape[static_cast<std::size_t>(l)]; };
  net_.params().zero_grad();
  walk_.run(
      net_, error,
      [&](int l, const Signal& above) {
        if (net_.first_slice(l) == net_.last_slice(l)) return;
        if (!of_products) return void(net_.layer(l).accumulate(in(l), out(l), above, pass));
        powers(in(l), pre_), powers(above, post_);
        net_.layer(l).accumulate(pre_, out(l), post_, pass);
      },
      [&](int l, const Signal& above, Signal& below) {
        return net_.layer(l).backward_input(in(l), out(l), above, below, pass);
      },
      [&](int l, const Signal& above, std::span<Signal> past) {
        return net_.layer(l).backward_past(in(l), out(l), above, past, pass);
      },
      net_.lowest_learning());
}

void SampleGradients::add(const Signal& error, std::span<real> sums) {
  if (at_once_) {
    descend(*x_, tape_, error, {.tasks = tasks_}, true);
    const auto g = net_.params().grads();
    for (std::size_t i = 0; i < sums.size(); ++i)
      sums[i] += g[i];
    return net_.params().zero_grad();
  }
  for (int b = 0; b < error.rows(); ++b) {
    take_row(*x_, b, one_x_), take_row(error, b, one_error_);
    const auto row = static_cast<std::size_t>(b);
    const Pass pass{.tasks = tasks_.empty() ? tasks_ : tasks_.subspan(row, 1)};
    std::as_const(net_).evaluate(one_x_, one_tape_, pass);
    descend(one_x_, one_tape_, one_error_, pass, false);
    add_powers(1, sums);
  }
}

void SampleGradients::add_mean(const Signal& error, std::span<real> sums) {
  descend(*x_, tape_, error, {.tasks = tasks_}, false);
  add_powers(real{1} / static_cast<real>(error.rows()), sums);
}

void SampleGradients::add_powers(real scale, std::span<real> sums) {
  const auto g = net_.params().grads();
  for (std::size_t i = 0; i < sums.size(); ++i)
    sums[i] += power(scale * g[i]);
  net_.params().zero_grad();
}

}  // namespace engram
