// `engram show`: one experiment as it would run.
#include <cstdio>

#include <fmt/format.h>

#include "exps/commands/arguments.h"
#include "exps/commands/commands.h"
#include "exps/commands/describe.h"
#include "exps/commands/places.h"
#include "utils/error.h"
#include "utils/terminal.h"

namespace engram {
namespace {

namespace po = boost::program_options;
using Texts = std::vector<std::string>;

constexpr CommandHelp kHelp{
    .command = "show",
    .usage = "NAME [options]",
    .about =
        "Prints the resolved settings of an experiment, each with the place it comes from, and\n"
        "the stream and the model that they make. NAME may also be FILE.cfg:NAME.",
    .examples =
        "  engram show perm_mlp1_sparse\n"
        "  engram show perm_mlp1_sparse --set hidden_units=4000 --short\n"};

}  // namespace

int show_command(const Arguments& words) {
  po::options_description options("options");
  auto add = options.add_options();
  add("set", po::value<Texts>()->composing()->value_name("KEY=VALUE"), "overrides a setting");
  add("short", "leave out settings that keep their defaults");
  add("exps", po::value<std::string>()->value_name("DIR"), "folder of experiments");
  const auto arguments = parse_arguments(kHelp, options, words, /*max_names=*/1);
  if (!arguments) return 0;
  if (arguments->names.empty())
    throw Error(Fault::Usage, "show: which experiment? ('engram list experiments')");

  std::string experiment;
  Config config =
      resolve_name(arguments->names[0], experiments_folder(arguments->get<std::string>("exps")),
                   arguments->all("set"), &experiment);
  const Settings settings = read_settings(experiment, std::move(config));
  const PartsText parts = during(experiment, [&] { return try_parts(settings, 0); });
  const bool colour = use_colour(stdout);
  fmt::print("{}\n{}{}stream: {}\nmodel, {} parameters:\n{}", bold("[" + experiment + "]", colour),
             describe_settings(settings, arguments->has("short"), colour),
             describe_sweep_settings(settings, colour), parts.stream, parts.parameters,
             parts.model);
  return 0;
}

}  // namespace engram
