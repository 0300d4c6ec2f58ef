// `engram test`: hands over to ctest in the folder this program was built in. The launcher script
// ./engram builds the tests first.
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <unistd.h>

#include "exps/commands/arguments.h"
#include "exps/commands/commands.h"
#include "utils/error.h"

namespace engram {
namespace {

constexpr std::string_view kHow = "in a checkout, './engram test' builds and runs all tests";

}  // namespace

int test_command(const Arguments& words) {
  if (!words.empty() && (words[0] == "--help" || words[0] == "-h")) {
    const CommandHelp help{.command = "test",
                           .usage = "[arguments of ctest]",
                           .about =
                               "Runs the tests with ctest. The launcher './engram test' also "
                               "builds them first.",
                           .examples = "  ./engram test\n  ./engram test -R Config\n"};
    parse_arguments(help, boost::program_options::options_description("options"), {"--help"}, 0);
    return 0;
  }
  std::error_code failure;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", failure);
  const auto folder = program.parent_path();
  if (failure || !std::filesystem::exists(folder / "CTestTestfile.cmake", failure))
    throw Error(Fault::Usage, "test: there are no tests beside this program; " + std::string(kHow));
  Arguments call{"ctest", "--test-dir", folder.string(), "--output-on-failure"};
  call.insert(call.end(), words.begin(), words.end());
  std::vector<char*> pointers;
  for (std::string& word : call)
    pointers.push_back(word.data());
  pointers.push_back(nullptr);
  ::execvp("ctest", pointers.data());
  throw Error(Fault::MissingInput, std::string("test: cannot run ctest: ") + std::strerror(errno) +
                                       "; " + std::string(kHow));
}

}  // namespace engram
