// `engram report`: results as one page to look at, print and pass on.
#include "exps/report/report.h"

#include <cstdio>
#include <filesystem>

#include <fmt/format.h>

#include "exps/commands/arguments.h"
#include "exps/commands/commands.h"
#include "exps/commands/read_results.h"
#include "utils/error.h"
#include "utils/terminal.h"

namespace engram {
namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;

constexpr CommandHelp kHelp{
    .command = "report",
    .usage = "FILE|DIR|NAME... [options]",
    .about =
        "Writes one HTML page that needs neither network nor other files: which experiment\n"
        "forgets least and whether the difference is real, curves, matrices, sparsity, cost,\n"
        "settings and provenance of all results files among and below the paths. A NAME is a\n"
        "folder of results/. Its data are in the page as JSON.",
    .examples =
        "  engram report quickstart_dense quickstart_kwinners\n"
        "  engram report results/ -o all.html --title \"All that we have\"\n"};

}  // namespace

int report_command(const Arguments& words) {
  po::options_description options("options");
  auto add = options.add_options();
  add("out,o", po::value<std::string>()->value_name("FILE")->default_value("report.html"),
      "the page");
  add("title", po::value<std::string>()->value_name("TEXT"), "its title");
  const auto arguments = parse_arguments(kHelp, options, words, /*max_names=*/100'000);
  if (!arguments) return 0;
  if (arguments->names.empty())
    throw Error(Fault::Usage, "report: of which results? Name files, or folders such as results/");
  const std::vector<fs::path> places = result_places(arguments->names, "report");
  const fs::path file = *arguments->get<std::string>("out");
  if (fs::is_directory(file))
    throw Error(Fault::Usage, fmt::format("report: '{}' is a folder; name a file, such as '{}'",
                                          file.string(), (file / "report.html").string()));

  const ResultsSet set = read_results(places);
  ReportOptions how;
  if (const auto title = arguments->get<std::string>("title")) how.title = *title;
  LiveLines live;
  live.show("comparing, writing");
  write_report(file, set, how);
  live.clear();
  fmt::print("{} ({})\n", file.string(), bytes(static_cast<double>(fs::file_size(file))));
  return 0;
}

}  // namespace engram
