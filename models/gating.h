// Which units an example of a task may use. A gating gives every relu of a network a mask for each
// task; behind the mask a unit is silent and does not learn. The task must be known at test time.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/feedback.h"
#include "models/param_store.h"
#include "utils/options.h"
#include "utils/rng.h"

namespace engram {

class Network;

enum class Instruction { Live, Frozen };
template <>
struct Choices<Instruction> {
  static constexpr std::array<std::string_view, 2> names{"live", "frozen"};
};

struct GatingOptions {
  std::string gating = "none";
  bool on() const { return gating != "none"; }
  std::optional<double> keep_fraction;
  Instruction instruction = Instruction::Live;
  int embedding = 50;
  double min_active = 0.05;

  template <class V>
  void describe(V&& v) {
    v("gating", gating,
      "units that a task may use: none (all), or a gating of `engram list gatings`");
    v("gating.keep_fraction", keep_fraction, Range::above(0).at_most(1),
      "xdg: share of the units of a layer that a task may use (auto: 0.2); top_down: only so many "
      "of the strongest stay (auto: all that are positive)");
    v("gating.instruction", instruction,
      "top_down: masks follow the top-down weights as they learn, or are those of the start");
    v("gating.embedding", embedding, Range::at_least(0),
      "top_down: width of the layer between task and network; 0: none");
    v("gating.min_active", min_active, Range::fraction(),
      "top_down: every task has at least this share of active units in every layer at the start, "
      "or its code is drawn again");
  }
};

/// One gated layer.
struct GatedLayer {
  int layer = 0;
  int units = 0;
};

/// The mask of one layer, [tasks, units]: 1 where a task may use a unit and 0 elsewhere.
using GateMask = std::span<const real>;

class Gating {
 public:
  Gating(const GatingOptions& options, int tasks) : o_(options), tasks_(tasks) {}
  virtual ~Gating() = default;
  /// For people: "random masks, 20 % of the units".
  virtual std::string describe() const = 0;
  /// Declares what is saved with the model, once the layers have bound. Error(Config) when nothing
  /// can be gated.
  virtual void bind(const Network& net, const FeedbackPlan& plan, ParamStore& store) = 0;
  /// After the weights are there.
  virtual void init(const Network& net, Rng rng) = 0;
  /// Brings masks that follow the weights up to date.
  virtual void refresh(const Network&) {}
  /// The mask of layers()[level], as of the last refresh; good until the next.
  virtual GateMask mask(std::size_t level) const = 0;

  /// Sets the gates of the records that a forward pass is about to fill.
  void open(const Network& net, std::vector<Record>& tape);

  const std::vector<GatedLayer>& layers() const { return layers_; }
  int tasks() const { return tasks_; }

 protected:
  /// Finds the relus; refuses networks without.
  void find_layers(const Network& net);

  GatingOptions o_;
  int tasks_;
  std::vector<GatedLayer> layers_;
};

/// Masks that are drawn once and kept as state of the model.
class StoredMasks {
 public:
  void bind(const Network& net, const std::vector<GatedLayer>& layers, int tasks,
            ParamStore& store);
  void write(std::size_t level, GateMask mask);
  GateMask read(std::size_t level) const;

 private:
  ParamStore* store_ = nullptr;
  std::vector<int> ids_;
};

/// The table of gatings.
struct GatingEntry {
  std::string_view name, summary, paper;
  std::unique_ptr<Gating> (*make)(const GatingOptions&, int tasks);
};
std::span<const GatingEntry> gatings();
/// Null for "none"; Error(Config) for an unknown name.
std::unique_ptr<Gating> make_gating(const GatingOptions&, int tasks);

std::unique_ptr<Gating> make_xdg(const GatingOptions&, int tasks);       // gatings/xdg.cpp
std::unique_ptr<Gating> make_top_down(const GatingOptions&, int tasks);  // gatings/top_down.cpp

}  // namespace engram
