// Formulas after the papers named in the definitions. Cells that a metric does not use may be NaN:
// the joint baseline fills rows 0 and T only and still has an average accuracy.
#include "exps/metrics.h"

#include <algorithm>
#include <cmath>

#include "utils/error.h"

namespace engram {
namespace {

/// Arithmetic mean that is NaN when empty or when an addend is.
class Mean {
 public:
  void add(double value, double weight = 1) { sum_ += value * weight, weight_ += weight; }
  double value() const { return weight_ > 0 ? sum_ / weight_ : kNotEvaluated; }

 private:
  double sum_ = 0, weight_ = 0;
};

/// Experiences and tasks, both counted from 1 as in the papers.
class Visits {
 public:
  Visits(const Table& accuracy, std::span<const int> order) {
    const std::size_t rows = accuracy.shape(0);
    tasks_ = static_cast<int>(accuracy.size() == 0 ? 0 : accuracy.shape(1));
    task_.resize(order.empty() ? static_cast<std::size_t>(tasks_) : order.size());
    for (std::size_t e = 0; e < task_.size(); ++e)
      task_[e] = 1 + (order.empty() ? static_cast<int>(e) : order[e]);
    ENGRAM_INVARIANT(accuracy.size() == 0 || rows == task_.size() + 1);
    first_.assign(static_cast<std::size_t>(tasks_) + 1, count() + 1);
    for (int e = count(); e >= 1; --e)
      first_.at(static_cast<std::size_t>(task(e))) = e;
  }
  int tasks() const { return tasks_; }
  int count() const { return static_cast<int>(task_.size()); }  ///< of experiences
  int task(int e) const { return task_[static_cast<std::size_t>(e - 1)]; }
  int first(int j) const { return first_[static_cast<std::size_t>(j)]; }
  bool seen(int j, int by) const { return first(j) <= by; }
  /// The last experience up to `by` that trained task j.
  int last(int j, int by) const {
    int e = by;
    while (e > 1 && task(e) != j)
      --e;
    return e;
  }

 private:
  int tasks_ = 0;
  std::vector<int> task_, first_;
};

/// R[i, j] as the papers count: after experience i (0: untrained), on task j = 1..T.
double after(const Table& accuracy, int i, int j) {
  return accuracy(static_cast<std::size_t>(i), static_cast<std::size_t>(j - 1));
}

/// The best of R[1..last, j]. Rows before task j was learnt count when they were evaluated.
double best(const Table& accuracy, const Visits& visits, int last, int j) {
  double highest = kNotEvaluated;
  for (int l = 1; l <= last; ++l) {
    const double value = after(accuracy, l, j);
    if (std::isnan(value) && l >= visits.first(j)) return kNotEvaluated;
    if (std::isnan(highest) || value > highest) highest = value;
  }
  return highest;
}

double forgetting_after(const Table& accuracy, const Visits& visits, int k,
                        ForgettingDefinition definition) {
  Mean mean;
  for (int j = 1; j <= visits.tasks(); ++j) {
    if (!visits.seen(j, k) || visits.task(k) == j) continue;
    double reference = kNotEvaluated;
    switch (definition) {
      case ForgettingDefinition::Chaudhry:
        reference = best(accuracy, visits, k - 1, j);
        break;
      case ForgettingDefinition::Avalanche:
        reference = after(accuracy, visits.last(j, k), j);
        break;
      case ForgettingDefinition::Mammoth:
        reference = best(accuracy, visits, k, j);
        break;
    }
    mean.add(reference - after(accuracy, k, j));
  }
  return mean.value();
}

const char* forgetting_text(ForgettingDefinition definition) {
  switch (definition) {
    case ForgettingDefinition::Chaudhry:
      return "mean over j < T of max over l = 1..T-1 of R[l,j], minus R[T,j]; rows before task j "
             "was learnt count when evaluated (Chaudhry et al. 2018)";
    case ForgettingDefinition::Avalanche:
      return "mean over j < T of R[j,j] - R[T,j], which is -BWT (as Avalanche computes it)";
    case ForgettingDefinition::Mammoth:
      return "mean over j < T of max over l = 1..T of R[l,j], minus R[T,j]; never negative (as "
             "Mammoth computes it)";
  }
  return "";
}

std::vector<Metric> from_matrix(const RunRecord& run, ForgettingDefinition definition) {
  const Table& r = run.accuracy;
  const Visits visits(r, run.order);
  const int end = visits.count();
  const bool sizes_known = run.test_sizes.size() == static_cast<std::size_t>(visits.tasks());
  Mean last, weighted, incremental, learnt, backward, forward;
  for (int j = 1; j <= visits.tasks(); ++j) {
    const int first = visits.first(j);
    last.add(after(r, end, j));
    if (sizes_known)
      weighted.add(after(r, end, j), run.test_sizes[static_cast<std::size_t>(j - 1)]);
    learnt.add(after(r, first, j));
    if (visits.task(end) != j) backward.add(after(r, end, j) - after(r, visits.last(j, end), j));
    if (first > 1) forward.add(after(r, first - 1, j) - after(r, 0, j));
  }
  for (const double value : average_accuracy_curve(r, run.order))
    incremental.add(value);
  // Where tasks come back, rows are experiences.
  const std::string visit =
      run.order.empty()
          ? ""
          : "; tasks come back: T is the last experience, R[j,j] and R[j-1,j] are the "
            "rows after and before the first visit of task j, in BWT and forgetting "
            "after its last, where the task of experience T is left out";
  return {
      {"average_accuracy", "ACC = mean over j of R[T,j] (Lopez-Paz & Ranzato 2017)", last.value()},
      {"sample_accuracy", "sum of n_j R[T,j] / sum of n_j, n_j the test size of task j",
       weighted.value()},
      {"average_incremental_accuracy",
       "AIA = mean over t of A_t, A_t = mean over j <= t of R[t,j] (Rebuffi et al. 2017)",
       incremental.value()},
      {"learning_accuracy", "LA = mean over j of R[j,j] (Riemer et al. 2019)" + visit,
       learnt.value()},
      {"bwt", "BWT = mean over j < T of R[T,j] - R[j,j] (Lopez-Paz & Ranzato 2017)" + visit,
       backward.value()},
      {"fwt", "FWT = mean over j >= 2 of R[j-1,j] - R[0,j] (Lopez-Paz & Ranzato 2017)" + visit,
       forward.value()},
      {"forgetting", forgetting_text(definition) + visit,
       forgetting_after(r, visits, end, definition)},
  };
}

double probe(const StepRow& row, int task) {
  const auto i = static_cast<std::size_t>(task);
  return i < row.probe_accuracy.size() ? row.probe_accuracy[i] : kNotEvaluated;
}

/// The lowest probe of a task over the rows of experiences [first, last], all 0-based; NaN when
/// there is no such row or one lacks the task.
double lowest_probe(const std::vector<StepRow>& steps, int task, int first, int last) {
  double lowest = kNotEvaluated;
  for (const StepRow& row : steps) {
    if (row.experience < first || row.experience > last) continue;
    const double value = probe(row, task);
    if (std::isnan(value)) return kNotEvaluated;
    if (std::isnan(lowest) || value < lowest) lowest = value;
  }
  return lowest;
}

double last_probe(const std::vector<StepRow>& steps, int task, int experience) {
  double last = kNotEvaluated;
  for (const StepRow& row : steps)
    if (row.experience == experience) last = probe(row, task);
  return last;
}

/// Mean over the tasks seen so far, which are the ones that have a number.
double mean_over_seen(const StepRow& row) {
  Mean mean;
  for (const double value : row.probe_accuracy)
    if (!std::isnan(value)) mean.add(value);
  return mean.value();
}

std::vector<Metric> from_steps(const RunRecord& run) {
  const Visits visits(run.accuracy, run.order);
  const int end = visits.count(), count = visits.tasks();
  Mean lowest, gap, prequential, anytime;
  for (int j = 1; j <= count; ++j)  // rows of steps count from 0
    if (visits.first(j) < end) lowest.add(lowest_probe(run.steps, j - 1, visits.first(j), end - 1));
  for (int k = 2; k <= end; ++k)
    for (int j = 1; j <= count; ++j)
      if (visits.seen(j, k - 1) && visits.task(k) != j)
        gap.add(last_probe(run.steps, j - 1, k - 2) - lowest_probe(run.steps, j - 1, k - 1, k - 1));
  std::int64_t before = 0;
  for (const StepRow& row : run.steps) {
    if (row.step > before)  // the first probe comes before the first batch
      prequential.add(row.prequential_accuracy, static_cast<double>(row.step - before));
    before = row.step;
    anytime.add(mean_over_seen(row));
  }
  const double final_accuracy =
      count > 0 ? after(run.accuracy, end, visits.task(end)) : kNotEvaluated;
  const double worst =
      count == 1 ? final_accuracy : final_accuracy / count + (1 - 1.0 / count) * lowest.value();
  return {
      {"min_accuracy",
       "min-ACC = mean over i < T of the lowest probe accuracy on task i at any step after its own "
       "experience (De Lange et al. 2023)",
       lowest.value()},
      {"worst_case_accuracy", "WC-ACC = R[T,T] / T + (1 - 1/T) min-ACC (De Lange et al. 2023)",
       worst},
      {"stability_gap",
       "mean over k >= 2 and i < k of the last probe of task i in experience k-1 minus its lowest "
       "probe during experience k (after De Lange et al. 2023)",
       gap.value()},
      {"prequential_accuracy",
       "mean accuracy on each batch before learning it, over all steps up to the last probe",
       prequential.value()},
      {"average_anytime_accuracy",
       "AAA = mean over probes of the mean accuracy on the tasks seen so far (Caccia et al. 2022)",
       anytime.value()},
  };
}

}  // namespace

std::vector<Metric> compute_metrics(const RunRecord& run, ForgettingDefinition definition) {
  std::vector<Metric> metrics = from_matrix(run, definition);
  if (!run.unit_plasticity.empty()) {
    Mean online;
    for (const EpochRow& row : run.epochs)
      if (row.epoch == 0) online.add(row.train_accuracy);
    metrics.push_back({"online_accuracy",
                       "mean over the tasks of the accuracy on each batch of a task's first epoch "
                       "before learning it (Dohare et al. 2024)",
                       online.value()});
  }
  if (run.steps.empty()) return metrics;
  for (Metric& metric : from_steps(run))
    metrics.push_back(std::move(metric));
  return metrics;
}

double metric_value(const RunRecord& run, ForgettingDefinition definition, std::string_view name) {
  for (const Metric& found : compute_metrics(run, definition))
    if (found.name == name) return found.value;
  return kNotEvaluated;
}

std::vector<double> average_accuracy_curve(const Table& accuracy, std::span<const int> order) {
  const Visits visits(accuracy, order);
  std::vector<double> curve;
  for (int t = 1; t <= visits.count(); ++t) {
    Mean mean;
    for (int j = 1; j <= visits.tasks(); ++j)
      if (visits.seen(j, t)) mean.add(after(accuracy, t, j));
    curve.push_back(mean.value());
  }
  return curve;
}

std::vector<double> forgetting_curve(const Table& accuracy, ForgettingDefinition definition,
                                     std::span<const int> order) {
  const Visits visits(accuracy, order);
  std::vector<double> curve;
  for (int k = 1; k <= visits.count(); ++k)
    curve.push_back(forgetting_after(accuracy, visits, k, definition));
  return curve;
}

Table usage_overlap(const xt::xtensor<std::uint32_t, 2>& usage, const std::vector<int>& inputs) {
  const std::size_t tasks = usage.shape(0), units = usage.shape(1);
  ENGRAM_INVARIANT(inputs.size() == tasks);
  Table overlap({tasks, tasks}, kNotEvaluated);
  for (std::size_t a = 0; a < tasks; ++a) {
    for (std::size_t b = a; b < tasks; ++b) {
      if (inputs[a] <= 0 || inputs[b] <= 0) continue;
      double shared = 0, either = 0, used_a = 0, used_b = 0;
      for (std::size_t u = 0; u < units; ++u) {
        const double p = usage(a, u) / static_cast<double>(inputs[a]);
        const double q = usage(b, u) / static_cast<double>(inputs[b]);
        shared += std::min(p, q), either += std::max(p, q), used_a += p, used_b += q;
      }
      // A row of zeros was not evaluated; so says record.h.
      if (used_a > 0 && used_b > 0) overlap(a, b) = overlap(b, a) = shared / either;
    }
  }
  return overlap;
}

}  // namespace engram
