// `engram export`: results for other programs.
#include "exps/export/export.h"

#include <cstdio>
#include <filesystem>

#include <fmt/format.h>

#include "exps/commands/arguments.h"
#include "exps/commands/commands.h"
#include "exps/commands/read_results.h"
#include "exps/export/figures.h"
#include "exps/export/tables.h"
#include "utils/error.h"
#include "utils/files.h"

namespace engram {
namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;

constexpr CommandHelp kHelp{
    .command = "export",
    .usage = "NAME|FILE|DIR... --format FORMAT [options]",
    .about =
        "Writes the results among and below the paths for other programs. FORMAT is csv (a folder\n"
        "of tidy tables), json, npz (numpy.load), latex (a booktabs table), or svg, pdf or png (a\n"
        "folder of figures for a paper, drawn by gnuplot; png also has the pictures that models\n"
        "made, a sheet per moment). Definitions of the metrics travel along; results/README.md\n"
        "lists the fields. A NAME is a folder of results/.",
    .examples =
        "  engram export results/ --format csv -o tables/\n"
        "  engram export results/ --format csv --table metrics -o -\n"
        "  engram export quickstart_dense --format npz -o dense.npz\n"
        "  engram export results/ --format pdf --width 6.9 -o figures/\n"};

template <class Entry>
std::vector<std::string_view> names_of(std::span<const Entry> entries) {
  std::vector<std::string_view> names;
  for (const Entry& entry : entries)
    names.push_back(entry.name);
  return names;
}

void put(const std::string& content, const fs::path& target) {
  if (target == "-") {
    std::fwrite(content.data(), 1, content.size(), stdout);
    return;
  }
  save_text(target, content);
  fmt::print("{}\n", target.string());
}

}  // namespace

int export_command(const Arguments& words) {
  const std::string formats = fmt::format("{}", fmt::join(names_of(export_formats()), ", "));
  const std::string tables = fmt::format("with csv, only one of these tables: {}",
                                         fmt::join(names_of(tidy_tables()), ", "));
  po::options_description options("options");
  auto add = options.add_options();
  add("format,f", po::value<std::string>()->value_name("FORMAT"), formats.c_str());
  add("out,o", po::value<std::string>()->value_name("PATH"),
      "file or folder to write, - for stdout; default: export, export.json, ...");
  add("table", po::value<std::string>()->value_name("NAME"), tables.c_str());
  add("width", po::value<double>()->value_name("INCHES")->default_value(3.3, "3.3"),
      "of figures; 3.3 is one column of a paper");
  const auto arguments = parse_arguments(kHelp, options, words, /*max_names=*/100'000);
  if (!arguments) return 0;
  if (arguments->names.empty())
    throw Error(Fault::Usage, "export: of which results? Name files, or folders such as results/");
  const auto wanted = arguments->get<std::string>("format");
  if (!wanted) throw Error(Fault::Usage, "export: in which --format? " + formats);
  const ExportFormat& format = find_export_format(*wanted);
  const auto table = arguments->get<std::string>("table");
  if (table && format.name != "csv")
    throw Error(Fault::Usage, fmt::format("export: --table goes with csv, not {}", format.name));
  const TidyTable* const only = table ? &find_tidy_table(*table) : nullptr;
  const double width = *arguments->get<double>("width");
  if (!(width >= kNarrowestFigure && width <= kWidestFigure))
    throw Error(Fault::Usage, fmt::format("export: --width {}: expected {} to {} inches", width,
                                          kNarrowestFigure, kWidestFigure));
  const bool one_file = only || format.content;
  const std::string usual = only ? *table + ".csv" : std::string(format.target);
  const fs::path target = arguments->get<std::string>("out").value_or(usual);
  if (target.extension() == ".h5")
    throw Error(Fault::Usage,
                fmt::format("export: '{}' would replace a results file; choose another name",
                            target.string()));
  if (target == "-" && !one_file)
    throw Error(Fault::Usage,
                fmt::format("export: {} is several files; name a folder{}", format.name,
                            format.name == "csv" ? ", or one --table" : ""));

  const ResultsSet set = read_results(result_places(arguments->names, "export"));
  if (one_file) {
    put(only ? csv_text(*only, set) : format.content(set), target);
    return 0;
  }
  for (const fs::path& file : format.write(set, target, {.width = width}))
    fmt::print("{}\n", file.string());
  return 0;
}

}  // namespace engram
