#include "exps/commands/arguments.h"

#include <cstdio>
#include <sstream>

#include <fmt/format.h>

#include "utils/error.h"

namespace engram {
namespace po = boost::program_options;
namespace {

/// Boost's name for the words that are no options; nobody can type it as one.
constexpr const char* kWords = "words of the command line";

[[noreturn]] void refuse(const CommandHelp& help, const std::string& what) {
  throw Error(Fault::Usage,
              fmt::format("{}: {} (see 'engram help {}')", help.command, what, help.command));
}

void print_help(const CommandHelp& help, const po::options_description& options) {
  std::ostringstream listed;
  listed << options;
  fmt::print("usage: engram {} {}\n\n{}\n\n{}\nexamples:\n{}", help.command, help.usage, help.about,
             listed.str(), help.examples);
}

std::vector<std::string> long_names(const po::options_description& options) {
  std::vector<std::string> out;
  for (const auto& option : options.options())
    out.push_back("--" + option->long_name());
  return out;
}

}  // namespace

std::optional<ParsedArguments> parse_arguments(const CommandHelp& help,
                                               const po::options_description& options,
                                               const Arguments& arguments, std::size_t max_names) {
  po::options_description visible = options;
  visible.add_options()("help,h", "show this help");
  po::options_description all;
  all.add(visible).add_options()(kWords, po::value<std::vector<std::string>>());
  po::positional_options_description words;
  words.add(kWords, -1);
  const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;

  ParsedArguments out;
  try {
    po::store(po::command_line_parser(arguments).options(all).positional(words).style(style).run(),
              out.values);
    po::notify(out.values);
  } catch (const po::unknown_option& e) {
    const std::string wrong = e.get_option_name();
    refuse(help, "there is no option '" + wrong + "'" + suggestion(wrong, long_names(visible)));
  } catch (const po::error& e) {
    refuse(help, e.what());
  }
  if (out.has("help")) {
    print_help(help, visible);
    return std::nullopt;
  }
  out.names = out.all(kWords);
  if (out.names.size() > max_names)
    refuse(help, "'" + out.names[max_names] + "' is one word too many");
  return out;
}

}  // namespace engram
