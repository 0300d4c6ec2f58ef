#include "learners/dark_experience.h"

#include <fmt/format.h>

#include "learners/row_weights.h"
#include "utils/error.h"

namespace engram {
namespace {

class DarkExperience final : public Strategy {
 public:
  DarkExperience(const DarkOptions& options, const StrategyContext& context,
                 const std::string& own_name)
      : o_(options),
        stream_(own_name),
        outputs_(context.net.outputs()),
        memory_(options.memory, context, own_name, outputs_) {
    if (o_.memory.insert != InsertAt::Step)
      throw Error(Fault::Config,
                  fmt::format("{0}.insert = task_end: {0} remembers what the network said when it "
                              "learnt an example; use step",
                              own_name));
  }

  Provides needs() const override { return Provides::OutputError; }
  bool needs_borders() const override { return memory_.needs_borders(); }
  bool needs_examples() const override { return true; }
  bool replays() const override { return true; }

  void extend_batch(Training& t, Batch& batch) override {
    const int count = o_.batch > 0 ? o_.batch : batch.own_rows();
    const Rng rng = rng_of(t);
    dark_ = labelled_ = {}, said_.clear();
    if (o_.alpha > 0) {
      memory_.draw(count, rng.fork("logits"), slots_);
      dark_ = add(t, slots_, batch);
      for (int b = dark_.first; b < dark_.first + dark_.count; ++b)
        batch.target[static_cast<std::size_t>(b)] = -1;
    }
    if (o_.beta > 0) {
      memory_.draw(count, rng.fork("labels"), others_);
      labelled_ = add(t, others_, batch);
    }
  }

  void shape_error(Training&, const Batch& batch, CMat logits, Mat error) override {
    if (labelled_.count > 0) {
      weigh_rows(batch, 0, batch.own_rows(), 1, error);
      weigh_rows(batch, labelled_.first, labelled_.count, o_.beta, error);
    }
    const double terms = static_cast<double>(dark_.count) * outputs_;
    const auto slope = static_cast<real>(dark_.count > 0 ? 2 * o_.alpha / terms : 0);
    for (int i = 0; i < dark_.count; ++i) {
      const auto then = memory_.beside(slots_[static_cast<std::size_t>(i)]);
      const real* const now = logits.row(dark_.first + i);
      real* const to = error.row(dark_.first + i);
      for (int y = 0; y < outputs_; ++y)
        to[y] += slope * (now[y] - then[static_cast<std::size_t>(y)]);
    }
    said_.assign(logits.data, logits.row(0) + static_cast<std::ptrdiff_t>(batch.own_rows()) *
                                                  static_cast<std::ptrdiff_t>(outputs_));
  }
  void after_step(Training& t, const Batch& batch) override {
    if (!said_.empty()) memory_.take_batch(t, batch, rng_of(t), said_);
  }
  std::vector<std::span<real>> state() override { return memory_.state(); }

 private:
  struct Rows {
    int first = 0, count = 0;
  };
  Rows add(Training& t, const std::vector<std::uint32_t>& slots, Batch& batch) {
    const Rows rows{batch.rows(), static_cast<int>(slots.size())};
    memory_.append(t, slots, batch);
    return rows;
  }
  Rng rng_of(const Training& t) const {
    return t.rng.fork(stream_, static_cast<std::uint64_t>(t.step));
  }

  DarkOptions o_;
  std::string stream_;
  int outputs_;
  ExampleMemory memory_;
  std::vector<std::uint32_t> slots_, others_;  ///< of both draws
  Rows dark_, labelled_;
  std::vector<real> said_;  ///< logits of the batch's own rows
};

}  // namespace

std::unique_ptr<Strategy> make_dark_experience(const DarkOptions& options,
                                               const StrategyContext& context,
                                               const std::string& name) {
  return std::make_unique<DarkExperience>(options, context, name);
}

}  // namespace engram
