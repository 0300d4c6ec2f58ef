// Dendrite segments that gate the units of a layer. With g the error at h, and c the context:
//   dL/dt_i = g_i sigmoid(a*),  dL/da* = g_i t_i sigmoid(a*) (1 - sigmoid(a*)),  dL/du_i* = dL/da*
//   c.
// U c is computed once for every context that occurs in a batch, not for every example; while one
// context goes on, only for segments that have changed: of a hundred a unit one is learning; and
// while weights stand still, as in tests, once for every context.
#include "models/dendrites/dendrites.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "utils/error.h"
#include "utils/parallel.h"

namespace engram {
namespace {

class Dendrites final : public Layer {
 public:
  Dendrites(int segments, double init_share, SharedContexts contexts)
      : segments_(segments), init_share_(init_share), contexts_(std::move(contexts)) {}
  std::string kind() const override { return "dendrites"; }
  std::string describe() const override {
    return fmt::format("dendrites, {} segment{} a unit", segments_, segments_ == 1 ? "" : "s");
  }
  double active_share(double inputs) const override { return inputs; }

  ImageShape bind(ImageShape in, const Place& place, ParamStore& store) override {
    ENGRAM_INVARIANT(place.past.size() == 1 && contexts_->store == &store);
    store_ = &store, units_ = in.size();
    length_ = store.state_param(contexts_->id).cols;
    id_ = store.add(place.name + ".segments", units_ * segments_, length_);
    store.watch(id_);
    return in;
  }
  void init(Rng rng) override {
    const double bound = 1 / std::sqrt(init_share_ * length_);
    Rng draw = rng.fork("segments");
    for (real& u : store_->value(id_).all())
      u = static_cast<real>(draw.uniform(-bound, bound));
  }

  /// index = for every row the slot of its context; then for every slot the context's number and
  /// the winning rows of the segments, one a unit. saved = the gates of every slot.
  Macs forward(const Signal& x, Record& y, const Pass&) const override {
    const CMat in = x.value();
    list_contexts(y.past.front()->value(), y.index);
    const Slots slots = slots_of(y, in.rows);
    y.saved.resize(static_cast<std::size_t>(slots.count) * units_);
    excite(slots, y);
    const Mat out = y.out.resize(in.rows, units_);
    for_rows(in.rows, [&](int b) {
      const real *const from = in.row(b), *const gate = gates(y, b);
      real* const to = out.row(b);
#pragma omp simd
      for (int i = 0; i < units_; ++i)
        to[i] = from[i] * gate[i];
    });
    // As if nothing had been remembered: so a resumed run counts alike.
    const double once = 1.0 * units_ * segments_ * length_;
    return {slots.count * once, in.rows * once};
  }

  Macs backward_input(const Signal&, const Record& y, const Signal& dy, Signal& dx, const Pass&,
                      const Descent&) const override {
    const CMat error = dy.value();
    if (dy.active.known()) {
      const Mat out = dx.resize_sparse(error.rows, units_);
      dx.active = dy.active;
      for_rows(error.rows, [&](int b) {
        for (const std::int32_t i : dy.active.row(b))
          out.row(b)[i] = error.row(b)[i] * gates(y, b)[i];
      });
      return {};
    }
    const Mat out = dx.resize(error.rows, units_);
    for_rows(error.rows, [&](int b) {
      const real *const from = error.row(b), *const gate = gates(y, b);
      real* const to = out.row(b);
#pragma omp simd
      for (int i = 0; i < units_; ++i)
        to[i] = from[i] * gate[i];
    });
    return {};
  }

  Macs accumulate(const Signal& pre, const Record& y, const Signal& post,
                  const Pass&) const override {
    const Slots slots = slots_of(y, post.rows());
    thread_local std::vector<real> pull;  // [slots, units]: dL/da*
    thread_local std::vector<Pulled> pulled;
    thread_local GradientBlock block;
    pull.assign(static_cast<std::size_t>(slots.count) * units_, 0);
    for (int b = 0; b < post.rows(); ++b) {
      real* const sum = pull.data() + static_cast<std::size_t>(slots.of_row[b]) * units_;
      const real *const g = post.value().row(b), *const t = pre.value().row(b);
      if (post.active.known())
        for (const std::int32_t i : post.active.row(b))
          sum[i] += g[i] * t[i];
      else
        for (int i = 0; i < units_; ++i)
          sum[i] += g[i] * t[i];
    }
    pulled.clear();
    for (int s = 0; s < slots.count; ++s) {
      if (slots.context(s) == kNoContext) continue;
      for (int i = 0; i < units_; ++i) {
        const auto at = static_cast<std::size_t>(s) * units_ + static_cast<std::size_t>(i);
        const real by = pull[at] * y.saved[at] * (1 - y.saved[at]);
        if (by != 0) pulled.push_back({slots.winners(s)[i], slots.context(s), by});
      }
    }
    // By segment, so that those that several contexts chose are one row.
    std::ranges::stable_sort(pulled, {}, &Pulled::row);
    write_block(pulled, block);
    store_->add_gradient(id_, block);
    const double once = 1.0 * length_;
    return {static_cast<double>(pulled.size()) * once,
            1.0 * post.rows() * units_ * segments_ * once};
  }

 private:
  struct Pulled {
    std::int32_t row, context;
    real by;
  };
  /// Record::index, read.
  struct Slots {
    int count, units;
    const std::int32_t* of_row;
    const std::int32_t* rest;
    int context(int slot) const { return rest[static_cast<std::ptrdiff_t>(slot) * (units + 1)]; }
    const std::int32_t* winners(int slot) const {
      return rest + static_cast<std::ptrdiff_t>(slot) * (units + 1) + 1;
    }
  };
  Slots slots_of(const Record& y, int rows) const {
    const auto rest = static_cast<int>(y.index.size()) - rows;
    return {rest / (units_ + 1), units_, y.index.data(), y.index.data() + rows};
  }
  const real* gates(const Record& y, int row) const {
    return y.saved.data() +
           static_cast<std::size_t>(y.index[static_cast<std::size_t>(row)]) * units_;
  }

  /// Numbers the contexts of a batch in the order in which they occur.
  void list_contexts(CMat context, std::vector<std::int32_t>& index) const {
    const int rows = context.rows;
    thread_local std::vector<std::int32_t> found;
    found.clear();
    index.resize(static_cast<std::size_t>(rows));
    for (int b = 0; b < rows; ++b) {
      const auto number = static_cast<std::int32_t>(context.row(b)[0]);
      const auto known = std::ranges::find(found, number);
      index[static_cast<std::size_t>(b)] = static_cast<std::int32_t>(known - found.begin());
      if (known == found.end()) found.push_back(number);
    }
    const auto width = static_cast<std::size_t>(units_) + 1;
    index.resize(static_cast<std::size_t>(rows) + found.size() * width);
    for (std::size_t s = 0; s < found.size(); ++s)
      index[static_cast<std::size_t>(rows) + s * width] = found[s];
  }

  /// Winners and gates of every slot.
  void excite(const Slots& slots, Record& y) const {
    auto& [context, activation, changed, gates] = remembered_;
    const bool some = store_->take_changes(id_, changed);
    if (!some || !changed.empty())
      for (Gates& of_context : gates)
        of_context.current = false;
    thread_local std::vector<int> missing;  // slots
    missing.clear();
    for (int s = 0; s < slots.count; ++s)
      if (!recall_gates(slots, s, y)) missing.push_back(s);

    const bool single = slots.count == 1 && slots.context(0) != kNoContext;
    if (!single && (!some || !changed.empty())) context.clear();
    if (missing.empty()) return;
    if (single) {
      recall_activation(contexts_->value().row(slots.context(0)), some);
      choose(slots, missing, y,
             [&](int, int k) { return activation[static_cast<std::size_t>(k)]; });
    } else {
      const CMat segments = std::as_const(*store_).value(id_), contexts = contexts_->value();
      choose(slots, missing, y,
             [&](int number, int k) { return dot(segments.row(k), contexts.row(number)); });
    }
    for (const int s : missing)
      remember_gates(slots, s, y);
  }
  /// With activation(context, segment). Unit by unit, so that its segments are in the cache for all
  /// contexts of the batch.
  template <class Activation>
  void choose(const Slots& slots, const std::vector<int>& which, Record& y,
              Activation activation) const {
    std::int32_t* const rest = y.index.data() + (slots.rest - slots.of_row);
    for_rows(units_, [&, slot = which.data(), count = which.size()](int i) {
      for (std::size_t at = 0; at < count; ++at) {
        const int s = slot[at], number = slots.context(s);
        real strongest = 0;
        int winner = i * segments_;
        for (int k = i * segments_; number != kNoContext && k < (i + 1) * segments_; ++k) {
          const real a = activation(number, k);
          if (std::abs(a) > std::abs(strongest)) strongest = a, winner = k;
        }
        rest[static_cast<std::ptrdiff_t>(s) * (units_ + 1) + 1 + i] = winner;
        y.saved[static_cast<std::size_t>(s) * units_ + static_cast<std::size_t>(i)] =
            1 / (1 + std::exp(-strongest));
      }
    });
  }

  /// Brings remembered_.activation up to date under a context [length]; `some`: only rows in
  /// remembered_.changed have moved.
  void recall_activation(const real* context, bool some) const {
    const CMat segments = std::as_const(*store_).value(id_);
    auto& [of, activation, changed, gates] = remembered_;
    if (some && std::equal(of.begin(), of.end(), context, context + length_)) {
      for_rows(static_cast<int>(changed.size()), [&](int i) {
        const auto k = static_cast<std::size_t>(changed[static_cast<std::size_t>(i)]);
        activation[k] = dot(segments.row(static_cast<int>(k)), context);
      });
      return;
    }
    of.assign(context, context + length_);
    activation.resize(static_cast<std::size_t>(segments.rows));
    for_rows(segments.rows, [&](int k) {
      activation[static_cast<std::size_t>(k)] = dot(segments.row(k), context);
    });
  }
  /// Winners and gates of a slot, if they are remembered.
  bool recall_gates(const Slots& slots, int slot, Record& y) const {
    const int number = slots.context(slot);
    if (number == kNoContext || static_cast<std::size_t>(number) >= remembered_.gates.size())
      return false;
    const Gates& known = remembered_.gates[static_cast<std::size_t>(number)];
    const real* const context = contexts_->value().row(number);
    if (!known.current || !std::equal(known.context.begin(), known.context.end(), context))
      return false;
    const auto at = static_cast<std::ptrdiff_t>(slot);
    std::ranges::copy(known.winner, y.index.begin() + (slots.winners(slot) - slots.of_row));
    std::ranges::copy(known.gate, y.saved.begin() + at * units_);
    return true;
  }
  void remember_gates(const Slots& slots, int slot, const Record& y) const {
    const int number = slots.context(slot);
    if (number == kNoContext) return;
    auto& gates = remembered_.gates;
    gates.resize(std::max(gates.size(), static_cast<std::size_t>(number) + 1));
    Gates& known = gates[static_cast<std::size_t>(number)];
    const real* const context = contexts_->value().row(number);
    const real* const gate = y.saved.data() + static_cast<std::size_t>(slot) * units_;
    known.context.assign(context, context + length_);
    known.winner.assign(slots.winners(slot), slots.winners(slot) + units_);
    known.gate.assign(gate, gate + units_);
    known.current = true;
  }
  real dot(const real* u, const real* c) const {
    real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int i = 0; i < length_; ++i)
      sum += u[i] * c[i];
    return sum;
  }

  /// block <- the rows that were pulled, each along its contexts.
  void write_block(const std::vector<Pulled>& pulled, GradientBlock& block) const {
    thread_local std::vector<std::size_t> begin;
    begin.clear(), block.rows.clear();
    for (std::size_t i = 0; i < pulled.size(); ++i)
      if (i == 0 || pulled[i].row != pulled[i - 1].row)
        begin.push_back(i), block.rows.push_back(pulled[i].row);
    begin.push_back(pulled.size());
    block.all_rows = false, block.all_cols = true;
    block.value.resize(block.rows.size() * static_cast<std::size_t>(length_));
    const CMat contexts = contexts_->value();
    for_rows(static_cast<int>(block.rows.size()),
             [&, begin = begin.data(), values = block.value.data()](int r) {
               real* const to = values + static_cast<std::size_t>(r) * length_;
               std::fill_n(to, length_, real{0});
               for (std::size_t i = begin[r]; i < begin[r + 1]; ++i) {
                 const real* const c = contexts.row(pulled[i].context);
#pragma omp simd
                 for (int j = 0; j < length_; ++j)
                   to[j] += pulled[i].by * c[j];
               }
             });
  }

  /// What the segments made of a context [length].
  struct Gates {
    bool current = false;  ///< no weight has changed since
    std::vector<real> context, gate;
    std::vector<std::int32_t> winner;
  };
  /// No result depends on what is remembered.
  struct Remembered {
    std::vector<real> context, activation;  ///< of all segments under one context, or empty
    std::vector<std::int32_t> changed;      ///< rows, since the segments were read last
    std::vector<Gates> gates;               ///< by the number of the context
  };

  int segments_;
  double init_share_;
  SharedContexts contexts_;
  mutable Remembered remembered_;
  ParamStore* store_ = nullptr;
  int id_ = -1, units_ = 0, length_ = 0;
};

}  // namespace

LayerPtr dendrites(int segments, double init_share, SharedContexts contexts) {
  return std::make_unique<Dendrites>(segments, init_share, std::move(contexts));
}

}  // namespace engram
