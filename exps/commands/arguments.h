// Boost.Program_options with our help texts, and errors that name the nearest option.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/program_options.hpp>

#include "exps/commands/commands.h"

namespace engram {

/// What `--help` prints around the list of options.
struct CommandHelp {
  std::string_view command;  ///< "run"
  std::string_view usage;    ///< "NAME... [options]"
  std::string_view about;    ///< a paragraph
  std::string_view examples;
};

struct ParsedArguments {
  std::vector<std::string> names;  ///< the words that are not options
  boost::program_options::variables_map values;

  bool has(const char* option) const { return values.count(option) > 0; }
  template <class T>
  std::optional<T> get(const char* option) const {
    if (!has(option)) return std::nullopt;
    return values[option].as<T>();
  }
  std::vector<std::string> all(const char* option) const {
    return get<std::vector<std::string>>(option).value_or(std::vector<std::string>{});
  }
};

/// Parses; prints the help and returns nothing when --help is among the arguments. Error(Usage) for
/// unknown options, values that do not fit and more than `max_names` words.
std::optional<ParsedArguments> parse_arguments(
    const CommandHelp& help, const boost::program_options::options_description& options,
    const Arguments& arguments, std::size_t max_names);

}  // namespace engram
