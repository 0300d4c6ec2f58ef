#include "exps/run.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <system_error>

#include <fmt/format.h>

#include "benchmarks/stream_table.h"
#include "exps/agent_run.h"
#include "exps/checkpoint.h"
#include "exps/evaluator.h"
#include "exps/gate_log.h"
#include "exps/goodness_log.h"
#include "exps/looks/looks.h"
#include "exps/moment.h"
#include "exps/portrait.h"
#include "exps/recorded_settings.h"
#include "exps/results_file.h"
#include "exps/run_parts.h"
#include "exps/starting_weights.h"
#include "learners/gather_images.h"
#include "learners/registry.h"
#include "models/registry.h"
#include "models/saved_weights.h"
#include "utils/digest.h"
#include "utils/error.h"
#include "utils/file_lock.h"
#include "utils/parallel.h"
#include "utils/provenance.h"

namespace engram {
namespace {

/// Builds the parts, watches the loop, fills the record and keeps the files.
class Run final : public Observer {
 public:
  Run(const Settings& settings, const Dataset& data, const RunRequest& request)
      : s_(settings),
        request_(request),
        stream_(make_stream(s_.stream, data, request.seed)),
        targets_(*stream_, s_.scenario),
        rule_(make_rule(s_)),
        net_(build_model(s_.model, stream_->shape(), head_shape(s_, targets_),
                         root_of(s_.rule.init_seed, request.seed).fork("init"), 1,
                         rule_->feedback())),
        optimizer_(make_optimizer(s_.optimizer, net_->params())),
        evaluator_(*net_, targets_, s_.evaluation, s_.learner.batch_size),
        data_rng_(root_of(s_.rule.data_seed, request.seed)),
        goodness_(*net_),
        looks_(*net_, targets_, *stream_, s_.evaluation, data_rng_.fork("looks")) {
    // What resumes has its weights in the checkpoint.
    if (!request_.resume || !std::filesystem::exists(request_.files.checkpoint()))
      begun_ = start_from_weights(s_.fine_tuning, request_.files, *net_);
    rule_->prepare(*net_, root_of(s_.rule.init_seed, request.seed).fork("rule"));
    strategies_ = make_strategies(
        s_.rule.strategies, s_.config,
        {*net_, stream_.get(), &targets_, s_.learner.batch_size, s_.rule.loss, rule_.get()});
    start_record(data);
  }

  RunOutcome execute() {
    const RunParts parts{*net_, *optimizer_, *rule_, strategies_, cursor_, record_, looks_.state()};
    if (request_.resume && std::filesystem::exists(request_.files.checkpoint())) {
      const Facts now = record_.provenance;
      load_checkpoint(request_.files.checkpoint(), parts);
      seconds_before_ = note_resumed(record_, now);
      tested_before_ = record_.test_macs;
    }
    steps_before_ = cursor_.total_steps;
    checkpoints_.restart();
    Learner learner(s_.learner, *net_, *rule_, *optimizer_, s_.optimizer, strategies_, targets_,
                    data_rng_);
    learner_ = &learner;
    if (!learner.run(*stream_, cursor_, *this)) {
      note_seconds(record_, seconds_so_far());
      save_checkpoint(request_.files.checkpoint(), parts);
      return RunOutcome::Interrupted;
    }
    record_.complete = true;
    if (s_.evaluation.keep_weights) save_weights(request_.files.weights(), *net_);
    save_record();
    std::error_code ignored;
    std::filesystem::remove(request_.files.checkpoint(), ignored);
    return RunOutcome::Finished;
  }

  void before_training() override {
    fit_input();
    evaluate_row(untrained_moment(*stream_));
    save_record();
    forget_weights(request_.files);
  }

  void before_step(const Cursor& c) override {
    if (s_.evaluation.probe_every == 0 || c.total_steps % s_.evaluation.probe_every != 0) return;
    if (!record_.steps.empty() && record_.steps.back().step == c.total_steps) return;
    StepRow row{c.total_steps,
                c.experience,
                cursor_.window_examples > 0 ? cursor_.window_correct / cursor_.window_examples
                                            : kNotEvaluated,
                {}};
    cursor_.window_correct = cursor_.window_examples = 0;
    const Moment end = end_of_phase(c.experience);
    for (int task = 0; task < stream_->tasks(); ++task) {
      if (task >= end.learnt) {
        row.probe_accuracy.push_back(kNotEvaluated);
        continue;
      }
      const TestScope scope(strategies_, *net_, task);
      row.probe_accuracy.push_back(evaluator_.accuracy(probe(task), task, end.seen));
    }
    record_.steps.push_back(std::move(row));
    count_test_macs();
  }

  void after_step(const Cursor& c, const BatchStats& stats, int rows, std::int64_t steps,
                  int epochs) override {
    record_.optimizer_steps = optimizer_->taken();
    labelled_ = stats.labelled;
    if (labelled_) cursor_.window_correct += stats.correct, cursor_.window_examples += rows;
    steps_in_epoch_ = steps;
    if (request_.progress) report(c, epochs, false);
  }

  void after_epoch(const EpochRow& row) override {
    record_.epochs.push_back(row);
    record_.train_macs += row.macs;
  }

  void after_experience(const Experience& experience) override {
    double seconds = 0;
    for (const EpochRow& row : record_.epochs)
      if (row.experience == cursor_.experience) seconds += row.seconds;
    record_.task_seconds[static_cast<std::size_t>(cursor_.experience)] = seconds;
    record_.optimizer_steps = optimizer_->taken();  // gdumb's are made when a task ends
    evaluate_row(moment_after(*stream_, cursor_.experience, experience.seen));
    save_record();
  }

  void may_save(const Cursor& next) override {
    if (!checkpoints_.due() && !stop_requested()) return;
    Cursor at = next;
    note_seconds(record_, seconds_so_far());
    checkpoints_.time([&] {
      save_checkpoint(request_.files.checkpoint(),
                      {*net_, *optimizer_, *rule_, strategies_, at, record_, looks_.state()});
    });
  }

  bool stop_requested() override { return request_.stop && request_.stop->load(); }

 private:
  /// Shows images of the first task to a layer that wants to know what is coming.
  void fit_input() {
    constexpr int kImages = 10'000;
    if (!net_->layer(0).fits() || begun_.input) return;
    const ExampleSet train = stream_->experience(0).train;
    Signal images;
    gather_images(train, some_places(train.size(), kImages, data_rng_.fork("fit")), images);
    net_->layer(0).fit(images.value());
  }

  void start_record(const Dataset& data) {
    const int tasks = stream_->tasks();
    record_.experiment = s_.experiment, record_.seed = request_.seed;
    record_.config_text = s_.config.resolved_text();
    record_.config_sources = s_.config.resolved_sources();
    record_.model_text = net_->describe();
    record_.provenance = collect_provenance();
    record_.provenance.emplace_back("stream", stream_->describe());
    record_.provenance.emplace_back("data_sha256", data.sha256);
    record_.provenance.emplace_back("config_sha256", sha256(record_.config_text));
    for (const Facts& facts : {begun_.facts, request_.facts})
      record_.provenance.insert(record_.provenance.end(), facts.begin(), facts.end());
    const auto n = static_cast<std::size_t>(tasks);
    const auto rows = static_cast<std::size_t>(matrix_rows(*stream_));
    for (int e = 0; rows > n + 1 && e < stream_->experiences(); ++e)
      record_.order.push_back(stream_->task_of(e));
    record_.accuracy = Table::from_shape({rows, n});
    record_.accuracy.fill(kNotEvaluated);
    record_.task_seconds.assign(static_cast<std::size_t>(stream_->experiences()), kNotEvaluated);
    record_.evaluate_seconds.assign(rows, kNotEvaluated);
    for (int t = 0; t < tasks; ++t) {
      record_.task_names.push_back(stream_->task_name(t));
      record_.test_sizes.push_back(static_cast<int>(test_set(t).size()));
    }
    record_.measure_names = rule_->measure_names();
    if (!s_.learner.record_stats) return;
    record_.weight_layers = net_->weight_layers();
    for (const int l : hidden_activations(*net_)) {
      const auto units = static_cast<std::size_t>(Evaluator::units_of(*net_, l));
      LayerRecord layer{.name = net_->layer_name(l),
                        .description = net_->layer(l).describe(),
                        .units = static_cast<int>(units),
                        .usage_learned = {},
                        .usage_final = {},
                        .active_fraction_test = {}};
      layer.usage_learned = xt::zeros<std::uint32_t>({n, units});
      layer.usage_final = xt::zeros<std::uint32_t>({n, units});
      layer.active_fraction_test.assign(n, kNotEvaluated);
      record_.layers.push_back(std::move(layer));
    }
  }

  ExampleSet test_set(int task) const {
    return s_.evaluation.evaluate_validation ? stream_->validation(task) : stream_->test(task);
  }

  /// The same few test examples of a task every time.
  const ExampleSet& probe(int task) {
    if (probes_.empty()) {
      for (int t = 0; t < stream_->tasks(); ++t) {
        const ExampleSet all = test_set(t);
        auto places = data_rng_.fork("probe", static_cast<std::uint64_t>(t))
                          .permutation(static_cast<std::uint32_t>(all.size()));
        places.resize(std::min(places.size(), static_cast<std::size_t>(s_.evaluation.probe_size)));
        probes_.push_back(all.subset(places));
      }
    }
    return probes_[static_cast<std::size_t>(task)];
  }

  /// The row that the phase fills when it is over.
  const Moment& end_of_phase(int e) {
    if (phase_ != e)
      phase_end_ = moment_after(*stream_, e, stream_->experience(e).seen), phase_ = e;
    return phase_end_;
  }

  /// Whether a row of the matrix tests a task (evaluate_tasks).
  bool is_tested(const Moment& m, int task) const {
    if (m.last) return true;
    switch (s_.evaluation.evaluate_tasks) {
      case EvaluateTasks::All:
        return true;
      case EvaluateTasks::Seen:
        return task < m.learnt;
      case EvaluateTasks::Current:
        return m.is_new(task);
      case EvaluateTasks::Last:
        break;
    }
    return false;
  }

  void evaluate_row(const Moment& m) {
    const auto started = Clock::now();
    const int tasks = stream_->tasks(), row = m.row;
    goodness_.start();
    if (goodness_.on()) evaluator_.watch(&goodness_);
    StrategyList none, &standing_in = row > 0 ? strategies_ : none;
    for (int task = 0; task < tasks; ++task) {
      if (!is_tested(m, task)) continue;
      const TestScope scope(standing_in, *net_, task);
      const bool learned_now = task == m.task;
      const bool count = s_.learner.record_stats && (learned_now || m.last);
      UnitUsage usage;
      record_.accuracy(static_cast<std::size_t>(row), static_cast<std::size_t>(task)) =
          evaluator_.accuracy(test_set(task), task, m.seen, count ? &usage : nullptr);
      if (count && !usage.counts.empty()) record_usage(task, usage, learned_now, m.last);
      if (request_.progress) report(cursor_, 0, true);
    }
    evaluator_.watch(nullptr);
    goodness_.finish(row, record_);
    if (row == 0) record_.pictures.clear(), record_.embeddings.clear();
    const TestScope scope(standing_in, *net_, std::max(0, m.task));
    take_pictures(m);
    looks_.take(m, record_);
    note_gates(*net_, m, record_);
    count_test_macs();
    record_.evaluate_seconds[static_cast<std::size_t>(row)] = since(started);
    evaluation_seconds_ += since(started), ++evaluations_;
  }

  void take_pictures(const Moment& m) {
    const Portrait portrait(*net_, targets_, *stream_, s_.evaluation, data_rng_.fork("portrait"));
    if (!portrait.on()) return;
    const int phase = std::clamp(m.row - 1, 0, stream_->experiences() - 1);
    portrait.take(m, stream_->experience(phase), record_);
  }

  void count_test_macs() {
    record_.test_macs = tested_before_;
    record_.test_macs += evaluator_.macs();
  }

  void record_usage(int task, const UnitUsage& usage, bool learned, bool last) {
    const auto t = static_cast<std::size_t>(task);
    for (std::size_t h = 0; h < record_.layers.size(); ++h) {
      LayerRecord& layer = record_.layers[h];
      for (std::size_t u = 0; u < usage.counts[h].size(); ++u) {
        if (learned) layer.usage_learned(t, u) = usage.counts[h][u];
        if (last) layer.usage_final(t, u) = usage.counts[h][u];
      }
      if (last) layer.active_fraction_test[t] = usage.active_fraction[h];
    }
  }

  double seconds_so_far() const { return seconds_before_ + since(started_); }

  void save_record() {
    keep_record(record_, request_.files.results(), seconds_so_far(),
                s_.evaluation.forgetting_definition);
  }

  void report(const Cursor& c, int epochs, bool evaluating) {
    Progress p;
    p.experience = c.experience, p.experiences = stream_->experiences();
    p.epoch = c.epoch, p.epochs = epochs, p.evaluating = evaluating;
    const double n = static_cast<double>(std::max<std::int64_t>(1, c.examples));
    p.labelled = labelled_;
    p.loss = c.loss / n, p.accuracy = c.correct / n, p.seconds = since(started_);
    // Work is counted in epochs, whose steps may be of several sizes; those to come are assumed to
    // be like those that were.
    double all = 0, done = c.epoch;
    for (int e = 0; learner_ && e < p.experiences; ++e) {
      all += learner_->epochs_of(e);
      if (e < c.experience) done += learner_->epochs_of(e);
    }
    if (steps_in_epoch_ > 0) {
      const auto steps = static_cast<double>(steps_in_epoch_);
      done += static_cast<double>(c.step) / steps;
      if (!done_before_)
        done_before_ = done - static_cast<double>(c.total_steps - steps_before_) / steps;
    }
    const double trained = done - done_before_.value_or(done);
    const double per_epoch = trained > 0 ? (p.seconds - evaluation_seconds_) / trained : 0;
    const double per_row = evaluations_ > 0 ? evaluation_seconds_ / evaluations_ : 0;
    p.seconds_left = (all - done) * per_epoch + (p.experiences - c.experience) * per_row;
    p.fraction = all > 0 ? done / all : 0;
    request_.progress(p);
  }

  const Settings& s_;
  const RunRequest& request_;
  std::unique_ptr<TaskStream> stream_;
  Targets targets_;
  std::unique_ptr<Rule> rule_;
  std::unique_ptr<Network> net_;
  std::unique_ptr<Optimizer> optimizer_;
  StrategyList strategies_;
  StartingWeights begun_;
  Evaluator evaluator_;
  Rng data_rng_;
  RunRecord record_;
  Cursor cursor_;
  Learner* learner_ = nullptr;
  GoodnessLog goodness_;
  Looks looks_;
  std::vector<ExampleSet> probes_;
  Moment phase_end_;  ///< of phase_, if that is one
  int phase_ = -1;
  std::int64_t steps_in_epoch_ = 0, steps_before_ = 0;
  Clock::time_point started_ = Clock::now();
  CheckpointClock checkpoints_{request_.checkpoint_seconds};
  std::optional<double> done_before_;  ///< epochs, by the processes that this one goes on from
  double evaluation_seconds_ = 0;
  int evaluations_ = 0;
  bool labelled_ = true;       ///< whether the last batch was learnt with labels
  Macs tested_before_;         ///< by the processes that this one goes on from
  double seconds_before_ = 0;  ///< likewise
};

}  // namespace

RunState run_state(const RunFiles& files, const Settings& settings, std::string* why) {
  const auto other = [why](const std::string& reason) {
    if (why) *why = reason;
    return RunState::Other;
  };
  const std::string wanted = settings.config.resolved_text();
  const auto difference = [&wanted](const std::filesystem::path& file, std::string_view recorded) {
    const std::string setting = settings_difference(recorded, wanted);
    return setting.empty()
               ? setting
               : fmt::format("{} was made with other settings: {}", file.string(), setting);
  };
  try {
    const auto head = peek_results(files.results());
    if (head)
      if (const auto d = difference(files.results(), head->config_text); !d.empty())
        return other(d);
    if (head && head->complete) return RunState::Complete;
    if (!std::filesystem::exists(files.checkpoint())) return RunState::New;
    const std::string begun_with = peek_checkpoint(files.checkpoint()).config_text;
    if (const auto d = difference(files.checkpoint(), begun_with); !d.empty()) return other(d);
    return RunState::Resumable;
  } catch (const Error& e) {
    return other(e.what());
  }
}

namespace {

namespace fs = std::filesystem;

/// Places in pictures that changed mean other examples: nothing is gone on with, and no mean taken,
/// across two states of a data set. What cannot be read tells nothing.
void refuse_other_data(const RunFiles& files, const Settings& settings, const Dataset& data) {
  const auto check = [&](const fs::path& file, const std::string& sha, const char* remedy) {
    if (sha.empty() || sha == data.sha256) return;
    throw Error(Fault::Data,
                fmt::format("{} is of other data: SHA-256 {}..., but {} now has {}...; put the "
                            "data back, or {}",
                            file.string(), sha.substr(0, 12), data.name, data.sha256.substr(0, 12),
                            remedy));
  };
  if (fs::exists(files.checkpoint()))
    check(files.checkpoint(), peek_checkpoint(files.checkpoint()).data_sha256,
          "start over with --force");
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(files.folder, ignored)) {
    if (!is_results_file(entry.path())) continue;
    std::optional<ResultsHead> head;
    try {
      head = peek_results(entry.path());
    } catch (const Error&) {
      continue;  // not ours
    }
    if (head && head->complete &&
        settings_difference(head->config_text, settings.config.resolved_text()).empty())
      check(entry.path(), head->data_sha256,
            "run all seeds anew with --force, or elsewhere with --name LABEL");
  }
}

/// What a run that begins anew must never go on from, whenever it is killed.
void remove_leftovers(const RunFiles& files) {
  for (const fs::path& file : {files.checkpoint(), files.divergence()})
    fs::remove(file);
}

}  // namespace

RunOutcome execute_run(const Settings& settings, const Dataset& data, const RunRequest& request) {
  return during(fmt::format("{} (seed {})", settings.experiment, request.seed), [&] {
    std::error_code said_when_written;
    std::filesystem::create_directories(request.files.folder, said_when_written);
    // Patient, for a process that was killed may not be gone yet.
    const FileLock lock(request.files.lock(), std::chrono::seconds(1));
    if (!lock.taken())
      throw Error(Fault::CannotWrite,
                  fmt::format("{} is at this run already; the same command collects it later, "
                              "--out DIR writes elsewhere",
                              lock.holder()));
    // Another process may have finished it since this one was planned.
    if (request.resume && run_state(request.files, settings) == RunState::Complete)
      return RunOutcome::Finished;
    if (!request.resume)
      remove_leftovers(request.files);
    else if (!settings.acts())
      refuse_other_data(request.files, settings, data);
    return settings.acts() ? execute_agent_run(settings, request)
                           : Run(settings, data, request).execute();
  });
}

}  // namespace engram
