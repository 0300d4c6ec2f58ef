// `engram list`: the registries as tables, so that what is listed cannot drift from what exists.
#include <algorithm>
#include <cstdio>
#include <functional>

#include <fmt/format.h>

#include "benchmarks/catalog.h"
#include "benchmarks/stream_table.h"
#include "exps/commands/arguments.h"
#include "exps/commands/commands.h"
#include "exps/commands/list_results.h"
#include "exps/commands/places.h"
#include "exps/commands/table.h"
#include "exps/experiment.h"
#include "learners/hebbian/hebbian_rule.h"
#include "learners/registry.h"
#include "learners/strategy.h"
#include "models/registry.h"
#include "utils/error.h"
#include "utils/terminal.h"

namespace engram {
namespace {

namespace po = boost::program_options;

constexpr CommandHelp kHelp{
    .command = "list",
    .usage = "[KIND] [NAME] [options] | results [DIR]",
    .about =
        "KIND is experiments, benchmarks (datasets, streams and simulations), models, gatings,\n"
        "rules, strategies, optimizers, agents or options. With NAME, all that is known about\n"
        "one of them; NAME alone is looked for in every kind. `list results` shows the runs in\n"
        "DIR (default: results/ of the checkout), complete or not, with accuracy and forgetting.",
    .examples =
        "  engram list experiments\n"
        "  engram list models mlp\n"
        "  engram list options lr\n"
        "  engram list fashion\n"
        "  engram list results\n"};

std::string print_table(const TextTable& table) {
  return table.text(use_colour(stdout), is_terminal(stdout) ? terminal_width(stdout) : 0);
}

std::string options_text(const std::vector<OptionInfo>& options) {
  if (options.empty()) return "no options\n";
  TextTable table({"option", "default", "type", "range", "meaning"});
  for (const OptionInfo& o : options) {
    std::string key = o.key;
    for (const std::string& alias : o.aliases)
      key += ", " + alias;
    table.add({key, o.value.empty() ? "-" : o.value, o.type, o.range, o.help});
  }
  return print_table(table);
}

/// What every registry can show of an entry.
struct Item {
  std::string name;
  std::vector<std::string> columns;     ///< after the name
  std::function<std::string()> detail;  ///< below "name: summary"
};
struct Kind {
  std::string name;
  std::vector<std::string> titles;
  std::vector<Item> items;
};

template <class Entry>
Kind registry_kind(const char* name, std::span<const Entry> entries,
                   std::function<std::string(const Entry&)> detail) {
  Kind kind{name, {"name", "first paper", "what it does"}, {}};
  for (const Entry& entry : entries)
    kind.items.push_back({std::string(entry.name),
                          {std::string(entry.paper), std::string(entry.summary)},
                          [detail, &entry] { return detail(entry); }});
  return kind;
}

Kind experiment_kind(const std::filesystem::path& folder) {
  Kind kind{"experiments", {"name", "based on", "about"}, {}};
  const ExperimentBook book = ExperimentBook::load(folder);
  for (const auto& e : book.experiments())
    kind.items.push_back({e.name, {e.base.empty() ? "-" : e.base, e.about}, [e] {
                            return fmt::format("written at {}:{}; 'engram show {}' resolves it\n",
                                               e.file, e.line, e.name);
                          }});
  return kind;
}

std::string dataset_detail(const DatasetEntry& e) {
  std::string out;
  if (!e.aliases.empty()) out += fmt::format("also called: {}\n", fmt::join(e.aliases, ", "));
  for (const DataFile& file : e.files)
    out += file.bytes == 0 ? fmt::format("  {}\n", file.name)
                           : fmt::format("  {}  {} bytes\n", file.name, file.bytes);
  out += fmt::format("terms: {}\n", e.licence);
  if (!e.generated()) out += "to get it: " + how_to_get(e) + "\n";
  return out;
}

Kind dataset_kind() {
  Kind kind{"datasets", {"name", "classes", "images", "train", "test", "what it is"}, {}};
  for (const DatasetEntry& e : datasets())
    kind.items.push_back({std::string(e.name),
                          {std::to_string(e.classes), e.shape.text(), std::to_string(e.train_count),
                           std::to_string(e.test_count), std::string(e.summary)},
                          [&e] { return dataset_detail(e); }});
  kind.items.push_back(
      {std::string(kOwnData), {"-", "-", "-", "-", "your own images, at data_path"}, [] {
         return std::string(
             "data_path names the file or folder, image_layout the "
             "axes of arrays; benchmarks/README.md tells what it "
             "may hold\n");
       }});
  return kind;
}

Kind option_kind() {
  Kind kind{"options", {"name", "default", "part", "meaning"}, {}};
  for (const OptionGroup& group : option_groups())
    for (const OptionInfo& o : group.options)
      kind.items.push_back({o.key, {o.value.empty() ? "-" : o.value, group.name, o.help}, [o] {
                              return options_text({o});
                            }});
  return kind;
}

std::vector<Kind> all_kinds(const std::filesystem::path& folder) {
  std::vector<Kind> kinds;
  kinds.push_back(experiment_kind(folder));
  kinds.push_back(dataset_kind());
  kinds.push_back(registry_kind<StreamEntry>(
      "streams", streams(), [](const StreamEntry& e) { return options_text(e.options()); }));
  kinds.push_back(
      registry_kind<SimulationEntry>("simulations", simulations(), [](const SimulationEntry& e) {
        return fmt::format("regimes: {}\n", fmt::join(e.regimes(), ", ")) +
               options_text(list_options<SimulationOptions>());
      }));
  kinds.push_back(registry_kind<AgentEntry>("agents", agents(), [](const AgentEntry& e) {
    auto all = e.options();
    const auto shared = list_options<AgentOptions>();
    all.insert(all.end(), shared.begin(), shared.end());
    return options_text(all);
  }));
  kinds.push_back(registry_kind<ModelEntry>("models", models(), [](const ModelEntry& e) {
    return options_text(list_options(e.defaults()));
  }));
  kinds.push_back(registry_kind<GatingEntry>("gatings", gatings(), [](const GatingEntry&) {
    return options_text(list_options<GatingOptions>());
  }));
  kinds.push_back(registry_kind<RuleEntry>("rules", rules(), [](const RuleEntry& e) {
    auto all = e.options();
    if (e.local) {
      const auto shared = list_options<HebbianOptions>();
      all.insert(all.end(), shared.begin(), shared.end());
    }
    return all.empty() ? std::string("no options\n") : options_text(all);
  }));
  kinds.push_back(registry_kind<StrategyEntry>(
      "strategies", strategies(),
      [](const StrategyEntry& e) { return options_text(e.options()); }));
  kinds.push_back(registry_kind<OptimizerEntry>(
      "optimizers", optimizers(),
      [](const OptimizerEntry&) { return options_text(list_options<OptimizerOptions>()); }));
  kinds.push_back(option_kind());
  return kinds;
}

std::vector<std::string> kind_names(const std::vector<Kind>& kinds) {
  std::vector<std::string> names;
  for (const Kind& kind : kinds)
    names.push_back(kind.name);
  names.push_back("benchmarks"), names.push_back("results");
  return names;
}

bool belongs(const Kind& kind, const std::string& wanted) {
  if (wanted == "benchmarks")
    return kind.name == "datasets" || kind.name == "streams" || kind.name == "simulations";
  return wanted.empty() || kind.name == wanted;
}

/// Experiments that begin with '_' are bases of others, not for running.
bool is_base(const Item& item) {
  return item.name.front() == '_';
}

void print_kind(const Kind& kind, bool names_only) {
  if (names_only) {
    for (const Item& item : kind.items)
      if (!is_base(item)) fmt::print("{}\n", item.name);
    return;
  }
  TextTable table(kind.titles);
  for (const Item& item : kind.items) {
    if (is_base(item)) continue;
    std::vector<std::string> cells{item.name};
    cells.insert(cells.end(), item.columns.begin(), item.columns.end());
    table.add(std::move(cells));
  }
  fmt::print("{}\n{}\n", bold(kind.name, use_colour(stdout)), print_table(table));
}

int print_item(const std::vector<Kind>& kinds, const std::string& wanted, const std::string& name) {
  bool found = false;
  std::vector<std::string> known;
  for (const Kind& kind : kinds) {
    if (!belongs(kind, wanted)) continue;
    for (const Item& item : kind.items) {
      if (!is_base(item) || name.starts_with('_')) known.push_back(item.name);
      if (item.name != name) continue;
      found = true;
      fmt::print("{} ({}): {}\n{}\n", bold(item.name, use_colour(stdout)), kind.name,
                 item.columns.back(), item.detail());
    }
  }
  if (found) return 0;
  if (wanted.empty()) {
    const auto kinds_known = kind_names(kinds);
    known.insert(known.end(), kinds_known.begin(), kinds_known.end());
  }
  const bool list_helps = known.size() <= 30 || !nearest(name, known).empty();
  throw Error(Fault::Usage, "list: nothing is called '" + name + "'" +
                                (list_helps ? suggestion(name, known) : ""));
}

}  // namespace

int list_command(const Arguments& words) {
  po::options_description options("options");
  auto add = options.add_options();
  add("names", "names only, one a line");
  add("exps", po::value<std::string>()->value_name("DIR"), "folder of experiments");
  const auto arguments = parse_arguments(kHelp, options, words, /*max_names=*/2);
  if (!arguments) return 0;
  if (!arguments->names.empty() && arguments->names[0] == "results")
    return list_results(folder_of_old_results(
        arguments->names.size() == 2 ? std::optional(arguments->names[1]) : std::nullopt));
  const auto kinds = all_kinds(experiments_folder(arguments->get<std::string>("exps")));
  const bool names_only = arguments->has("names");

  std::string wanted = arguments->names.empty() ? "" : arguments->names[0];
  const auto known = kind_names(kinds);
  if (!wanted.empty() && std::find(known.begin(), known.end(), wanted) == known.end()) {
    if (arguments->names.size() == 1) return print_item(kinds, "", wanted);
    throw Error(Fault::Usage,
                "list: there is no kind '" + wanted + "'" + suggestion(wanted, known));
  }
  if (arguments->names.size() == 2) return print_item(kinds, wanted, arguments->names[1]);
  for (const Kind& kind : kinds)
    if (belongs(kind, wanted) && !(wanted.empty() && kind.name == "options"))
      print_kind(kind, names_only);
  return 0;
}

}  // namespace engram
