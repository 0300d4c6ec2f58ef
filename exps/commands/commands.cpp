#include "exps/commands/commands.h"

#include "utils/error.h"

namespace engram {
namespace {

constexpr Command kCommands[] = {
    {"run", "train experiments, evaluate them, write and show the results", run_command},
    {"sweep", "run experiments over grids of settings, and choose a setting by a stated protocol",
     sweep_command},
    {"reproduce", "run what others published figures for, and judge ours", reproduce_command},
    {"list", "what there is: experiments, data sets, models, strategies, options", list_command},
    {"show", "an experiment's settings, where each comes from, and its model", show_command},
    {"compare", "which experiment is better, and whether the data can tell", compare_command},
    {"report", "results as one HTML page: curves, matrices, sparsity, cost, verdicts",
     report_command},
    {"export", "results as tables, JSON, NumPy arrays, LaTeX or figures", export_command},
    {"data", "list, verify and fetch data sets", data_command},
    {"bench", "measure training steps and evaluation on this machine", bench_command},
    {"test", "run the tests", test_command},
    {"completion", "print a completion script for bash or zsh", completion_command},
};

}  // namespace

std::span<const Command> commands() {
  return kCommands;
}

const Command& find_command(std::string_view name) {
  std::vector<std::string> known;
  for (const Command& command : kCommands) {
    if (command.name == name) return command;
    known.emplace_back(command.name);
  }
  throw Error(Fault::Usage,
              "there is no command '" + std::string(name) + "'" + suggestion(name, known));
}

}  // namespace engram
