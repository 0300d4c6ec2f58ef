// NumPy's .npz: a zip of .npy files, each a line of Python that describes the array and its bytes.
#include <algorithm>
#include <bit>
#include <cmath>
#include <memory>

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include "exps/export/export.h"
#include "exps/summary.h"
#include "utils/error.h"

namespace engram {
namespace {

static_assert(std::endian::native == std::endian::little, "arrays are declared little-endian");

using Shape = std::vector<std::size_t>;

struct ArchiveFree {
  void operator()(struct archive* a) const { archive_write_free(a); }
};

la_ssize_t append(struct archive*, void* out, const void* data, std::size_t size) {
  static_cast<std::string*>(out)->append(static_cast<const char*>(data), size);
  return static_cast<la_ssize_t>(size);
}

class Npz {
 public:
  Npz() : zip_(archive_write_new()) {
    check(zip_ ? ARCHIVE_OK : ARCHIVE_FATAL);
    check(archive_write_set_format_zip(zip_.get()));
    check(archive_write_zip_set_compression_deflate(zip_.get()));
    check(archive_write_set_bytes_in_last_block(zip_.get(), 1));
    check(archive_write_open(zip_.get(), &bytes_, nullptr, append, nullptr));
  }

  void add(const std::string& name, const std::vector<double>& values, const Shape& shape) {
    add_raw(name, "<f8", shape, values.data(), values.size() * sizeof(double));
  }
  void add(const std::string& name, const std::vector<std::int64_t>& values, const Shape& shape) {
    add_raw(name, "<i8", shape, values.data(), values.size() * sizeof(std::int64_t));
  }
  /// Texts as bytes of one width, UTF-8, filled with zeros.
  void add(const std::string& name, const std::vector<std::string>& texts) {
    std::size_t width = 1;
    for (const std::string& text : texts)
      width = std::max(width, text.size());
    std::string all;
    for (const std::string& text : texts)
      all += text + std::string(width - text.size(), '\0');
    add_raw(name, fmt::format("|S{}", width), {texts.size()}, all.data(), all.size());
  }

  std::string finish() {
    check(archive_write_close(zip_.get()));
    return std::move(bytes_);
  }

 private:
  void check(int code) const {
    if (code != ARCHIVE_OK)
      throw Error(Fault::Internal,
                  fmt::format("writing a zip: {}", zip_ ? archive_error_string(zip_.get())
                                                        : "libarchive cannot be started"));
  }

  void add_raw(const std::string& name, const std::string& type, const Shape& shape,
               const void* data, std::size_t size) {
    std::string tuple;
    for (const std::size_t n : shape)
      tuple += fmt::format("{}, ", n);
    std::string head =
        fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", type, tuple);
    constexpr std::size_t kBefore = 10, kUnit = 64;  // magic, version, length; data is aligned
    head.append(kUnit - (kBefore + head.size() + 1) % kUnit, ' ');
    head += '\n';
    const auto length = static_cast<std::uint16_t>(head.size());
    std::string file("\x93NUMPY\x01\x00", 8);
    file += static_cast<char>(length & 0xff);
    file += static_cast<char>(length >> 8);
    file += head;
    file.append(static_cast<const char*>(data), size);

    const std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry(archive_entry_new(),
                                                                         archive_entry_free);
    archive_entry_set_pathname(entry.get(), (name + ".npy").c_str());
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0644);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(file.size()));
    archive_entry_set_mtime(entry.get(), 315'619'200, 0);  // 1980: the same bytes whenever
    check(archive_write_header(zip_.get(), entry.get()));
    if (archive_write_data(zip_.get(), file.data(), file.size()) !=
        static_cast<la_ssize_t>(file.size()))
      check(ARCHIVE_FATAL);
  }

  std::unique_ptr<struct archive, ArchiveFree> zip_;
  std::string bytes_;
};

/// [runs, longest]: one row per run, NaN where a run has no more.
template <class Of>
void add_rows(Npz& npz, const std::string& name, const ExperimentRuns& e, const Of& of) {
  std::vector<std::vector<double>> rows;
  std::size_t width = 0;
  for (const RunRecord& run : e.runs) {
    rows.push_back(of(run));
    width = std::max(width, rows.back().size());
  }
  std::vector<double> all;
  for (std::vector<double>& row : rows) {
    row.resize(width, kNotEvaluated);
    all.insert(all.end(), row.begin(), row.end());
  }
  npz.add(name, all, {rows.size(), width});
}

void add_metrics(Npz& npz, const std::string& prefix, const ExperimentRuns& e) {
  std::vector<std::string> names, definitions;
  for (const Metric& metric : most_metrics(e.runs, e.forgetting))
    names.push_back(metric.name), definitions.push_back(metric.definition);
  npz.add(prefix + "metric_names", names);
  npz.add(prefix + "metric_definitions", definitions);
  add_rows(npz, prefix + "metrics", e, [&](const RunRecord& run) {
    std::vector<double> values;
    for (const std::string& name : names)
      values.push_back(metric_value(run, e.forgetting, name));
    return values;
  });
}

void add_usage(Npz& npz, const std::string& prefix, const ExperimentRuns& e) {
  const RunRecord& first = e.runs.front();
  for (std::size_t l = 0; l < first.layers.size(); ++l) {
    const auto& shape = first.layers[l].usage_final.shape();
    std::vector<std::int64_t> counts;
    for (const RunRecord& run : e.runs)
      if (l < run.layers.size() && run.layers[l].usage_final.shape() == shape)
        counts.insert(counts.end(), run.layers[l].usage_final.begin(),
                      run.layers[l].usage_final.end());
    if (counts.empty() || counts.size() != e.runs.size() * shape[0] * shape[1]) continue;
    npz.add(fmt::format("{}usage_final/{}", prefix, l), counts,
            {e.runs.size(), shape[0], shape[1]});
  }
}

/// What rules measured, [runs, epochs, measures], and goodness, [runs, T + 1, outputs]; of runs
/// that differ in shape, nothing.
void add_goodness(Npz& npz, const std::string& prefix, const ExperimentRuns& e) {
  const RunRecord& first = e.runs.front();
  const auto stacked = [&](const std::string& name, std::size_t rows, std::size_t width,
                           auto append_values) {
    std::vector<double> all;
    for (const RunRecord& run : e.runs)
      append_values(run, all);
    if (!all.empty() && all.size() == e.runs.size() * rows * width)
      npz.add(prefix + name, all, {e.runs.size(), rows, width});
  };
  if (!first.measure_names.empty()) npz.add(prefix + "measure_names", first.measure_names);
  stacked("measures", first.epochs.size(), first.measure_names.size(),
          [&](const RunRecord& run, std::vector<double>& all) {
            for (const EpochRow& row : run.epochs)
              if (run.measure_names == first.measure_names)
                all.insert(all.end(), row.measures.begin(), row.measures.end());
          });
  for (std::size_t l = 0; l < first.goodness.size(); ++l)
    for (const auto& [name, field] : {std::pair{"with_label", &GoodnessRecord::with_label},
                                      std::pair{"with_others", &GoodnessRecord::with_others}}) {
      const Table& model = first.goodness[l].*field;
      stacked(fmt::format("goodness/{}/{}", l, name), model.shape(0), model.shape(1),
              [&, part = field](const RunRecord& run, std::vector<double>& all) {
                if (l >= run.goodness.size()) return;
                const Table& table = run.goodness[l].*part;
                if (table.shape() == model.shape())
                  all.insert(all.end(), table.begin(), table.end());
              });
    }
}

/// By layer: [runs, T + 1, T], overlaps [runs, T + 1, T, T]; of runs that differ in shape, nothing.
void add_representations(Npz& npz, const std::string& prefix, const ExperimentRuns& e) {
  const auto& first = e.runs.front().representations;
  for (std::size_t l = 0; l < first.size(); ++l) {
    const auto stacked = [&](const char* name, auto field) {
      std::vector<std::size_t> shape{e.runs.size()};
      for (const auto extent : (first[l].*field).shape())
        shape.push_back(extent);
      std::vector<double> all;
      for (const RunRecord& run : e.runs)
        if (l < run.representations.size() &&
            (run.representations[l].*field).shape() == (first[l].*field).shape())
          all.insert(all.end(), (run.representations[l].*field).begin(),
                     (run.representations[l].*field).end());
      if (!all.empty() && all.size() == e.runs.size() * (first[l].*field).size())
        npz.add(fmt::format("{}representations/{}/{}", prefix, l, name), all, shape);
    };
    stacked("linear_probe_accuracy", &RepresentationRecord::probe_accuracy);
    stacked("drift", &RepresentationRecord::drift);
    stacked("overlap", &RepresentationRecord::overlap);
    stacked("active_overlap", &RepresentationRecord::active_overlap);
  }
}

/// By layer and measure: [runs, T, 2]; of runs that differ in shape, nothing.
void add_plasticity(Npz& npz, const std::string& prefix, const ExperimentRuns& e) {
  const auto add = [&](const char* kind, std::vector<PlasticityRecord> RunRecord::*field,
                       std::span<const PlasticityMeasure> measures) {
    const auto& first = e.runs.front().*field;
    for (std::size_t l = 0; l < first.size(); ++l)
      for (std::size_t m = 0; m < measures.size(); ++m) {
        const auto shape = first[l].measures[m].shape();
        std::vector<double> all;
        for (const RunRecord& run : e.runs)
          if (l < (run.*field).size() && (run.*field)[l].measures[m].shape() == shape)
            all.insert(all.end(), (run.*field)[l].measures[m].begin(),
                       (run.*field)[l].measures[m].end());
        if (all.size() == e.runs.size() * shape[0] * shape[1])
          npz.add(fmt::format("{}plasticity/{}/{}/{}", prefix, kind, l, measures[m].name), all,
                  {e.runs.size(), shape[0], shape[1]});
      }
  };
  add("units", &RunRecord::unit_plasticity, kUnitMeasures);
  add("weights", &RunRecord::weight_plasticity, kWeightMeasures);
}

/// Of each run by itself, for the numbers of test examples may differ.
void add_embeddings(Npz& npz, const std::string& prefix, const ExperimentRuns& e) {
  for (const RunRecord& run : e.runs)
    for (std::size_t k = 0; k < run.embeddings.size(); ++k) {
      const EmbeddingRecord& set = run.embeddings[k];
      const std::string name = fmt::format("{}embedding/{}/{}", prefix, run.seed, k);
      npz.add(name + "/points", std::vector<double>(set.points.begin(), set.points.end()),
              {set.points.shape(0), 2});
      npz.add(name + "/labels", std::vector<std::int64_t>(set.labels.begin(), set.labels.end()),
              {set.labels.size()});
    }
}

/// Returns of all runs side by side; the curve of each by itself, for they may differ in length.
void add_returns(Npz& npz, const std::string& prefix, const ExperimentRuns& e) {
  const RunRecord& first = e.runs.front();
  if (!std::ranges::all_of(e.runs, &RunRecord::is_score)) return;
  std::vector<double> all;
  for (const RunRecord& run : e.runs)
    all.insert(all.end(), run.returns->returns.begin(), run.returns->returns.end());
  npz.add(prefix + "returns", all,
          {e.runs.size(), first.returns->returns.shape(0), first.returns->returns.shape(1)});
  npz.add(prefix + "random_return", first.returns->random, {first.returns->random.size()});
  npz.add(prefix + "expert_return", first.returns->expert, {first.returns->expert.size()});
  for (const RunRecord& run : e.runs) {
    const std::string name = fmt::format("{}learning_curve/{}/", prefix, run.seed);
    std::vector<std::int64_t> experience, interactions;
    std::vector<double> test, score;
    for (const LearningPoint& p : run.returns->curve) {
      experience.push_back(p.experience), interactions.push_back(p.interactions);
      test.push_back(p.test_return), score.push_back(p.score);
    }
    npz.add(name + "regime", experience, {experience.size()});
    npz.add(name + "interactions", interactions, {interactions.size()});
    npz.add(name + "test_return", test, {test.size()});
    npz.add(name + "score", score, {score.size()});
  }
}

void add_experiment(Npz& npz, const ExperimentRuns& e) {
  std::string prefix = e.label;
  std::replace(prefix.begin(), prefix.end(), '/', '_');
  prefix += '/';
  const RunRecord& first = e.runs.front();
  const std::size_t rows = first.accuracy.shape(0), tasks = first.accuracy.shape(1);
  std::vector<double> accuracy;
  std::vector<std::int64_t> seeds, sizes;
  for (const RunRecord& run : e.runs) {
    accuracy.insert(accuracy.end(), run.accuracy.begin(), run.accuracy.end());
    seeds.push_back(static_cast<std::int64_t>(run.seed));
  }
  for (const int size : first.test_sizes)
    sizes.push_back(size);
  npz.add(prefix + "accuracy", accuracy, {e.runs.size(), rows, tasks});
  npz.add(prefix + "seeds", seeds, {seeds.size()});
  npz.add(prefix + "task_names", first.task_names);
  npz.add(prefix + "test_sizes", sizes, {sizes.size()});
  if (!first.order.empty())
    npz.add(prefix + "order", std::vector<std::int64_t>(first.order.begin(), first.order.end()),
            {first.order.size()});
  add_metrics(npz, prefix, e);
  add_rows(npz, prefix + "average_accuracy_curve", e,
           [](const RunRecord& run) { return average_accuracy_curve(run.accuracy, run.order); });
  add_rows(npz, prefix + "forgetting_curve", e, [&](const RunRecord& run) {
    return forgetting_curve(run.accuracy, e.forgetting, run.order);
  });
  add_rows(npz, prefix + "task_seconds", e, [](const RunRecord& run) { return run.task_seconds; });
  add_rows(npz, prefix + "macs", e, [](const RunRecord& run) {
    return std::vector<double>{run.train_macs.executed, run.train_macs.dense,
                               run.test_macs.executed, run.test_macs.dense};
  });
  add_usage(npz, prefix, e);
  add_goodness(npz, prefix, e);
  add_representations(npz, prefix, e);
  add_plasticity(npz, prefix, e);
  add_embeddings(npz, prefix, e);
  add_returns(npz, prefix, e);
}

}  // namespace

std::string npz_bytes(const ResultsSet& set) {
  Npz npz;
  std::vector<std::string> labels;
  for (const ExperimentRuns& e : set.experiments)
    labels.push_back(e.label);
  npz.add("experiments", labels);
  for (const ExperimentRuns& e : set.experiments)
    add_experiment(npz, e);
  return npz.finish();
}

}  // namespace engram
