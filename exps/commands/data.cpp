// `engram data`: which data sets are here, whether they are what they claim to be, and fetching.
#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "benchmarks/catalog.h"
#include "benchmarks/fetch.h"
#include "exps/commands/arguments.h"
#include "exps/commands/commands.h"
#include "exps/commands/table.h"
#include "utils/error.h"
#include "utils/terminal.h"

namespace engram {
namespace {

namespace po = boost::program_options;
using Folder = std::optional<std::filesystem::path>;

constexpr CommandHelp kHelp{
    .command = "data",
    .usage = "list | verify [NAME...] | fetch NAME... [options]",
    .about =
        "list says which data sets are found and where; verify reads every file and compares its\n"
        "SHA-256 with the published one; fetch downloads over HTTPS, goes on with what an earlier\n"
        "attempt left, and installs nothing that is not the published data. Looked for in: "
        "--data,\n"
        "$ENGRAM_DATA, data/, and the system's folder of data sets.",
    .examples =
        "  engram data list\n"
        "  engram data verify fashion\n"
        "  engram data fetch mnist cifar10\n"
        "  engram data fetch mnist --mirror https://mirror.example.org/data/\n"};

std::string proof_text(Proof proof) {
  switch (proof) {
    case Proof::Missing:
      return "missing";
    case Proof::Wrong:
      return "WRONG";
    case Proof::Generated:
      return "made by the program";
    case Proof::Present:
      return "there, not checked";
    case Proof::Size:
      return "sizes fit";
    case Proof::Wrapper:
      return "proved: the published .gz files";
    case Proof::Content:
      return "proved: the published content";
  }
  return "";
}

int list_all(const DataSearch& search) {
  TextTable table({"name", "state", "folder", "what it is"});
  for (const DataStatus& status : list_data(search)) {
    std::string state = "found";
    if (status.proof == Proof::Generated) state = "built in";
    if (status.proof == Proof::Missing) state = "missing";
    table.add({status.name, state, status.folder ? status.folder->string() : "-", status.summary});
  }
  fmt::print(
      "{}\n'engram data verify' reads and checks the files; 'engram data fetch NAME' gets one.\n",
      table.text(use_colour(stdout), is_terminal(stdout) ? terminal_width(stdout) : 0));
  return 0;
}

void print_status(const DataStatus& status) {
  fmt::print("{}: {}{}\n", status.name, proof_text(status.proof),
             status.folder ? ", in " + status.folder->string() : "");
  for (const std::string& note : status.notes)
    fmt::print("  {}\n", note);
}

/// All data sets when none is named; then one that is missing is no error.
int verify(const std::vector<std::string>& names, const DataSearch& search) {
  for (const std::string& name : names)
    print_status(verify_data(dataset_entry(name), search));
  if (!names.empty()) return 0;
  bool is_wrong = false;
  for (const DataStatus& status : list_data(search, /*check_digests=*/true)) {
    print_status(status);
    is_wrong = is_wrong || status.proof == Proof::Wrong;
  }
  return is_wrong ? static_cast<int>(Fault::Data) : 0;
}

std::string fetch_line(std::string_view file, std::uint64_t done, std::uint64_t total) {
  std::string line = fmt::format("{}  {}", file, bytes(static_cast<double>(done)));
  if (total == 0) return line;
  const double fraction = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
  const auto full = static_cast<std::size_t>(30 * fraction);
  return line + fmt::format(" of {}  [{}{}] {:3.0f} %", bytes(static_cast<double>(total)),
                            std::string(full, '='), std::string(30 - full, ' '), 100 * fraction);
}

int fetch(const std::vector<std::string>& names, const Folder& folder, const std::string& mirror) {
  if (names.empty()) throw Error(Fault::Usage, "data fetch: which data set? ('engram data list')");
  for (const std::string& name : names)
    dataset_entry(name);  // before the first byte is fetched
  for (const std::string& name : names) {
    LiveLines lines;
    FetchOptions options;
    options.mirror = mirror;
    options.progress = [&lines](std::string_view file, std::uint64_t done, std::uint64_t total) {
      lines.show(fetch_line(file, done, total));
    };
    const auto installed = fetch_data(dataset_entry(name), fetch_root(folder), options);
    lines.clear();
    fmt::print("{}: in {}\n", name, installed.string());
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace

int data_command(const Arguments& words) {
  po::options_description options("options");
  auto add = options.add_options();
  add("data", po::value<std::string>()->value_name("DIR"),
      "folder of data sets; fetch writes there");
  add("mirror",
      po::value<std::string>()->value_name("URL")->default_value("", "the published ones"),
      "fetch from here instead: an https:// folder with one folder per data set");
  const auto arguments = parse_arguments(kHelp, options, words, /*max_names=*/100);
  if (!arguments) return 0;
  const std::vector<std::string> known{"list", "verify", "fetch"};
  if (arguments->names.empty())
    throw Error(Fault::Usage, "data: what to do? list, verify or fetch");
  const std::string action = arguments->names.front();
  const std::vector<std::string> names(arguments->names.begin() + 1, arguments->names.end());
  Folder folder;
  if (const auto given = arguments->get<std::string>("data")) folder = *given;
  if (action == "list" && !names.empty())
    throw Error(Fault::Usage, "data list: '" + names[0] + "' is one word too many");
  if (action == "list") return list_all(data_search(folder));
  if (action == "verify") return verify(names, data_search(folder));
  if (action == "fetch") return fetch(names, folder, *arguments->get<std::string>("mirror"));
  throw Error(Fault::Usage, "data: there is no '" + action + "'" + suggestion(action, known));
}

}  // namespace engram
