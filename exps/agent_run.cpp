#include "exps/agent_run.h"

#include <algorithm>
#include <cmath>
#include <system_error>

#include <fmt/format.h>

#include "exps/agent_evaluator.h"
#include "exps/agent_settings.h"
#include "exps/checkpoint.h"
#include "exps/looks/pictures.h"
#include "exps/run_parts.h"
#include "models/saved_weights.h"
#include "utils/digest.h"
#include "utils/error.h"
#include "utils/find_entry.h"
#include "utils/provenance.h"

namespace engram {
namespace {

Table empty_table(std::size_t rows, std::size_t columns) {
  Table table = Table::from_shape({rows, columns});
  table.fill(kNotEvaluated);
  return table;
}

/// Builds the parts, watches the loop, fills the record and keeps the files.
class AgentRun final : public AgentObserver {
 public:
  AgentRun(const Settings& settings, const RunRequest& request)
      : s_(settings),
        request_(request),
        regimes_(regimes_of(settings)),
        minds_(make_minds(settings, regimes_, request.seed)),
        evaluator_(settings, regimes_) {
    start_record();
  }

  RunOutcome execute() {
    if (!minds_.net) return look_alone();
    AgentLearner learner(
        s_.agent, s_.learner.schedule, s_.optimizer,
        {*minds_.agent, *minds_.net, *minds_.rule, *minds_.optimizer, minds_.strategies}, regimes_,
        root_of(s_.rule.data_seed, request_.seed));
    learner_ = &learner;
    if (request_.resume && std::filesystem::exists(request_.files.checkpoint())) resume();
    checkpoints_.restart(), learning_since_ = Clock::now();
    done_before_ = done(cursor_);
    if (!learner.run(cursor_, *this)) {
      save(cursor_);
      return RunOutcome::Interrupted;
    }
    if (s_.evaluation.keep_weights) save_weights(request_.files.weights(), *minds_.net);
    return finish();
  }

  void before_training() override {
    measure_levels();
    evaluate_row(0);
    if (s_.agent.film_frames > 0) film(0);
    note_point(0, 0, kNotEvaluated);
    save_record();
    forget_weights(request_.files);
    learning_since_ = Clock::now();
  }

  void after_step(const Cursor& c, double epsilon) override {
    record_.optimizer_steps = c.total_steps;
    if (request_.progress) report(c, epsilon, false);
  }

  void after_epoch(const EpochRow& row, std::int64_t interactions, double mean_return) override {
    record_.epochs.push_back(row);
    record_.train_macs += row.macs;
    note_point(row.experience, interactions, mean_return);
  }

  void after_regime(int regime) override {
    double seconds = 0;
    for (const EpochRow& row : record_.epochs)
      if (row.experience == regime) seconds += row.seconds;
    record_.task_seconds[static_cast<std::size_t>(regime)] = seconds;
    evaluate_row(regime + 1);
    if (s_.agent.film_frames > 0) film(regime + 1);
    // What the next regime finds the agent able to do.
    if (regime + 1 < regimes_.count()) note_point(regime + 1, 0, kNotEvaluated);
    save_record();
  }

  void may_save(const Cursor& next) override {
    if (checkpoints_.due() || stop_requested()) save(next);
  }

  bool stop_requested() override { return request_.stop && request_.stop->load(); }

 private:
  ReturnRecord& returns() { return *record_.returns; }
  std::size_t count() const { return static_cast<std::size_t>(regimes_.count()); }

  void start_record() {
    record_.experiment = s_.experiment, record_.seed = request_.seed;
    record_.config_text = s_.config.resolved_text();
    record_.config_sources = s_.config.resolved_sources();
    record_.model_text = minds_.net ? minds_.net->describe() : "no network\n";
    record_.provenance = collect_provenance();
    record_.provenance.emplace_back("stream", regimes_.make(0, Role::Train)->describe());
    record_.provenance.emplace_back("config_sha256", sha256(record_.config_text));
    for (const auto& fact : request_.facts)
      record_.provenance.push_back(fact);
    const std::size_t n = count();
    record_.accuracy = empty_table(n + 1, n);
    record_.task_seconds.assign(n, kNotEvaluated);
    record_.evaluate_seconds.assign(n + 1, kNotEvaluated);
    record_.task_names = regimes_.names;
    for (int r = 0; r < regimes_.count(); ++r)
      record_.test_sizes.push_back(evaluator_.episodes(r));
    if (minds_.net) record_.weight_layers = minds_.net->weight_layers();
    ReturnRecord returns{.simulation = s_.stream.benchmark,
                         .agent = s_.agent.agent,
                         .returns = empty_table(n + 1, n),
                         .random = std::vector<double>(n, kNotEvaluated),
                         .expert = std::vector<double>(n, kNotEvaluated),
                         .measure_names = evaluator_.measure_names(),
                         .measures = {},
                         .random_measures = {},
                         .expert_measures = {},
                         .curve = {}};
    const std::size_t measures = returns.measure_names.size();
    returns.measures.assign(measures, empty_table(n + 1, n));
    returns.random_measures = returns.expert_measures = empty_table(measures, n);
    record_.returns = std::move(returns);
  }

  void measure_levels() {
    const auto level = [&](const char* name, std::vector<double>& mean, Table& measures) {
      Config none;
      const auto world = regimes_.make(0, Role::Train);
      const auto agent = find_entry(agents(), std::string(name), "agent").make(none, {*world});
      for (std::size_t r = 0; r < count(); ++r) {
        const Outcome outcome = evaluator_.play(*agent, static_cast<int>(r));
        mean[r] = outcome.mean_return;
        for (std::size_t m = 0; m < outcome.measures.size(); ++m)
          measures(m, r) = outcome.measures[m];
        if (request_.progress) report(cursor_, kNotEvaluated, true);
      }
    };
    level("random", returns().random, returns().random_measures);
    level("expert", returns().expert, returns().expert_measures);
  }

  void evaluate_row(int row) {
    const auto started = Clock::now();
    const auto i = static_cast<std::size_t>(row);
    for (std::size_t r = 0; r < count(); ++r) {
      const Outcome outcome = evaluator_.play(*minds_.agent, static_cast<int>(r));
      returns().returns(i, r) = outcome.mean_return;
      record_.accuracy(i, r) = returns().score(r, outcome.mean_return);
      for (std::size_t m = 0; m < outcome.measures.size(); ++m)
        returns().measures[m](i, r) = outcome.measures[m];
      if (request_.progress) report(cursor_, kNotEvaluated, true);
    }
    record_.evaluate_seconds[i] = since(started);
    record_.test_macs += minds_.agent->take_macs();
  }

  /// Where a row of the matrix was just filled, it says what the agent is worth; else it plays.
  void note_point(int regime, std::int64_t interactions, double train_return) {
    const auto r = static_cast<std::size_t>(regime);
    LearningPoint point{regime,        std::int64_t{regime} * per_regime() + interactions,
                        train_return,  kNotEvaluated,
                        kNotEvaluated, {}};
    if (interactions == 0) {
      point.test_return = returns().returns(r, r);
      for (const Table& measure : returns().measures)
        point.measures.push_back(measure(r, r));
    } else {
      Outcome outcome = evaluator_.play(*minds_.agent, regime);
      point.test_return = outcome.mean_return;
      point.measures = std::move(outcome.measures);
    }
    record_.test_macs += minds_.agent->take_macs();
    point.score = returns().score(r, point.test_return);
    returns().curve.push_back(std::move(point));
  }

  /// Interactions that a regime takes: whole steps of all bodies.
  std::int64_t per_regime() {
    if (per_regime_ == 0) {
      const std::int64_t bodies = regimes_.make(0, Role::Train)->bodies();
      per_regime_ = (s_.agent.steps_per_regime + bodies - 1) / bodies * bodies;
    }
    return per_regime_;
  }

  void film(int row) {
    const int regime = std::max(0, row - 1);
    const auto frames = evaluator_.film(*minds_.agent, regime, s_.agent.film_frames);
    minds_.agent->take_macs();             // a film is not a test
    if (frames[0].pixels.empty()) return;  // a world that cannot be seen
    const auto side = [](int n) { return static_cast<std::size_t>(n); };
    PictureRecord& set = picture_set(
        record_,
        {.name = kFilm,
         .description = fmt::format("{} frames of a test episode of {}, from its beginning "
                                    "to its end, in the regime learnt last",
                                    frames.size(), s_.stream.benchmark),
         .moments = {},
         .height = side(frames[0].height),
         .width = side(frames[0].width),
         .channels = 3,
         .count = frames.size(),
         .pixels = {},
         .labels = {},
         .components = {},
         .columns = std::min<std::size_t>(frames.size(), 6)});
    const std::string& name = regimes_.names[static_cast<std::size_t>(regime)];
    set.moments.push_back(row == 0 ? name + ", before training" : "after " + name);
    for (const Frame& frame : frames) {
      set.pixels.insert(set.pixels.end(), frame.pixels.begin(), frame.pixels.end());
      set.labels.push_back(-1), set.components.push_back(-1);
    }
  }

  /// Agents that do not learn are the same after every regime.
  RunOutcome look_alone() {
    measure_levels();
    for (int row = 0; row <= regimes_.count(); ++row) {
      if (stop_requested()) return RunOutcome::Interrupted;
      evaluate_row(row);
      if (s_.agent.film_frames > 0 && row > 0) film(row);
      if (row < regimes_.count()) note_point(row, 0, kNotEvaluated);
      if (row > 0) {
        note_point(row - 1, per_regime(), kNotEvaluated);
        record_.task_seconds[static_cast<std::size_t>(row - 1)] = 0;
      }
    }
    std::ranges::stable_sort(returns().curve, {}, &LearningPoint::experience);
    return finish();
  }

  RunOutcome finish() {
    record_.complete = true;
    save_record();
    std::error_code ignored;
    std::filesystem::remove(request_.files.checkpoint(), ignored);
    return RunOutcome::Finished;
  }

  RunParts parts(Cursor& at) {
    return {*minds_.net, *minds_.optimizer,     *minds_.rule, minds_.strategies, at, record_,
            {},          minds_.agent->state(), &world_};
  }

  void save(Cursor at) {
    world_ = learner_->save();
    note_seconds(record_, seconds_so_far());
    checkpoints_.time([&] { save_checkpoint(request_.files.checkpoint(), parts(at)); });
  }

  void resume() {
    const Facts now = record_.provenance;
    load_checkpoint(request_.files.checkpoint(), parts(cursor_));
    learner_->load(world_);
    seconds_before_ = note_resumed(record_, now);
  }

  double seconds_so_far() const { return seconds_before_ + since(started_); }

  void save_record() {
    keep_record(record_, request_.files.results(), seconds_so_far(),
                s_.evaluation.forgetting_definition);
  }

  /// Regimes that are learnt at a cursor.
  double done(const Cursor& c) {
    return c.experience + static_cast<double>(c.step) / static_cast<double>(per_regime());
  }

  void report(const Cursor& c, double epsilon, bool evaluating) {
    Progress p;
    p.experience = c.experience, p.experiences = regimes_.count();
    p.epoch = c.epoch, p.epochs = (s_.agent.steps_per_regime - 1) / s_.agent.evaluate_every + 1;
    p.acts = true, p.evaluating = evaluating, p.epsilon = epsilon;
    p.loss = c.examples > 0 ? c.loss / static_cast<double>(c.examples) : kNotEvaluated;
    p.mean_return = p.score = kNotEvaluated;
    if (!returns().curve.empty())
      p.mean_return = returns().curve.back().test_return, p.score = returns().curve.back().score;
    p.seconds = since(started_);
    const double learnt = done(c) - done_before_, left = regimes_.count() - done(c);
    p.fraction = done(c) / regimes_.count();
    p.seconds_left = learnt > 0 ? since(learning_since_) / learnt * left : 0;
    request_.progress(p);
  }

  const Settings& s_;
  const RunRequest& request_;
  Regimes regimes_;
  Minds minds_;
  AgentEvaluator evaluator_;
  RunRecord record_;
  Cursor cursor_;
  AgentLearner* learner_ = nullptr;
  std::vector<double> world_;  ///< as the loop saves it
  std::int64_t per_regime_ = 0;
  Clock::time_point started_ = Clock::now();
  CheckpointClock checkpoints_{request_.checkpoint_seconds};
  Clock::time_point learning_since_ = Clock::now();
  double done_before_ = 0;  ///< regimes, by the processes that this one goes on from
  double seconds_before_ = 0;
};

}  // namespace

RunOutcome execute_agent_run(const Settings& settings, const RunRequest& request) {
  return AgentRun(settings, request).execute();
}

}  // namespace engram
