#include "exps/report/report.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "exps/analysis/comparison.h"
#include "exps/analysis/results_json.h"
#include "exps/report/assets.h"
#include "utils/error.h"
#include "utils/files.h"
#include "utils/statistics.h"

namespace engram {
namespace {

using nlohmann::json;
using Group = std::vector<ExperimentRuns>;

/// Runs of one seed, for another one may draw other classes or angles; the first ones where none is
/// shared.
std::pair<const RunRecord*, const RunRecord*> held_together(const ExperimentRuns& a,
                                                            const ExperimentRuns& b) {
  for (const RunRecord& run : a.runs)
    for (const RunRecord& other : b.runs)
      if (run.seed == other.seed) return {&run, &other};
  return {&a.runs.front(), &b.runs.front()};
}

/// Experiments that can be compared with one another, so that a foreign one spoils only its own.
std::vector<Group> groups_of(const ResultsSet& set) {
  std::vector<Group> groups;
  for (const ExperimentRuns& e : set.experiments) {
    const auto fits = [&](const Group& group) {
      const auto [a, b] = held_together(group.front(), e);
      return protocol_differences(*a, *b).empty();
    };
    const auto at = std::find_if(groups.begin(), groups.end(), fits);
    if (at == groups.end())
      groups.push_back({e});
    else
      at->push_back(e);
  }
  return groups;
}

/// Seeds for which a metric is known; joint training has no forgetting.
std::set<std::uint64_t> known_seeds(const ExperimentRuns& e, const std::string& metric) {
  std::set<std::uint64_t> seeds;
  for (const RunRecord& run : e.runs)
    for (const Metric& found : compute_metrics(run, e.forgetting))
      if (found.name == metric && std::isfinite(found.value)) seeds.insert(run.seed);
  return seeds;
}

/// Splits a group into those of which every pair shares seeds, and the others, which must not keep
/// these from being compared.
std::pair<Group, Group> pairable(const Group& group, const std::string& metric) {
  std::pair<Group, Group> parts;
  std::vector<std::set<std::uint64_t>> of_kept;
  for (const ExperimentRuns& e : group) {
    std::set<std::uint64_t> seeds = known_seeds(e, metric);
    const bool fits = std::all_of(of_kept.begin(), of_kept.end(), [&](const auto& others) {
      return std::any_of(seeds.begin(), seeds.end(), [&](auto seed) { return others.count(seed); });
    });
    if (seeds.empty() || !fits) {
      parts.second.push_back(e);
    } else {
      parts.first.push_back(e);
      of_kept.push_back(std::move(seeds));
    }
  }
  return parts;
}

json labels_of(const Group& group) {
  json labels = json::array();
  for (const ExperimentRuns& e : group)
    labels.push_back(e.label);
  return labels;
}

json comparison_of(const Group& all, const std::string& metric, const ReportOptions& options) {
  const auto [paired, others] = pairable(all, metric);
  // With fewer than two left the comparison itself says why.
  const Group& group = paired.size() < 2 ? all : paired;
  json one{{"metric", metric}, {"experiments", labels_of(all)}};
  if (paired.size() >= 2 && !others.empty()) one["left_out"] = labels_of(others);
  const std::size_t pairs = group.size() * (group.size() - 1) / 2;
  const int resamples =  // as many draws as 200 pairs would take
      std::max(1'000, options.resamples / static_cast<int>(1 + pairs / 200));
  try {
    json list = json::array();
    for (const PairComparison& pair :
         compare_experiments(group, {.metric = metric, .resamples = resamples}))
      list.push_back(to_json(pair));
    one["pairs"] = std::move(list);
  } catch (const Error& error) {
    one["refused"] = error.what();
  }
  return one;
}

json comparisons_of(const ResultsSet& set, const ReportOptions& options) {
  json list = json::array();
  for (const Group& group : groups_of(set))
    for (const char* metric : {"average_accuracy", "forgetting"})
      if (group.size() > 1) list.push_back(comparison_of(group, metric, options));
  return list;
}

/// How many continual evaluations each run may show.
std::size_t steps_for(const ResultsSet& set, const ReportOptions& options) {
  std::size_t columns = 0;
  for (const ExperimentRuns& e : set.experiments)
    for (const RunRecord& run : e.runs)
      if (!run.steps.empty()) columns += 3 + run.task_names.size();
  const std::size_t room = options.most_numbers / 2 / std::max<std::size_t>(columns, 1);
  return std::max<std::size_t>(20, std::min(options.most_steps, room));
}

std::size_t numbers_of_usage(const json& data, const char* name) {
  std::size_t numbers = 0;
  for (const json& experiment : data["experiments"])
    for (const json& run : experiment["runs"])
      for (const json& layer : run["layers"])
        for (const json& task : layer.value(name, json::array()))
          numbers += task.size();
  return numbers;
}

/// Unit usage can be long: where it is too much, the page goes without what it does not show, and
/// if need be the first seed stands for all.
void thin_usage(json& data, const ReportOptions& options) {
  const auto drop = [&](const char* name, std::size_t first_run) {
    for (json& experiment : data["experiments"])
      for (std::size_t i = first_run; i < experiment["runs"].size(); ++i)
        for (json& layer : experiment["runs"][i]["layers"])
          layer.erase(name);
  };
  const std::size_t most = options.most_numbers / 2;
  const std::size_t shown = numbers_of_usage(data, "usage_final");
  if (shown + numbers_of_usage(data, "usage_learned") > most) drop("usage_learned", 0);
  if (shown > most) drop("usage_final", 1);
}

/// The first seed that has pictures or embeddings: one shows how those of an experiment look.
std::size_t seed_to_look_at(const std::vector<RunRecord>& runs) {
  const auto found = std::find_if(runs.begin(), runs.end(), [](const RunRecord& run) {
    return !run.pictures.empty() || !run.embeddings.empty();
  });
  return static_cast<std::size_t>(found - runs.begin());
}

/// How many images of each moment of a set the page may show.
std::size_t images_for(const ResultsSet& set, const ReportOptions& options) {
  std::size_t bytes = 0;  // of one image at every moment of every set
  for (const ExperimentRuns& e : set.experiments)
    if (const std::size_t seed = seed_to_look_at(e.runs); seed < e.runs.size())
      for (const PictureRecord& p : e.runs[seed].pictures)
        bytes += std::min(p.moments.size(), options.most_moments) * p.height * p.width * p.channels;
  const std::size_t room = options.most_pixels / std::max<std::size_t>(bytes, 1);
  return std::clamp<std::size_t>(room, 1, options.most_images);
}

void keep_pictures_of_one_seed(json& data, const ResultsSet& set) {
  for (std::size_t e = 0; e < set.experiments.size(); ++e) {
    json& runs = data["experiments"][e]["runs"];
    const std::size_t kept = seed_to_look_at(set.experiments[e].runs);
    for (std::size_t i = 0; i < runs.size(); ++i)
      if (i != kept) runs[i]["pictures"] = runs[i]["embeddings"] = json::array();
  }
}

std::string vega_code() {
  std::string out;
  for (const assets::Module& module : assets::vega()) {
    std::string text(module.text);
    // The map of the source is not in the page.
    if (const auto at = text.rfind("//# sourceMappingURL"); at != std::string::npos) text.erase(at);
    out += fmt::format("vegaModules['{}']=function(require,module,exports,define){{{}\n}};\n",
                       module.name, text);
  }
  return out;
}

std::string filled(std::string_view page, const std::map<std::string_view, std::string>& parts) {
  std::string out;
  while (true) {
    const auto open = page.find("{{"), close = page.find("}}");
    if (open == std::string_view::npos) break;
    out += page.substr(0, open);
    out += parts.at(page.substr(open + 2, close - open - 2));
    page.remove_prefix(close + 2);
  }
  return out.append(page);
}

/// Student's t at 97.5 % by degrees of freedom, as many as the page may need; none at 0.
json student_t(const ResultsSet& set) {
  std::size_t most = 0;
  for (const ExperimentRuns& e : set.experiments)
    most = std::max(most, e.runs.size());
  json list{nullptr};
  for (std::size_t freedom = 1; freedom < most; ++freedom)
    list.push_back(stats::t_quantile(0.975, static_cast<double>(freedom)));
  return list;
}

}  // namespace

json report_json(const ResultsSet& set, const ReportOptions& options) {
  json data = results_json(set, {.most_steps = steps_for(set, options),
                                 .most_moments = options.most_moments,
                                 .most_images = images_for(set, options),
                                 .most_points = options.most_points,
                                 .usage = true});
  thin_usage(data, options);
  keep_pictures_of_one_seed(data, set);
  data["title"] = options.title;
  data["student_t"] = student_t(set);
  data["comparisons"] = comparisons_of(set, options);
  return data;
}

std::string script_safe(const json& data) {
  const std::string text = json_text(data, -1);
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view three = std::string_view(text).substr(i, 3);
    if (three == "\u2028" || three == "\u2029")
      out += three == "\u2028" ? "\\u2028" : "\\u2029", i += 2;
    else if (text[i] == '<' || text[i] == '>' || text[i] == '&')
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(text[i]));
    else
      out += text[i];
  }
  return out;
}

std::string html_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string report_html(const ResultsSet& set, const ReportOptions& options) {
  std::string code;
  for (const std::string_view script : assets::code())
    code.append(script).append("\n");
  return filled(assets::page(), {{"title", html_escaped(options.title)},
                                 {"style", std::string(assets::style())},
                                 {"data", script_safe(report_json(set, options))},
                                 {"vega", vega_code()},
                                 {"code", code}});
}

void write_report(const std::filesystem::path& file, const ResultsSet& set,
                  const ReportOptions& options) {
  save_text(file, report_html(set, options));
}

}  // namespace engram
