#include "exps/published/published.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <system_error>

#include <fmt/format.h>

#include "exps/analysis/comparison.h"
#include "exps/analysis/results_set.h"
#include "exps/seed_list.h"
#include "utils/config.h"
#include "utils/error.h"

namespace engram {
namespace fs = std::filesystem;
namespace {

constexpr double kOpen = std::numeric_limits<double>::infinity();

void read_band(PublishedFigure& f) {
  const PublishedOptions& o = f.options;
  const auto refuse = [&](const char* why) { throw Error(Fault::Config, f.place + ": " + why); };
  if (!o.published) refuse("'published' is missing: the figure itself");
  if (o.band.has_value() == (o.low || o.high)) refuse("give either 'band', or 'low' and/or 'high'");
  f.low = o.band ? *o.published - *o.band : o.low.value_or(-kOpen);
  f.high = o.band ? *o.published + *o.band : o.high.value_or(kOpen);
  if (*o.published < f.low || *o.published > f.high)
    refuse("the published figure lies outside its own band");
}

PublishedFigure read_figure(const ExperimentBook& book, const ExperimentBook::Experiment& section) {
  PublishedFigure f;
  f.name = section.name, f.family = fs::path(section.file).stem().string();
  f.place = fmt::format("{}:{}", section.file, section.line);
  Config config = book.resolve(section.name);
  f.options = config.read<PublishedOptions>();
  config.require_all_used(list_options<PublishedOptions>());
  const PublishedOptions& o = f.options;
  for (const auto& [key, text] : {std::pair("run", o.run), std::pair("source", o.source)})
    if (text.empty()) throw Error(Fault::Config, fmt::format("{}: '{}' is missing", f.place, key));
  if (const auto known = metric_names(); std::ranges::find(known, o.metric) == known.end())
    throw Error(Fault::Config, fmt::format("{}: there is no metric '{}'{}", f.place, o.metric,
                                           suggestion(o.metric, known)));
  f.seeds = parse_seeds(o.seeds, f.place + ": seeds", Fault::Config);
  read_band(f);
  return f;
}

ForgettingDefinition definition_of(const RunRecord& run) {
  ForgettingDefinition definition = ForgettingDefinition::Chaudhry;
  const auto settings = settings_of(run);
  if (const auto found = settings.find("forgetting_definition"); found != settings.end())
    option::parse(found->second, definition);
  return definition;
}

double value_of(const PublishedFigure& f, const RunRecord& run) {
  if (!f.options.task) return metric_value(run, definition_of(run), f.options.metric);
  const auto task = static_cast<std::size_t>(*f.options.task);
  if (task > run.accuracy.shape(1)) return kNotEvaluated;
  return run.accuracy(run.accuracy.shape(0) - 1, task - 1);
}

/// One value per seed, NaN where a run is missing.
std::vector<double> values_of(const PublishedFigure& f, const std::vector<RunRecord>& runs) {
  std::vector<double> out;
  for (const std::uint64_t seed : f.seeds) {
    const auto run = std::ranges::find(runs, seed, &RunRecord::seed);
    out.push_back(run == runs.end() ? kNotEvaluated : value_of(f, *run));
  }
  return out;
}

}  // namespace

std::string PublishedFigure::measure() const {
  std::string text =
      options.task ? fmt::format("accuracy on task {} at the end", *options.task) : options.metric;
  std::replace(text.begin(), text.end(), '_', ' ');
  return options.minus.empty() ? text : fmt::format("{} less that of {}", text, options.minus);
}

std::vector<PublishedFigure> load_published(const fs::path& folder) {
  std::vector<PublishedFigure> out;
  if (!fs::exists(folder)) return out;
  const ExperimentBook book = ExperimentBook::load(folder);
  for (const auto& section : book.experiments())
    if (section.name.front() != '_') out.push_back(read_figure(book, section));
  return out;
}

std::vector<PublishedFigure> chosen_figures(std::span<const PublishedFigure> all,
                                            std::span<const std::string> names) {
  std::vector<std::string> known{"all"};
  for (const PublishedFigure& f : all)
    for (const std::string& name : {f.name, f.family})
      if (std::ranges::find(known, name) == known.end()) known.push_back(name);
  std::vector<bool> wanted(all.size());
  for (const std::string& name : names) {
    if (std::ranges::find(known, name) == known.end())
      throw Error(Fault::Usage,
                  fmt::format("there is no published figure '{}'{}", name,
                              nearest(name, known).empty() ? "; 'engram reproduce --list'"
                                                           : suggestion(name, known)));
    for (std::size_t i = 0; i < all.size(); ++i)
      if (name == "all" || name == all[i].name || name == all[i].family) wanted[i] = true;
  }
  std::vector<PublishedFigure> out;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (wanted[i]) out.push_back(all[i]);
  return out;
}

Reproduction reproduce(const PublishedFigure& f, const std::vector<RunRecord>& runs,
                       const std::vector<RunRecord>& minus) {
  std::vector<double> values = values_of(f, runs);
  if (!f.options.minus.empty()) {
    const std::vector<double> others = values_of(f, minus);
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] -= others[i];
  }
  Reproduction out;
  out.ours = summarise(values);
  if (std::ranges::any_of(values, [](double v) { return std::isnan(v); })) return out;
  const double mean = out.ours.mean;
  out.agreement = mean < f.low    ? Agreement::TooLow
                  : mean > f.high ? Agreement::TooHigh
                                  : Agreement::InBand;
  out.beyond = mean < f.low ? f.low - mean : mean > f.high ? mean - f.high : 0;
  return out;
}

std::string Reproduction::verdict() const {
  switch (agreement) {
    case Agreement::InBand:
      return "in band";
    case Agreement::TooLow:
      return fmt::format("too low by {:.2g}", beyond);
    case Agreement::TooHigh:
      return fmt::format("too high by {:.2g}", beyond);
    case Agreement::Unknown:
      return "unknown: a run is missing";
  }
  broken_invariant("agreement is one of its choices");
}

}  // namespace engram
