// The commands of the `engram` program: one file and one line of the table each.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace engram {

/// What follows the command's name on the command line.
using Arguments = std::vector<std::string>;

struct Command {
  std::string_view name, summary;
  int (*run)(const Arguments&);  ///< returns the exit code; throws Error
};

/// In the order of `engram --help`.
std::span<const Command> commands();
/// Error(Usage) with the nearest name when there is no such command.
const Command& find_command(std::string_view name);

int run_command(const Arguments&);
int sweep_command(const Arguments&);
int reproduce_command(const Arguments&);
int list_command(const Arguments&);
int show_command(const Arguments&);
int compare_command(const Arguments&);
int report_command(const Arguments&);
int export_command(const Arguments&);
int data_command(const Arguments&);
int bench_command(const Arguments&);
int test_command(const Arguments&);
int completion_command(const Arguments&);

}  // namespace engram
