// The `engram` program: finds the command, catches what goes wrong, returns the exit code.
#include <cerrno>
#include <cstdio>
#include <system_error>

#include <fmt/format.h>

#include "exps/commands/commands.h"
#include "exps/commands/failure.h"
#include "exps/commands/stop.h"
#include "utils/denormals.h"
#include "utils/kernels.h"
#include "utils/provenance.h"

namespace engram {
namespace {

int print_overview() {
  fmt::print(
      "engram {}: continual learning, measured\n\n"
      "usage: engram COMMAND [arguments]\n\ncommands:\n",
      engram_version());
  for (const Command& command : commands())
    fmt::print("  {:<12} {}\n", command.name, command.summary);
  fmt::print(
      "\n'engram help COMMAND' tells more. Exit codes: 0 done, 1 a published figure out of its "
      "band,\n"
      "64 command line, 65 wrong data, 66 missing data, 70 bug or out of memory, 73 cannot write,\n"
      "74 disk failed or full, 76 training diverged, 78 settings, 130/143 stopped by Ctrl-C/kill\n"
      "after saving.\n");
  return 0;
}

int dispatch(Arguments words) {
  if (words.empty()) return print_overview();
  const std::string first = words.front();
  words.erase(words.begin());
  if (first == "--version") {
    fmt::print("engram {}\n", engram_version());
    return 0;
  }
  const bool asks_help = first == "help" || first == "--help" || first == "-h";
  if (!asks_help) return find_command(first).run(words);
  return words.empty() ? print_overview() : find_command(words.front()).run({"--help"});
}

/// What was printed must have arrived: a full disk behind `> file` is an error.
void flush_stdout() {
  if (std::fflush(stdout) != 0)
    throw std::system_error(errno, std::generic_category(), "writing to the standard output");
}

}  // namespace
}  // namespace engram

int main(int count, char** arguments) {
  try {
    engram::flush_denormals();
    engram::kernels::use_one_blas_thread();
    engram::outlive_broken_outputs();
    const int code = engram::dispatch({arguments + 1, arguments + count});
    engram::flush_stdout();
    return code;
  } catch (...) {
    const engram::Failure failure = engram::current_failure();
    std::fflush(stdout);
    engram::print_failure(failure);
    return failure.code;
  }
}
