#include "exps/commands/describe.h"

#include <algorithm>
#include <memory>
#include <sstream>
#include <vector>

#include <fmt/format.h>

#include "benchmarks/catalog.h"
#include "benchmarks/stream_table.h"
#include "exps/agent_settings.h"
#include "exps/looks/looks.h"
#include "exps/sweep/selection.h"
#include "learners/learner.h"
#include "learners/registry.h"
#include "models/registry.h"
#include "utils/terminal.h"

namespace engram {
namespace {

/// Labels without pixels: streams cut a data set by its labels alone.
std::shared_ptr<const Images> labels_only(const DatasetEntry& entry, int count) {
  auto out = std::make_shared<Images>();
  out->shape = entry.shape;
  for (int i = 0; i < count; ++i)
    out->labels.push_back(static_cast<Label>(i % entry.classes));
  out->views.assign(entry.attributes.size(), out->labels);
  return out;
}

Dataset stand_in(const StreamOptions& options, const DataSearch& search) {
  if (options.benchmark == kOwnData) return load_benchmark(options, search, Reading::Outline);
  const DatasetEntry& entry = dataset_entry(options.benchmark);
  return {.name = std::string(entry.name),
          .classes = entry.classes,
          .train = labels_only(entry, entry.train_count + entry.held_out),
          .test = labels_only(entry, entry.test_count),
          .sha256 = "",
          .views = {entry.attributes.begin(), entry.attributes.end()},
          .held_out = static_cast<std::size_t>(entry.held_out)};
}

/// The layers with the names by which options call them, a line each.
std::string named_layers(const Network& net) {
  std::size_t width = 0;
  for (int l = 0; l < net.depth(); ++l)
    width = std::max(width, net.layer_name(l).size());
  std::string out;
  std::istringstream lines(net.describe());
  int l = 0;
  for (std::string line; std::getline(lines, line); ++l)
    out += fmt::format("  {:<{}}  {}\n", l < net.depth() ? net.layer_name(l) : "", width, line);
  return out;
}

PartsText try_agent_parts(const Settings& s, std::uint64_t seed) {
  const Regimes regimes = regimes_of(s);
  PartsText text{fmt::format("{}; regimes: {}", regimes.make(0, Role::Train)->describe(),
                             fmt::join(regimes.names, ", ")),
                 "  no network\n", 0, regimes.count()};
  Minds minds = make_minds(s, regimes, seed);
  if (!minds.net) return text;
  const AgentLearner learner(
      s.agent, s.learner.schedule, s.optimizer,
      {*minds.agent, *minds.net, *minds.rule, *minds.optimizer, minds.strategies}, regimes,
      Rng(seed));
  text.model = named_layers(*minds.net), text.parameters = minds.net->params().values().size();
  return text;
}

}  // namespace

std::string describe_settings(const Settings& settings, bool only_set, bool colour) {
  std::size_t width = 0;
  const auto& entries = settings.config.resolved();
  const auto is_shown = [&](const auto& e) { return !only_set || e.source != "default"; };
  for (const auto& e : entries)
    if (is_shown(e)) width = std::max(width, e.key.size() + 3 + e.text.size());
  width = std::min<std::size_t>(width, 48);
  std::string out;
  for (const auto& e : entries) {
    if (!is_shown(e)) continue;
    const std::string line = e.key + " = " + e.text;
    out += fmt::format("  {:<{}}  {}\n", line, width, dim("# " + e.source, colour));
  }
  return out;
}

std::string describe_sweep_settings(const Settings& settings, bool colour) {
  const auto& [options, grid] = settings.sweep;
  std::string out;
  for (const GridAxis& axis : grid)
    out += fmt::format("  grid.{} = {}  {}\n", axis.key, fmt::join(axis.values, " | "),
                       dim("# " + axis.source, colour));
  if (options.selection != Selection::None)
    out += fmt::format("  chosen by {}: {}, seeds {}\n", name_of(options.selection),
                       judged_on(options), options.selection_seeds);
  return out.empty() ? "" : "sweep:\n" + out;
}

PartsText try_parts(const Settings& s, std::uint64_t seed, const DataSearch& search) {
  if (s.acts()) return try_agent_parts(s, seed);
  const Dataset data = stand_in(s.stream, search);
  const auto stream = make_stream(s.stream, data, seed);
  const Targets targets(*stream, s.scenario);
  const auto rule = make_rule(s);
  const auto net = build_model(s.model, stream->shape(), head_shape(s, targets),
                               Rng(seed).fork("init"), 1, rule->feedback());
  const std::size_t parameters = net->params().values().size();
  rule->prepare(*net, Rng(seed).fork("rule"));
  const auto optimizer = make_optimizer(s.optimizer, net->params());
  StrategyList protections = make_strategies(
      s.rule.strategies, s.config,
      {*net, stream.get(), &targets, s.learner.batch_size, s.rule.loss, rule.get()});
  check_served(protections, {.provides = rule->provides(), .borders = !stream->task_free()});
  const Learner learner(s.learner, *net, *rule, *optimizer, s.optimizer, protections, targets,
                        Rng(seed));
  const Looks looks(*net, targets, *stream, s.evaluation, Rng(seed));
  return {stream->describe(), named_layers(*net), parameters, stream->tasks()};
}

}  // namespace engram
