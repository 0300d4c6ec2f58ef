// `engram completion`: scripts that ask the program itself for commands, options and names, so that
// they need no update when those change.
#include <cstdio>

#include <fmt/format.h>

#include "exps/commands/arguments.h"
#include "exps/commands/commands.h"
#include "exps/export/export.h"
#include "exps/export/tables.h"
#include "exps/sweep/sweep_settings.h"
#include "utils/error.h"

namespace engram {
namespace {

constexpr CommandHelp kHelp{
    .command = "completion",
    .usage = "bash | zsh",
    .about = "Prints a script that completes commands, options and names.",
    .examples =
        "  source <(engram completion bash)          # or put this line into ~/.bashrc\n"
        "  engram completion zsh > ~/.zfunc/_engram  # a folder of $fpath\n"};

// The words that may follow; $1: the program, $2: the command or "", $3: the word before.
constexpr std::string_view kWords = R"(
_engram_words() {
  local engram=$1 command=$2 before=$3
  case $before in
    --set|--grid|-g) "$engram" list options --names 2>/dev/null | sed 's/$/=/'; return ;;
    --out|-o|--exps|--data|--seeds|-s|--jobs|-j|--threads|-t|--name|--mirror|--seconds|--json|--metric|-m|--level|--resamples|--title|--width|--checkpoint|--write) return ;;
    --selection) printf '%s\n' @PROTOCOLS@; return ;;
    --format|-f) [[ $command == export ]] && printf '%s\n' @FORMATS@; return ;;
    --table) printf '%s\n' @TABLES@; return ;;
  esac
  case $command in
    '') printf '%s\n' @COMMANDS@ help --help --version; return ;;
    help) printf '%s\n' @COMMANDS@; return ;;
    reproduce) echo all; "$engram" reproduce --list --names 2>/dev/null ;;
    run|show|sweep) "$engram" list experiments --names 2>/dev/null ;;
    list) printf '%s\n' experiments benchmarks datasets streams simulations models gatings \
        rules strategies optimizers agents options results ;;
    compare|report|export) ls "${ENGRAM_HOME:-.}"/results 2>/dev/null ;;
    bench) "$engram" bench --names 2>/dev/null ;;
    data) printf '%s\n' list verify fetch; "$engram" list datasets --names 2>/dev/null ;;
    completion) printf '%s\n' bash zsh ;;
  esac
  "$engram" help "$command" 2>/dev/null | grep -oE '^ +(-[a-z] \[ )?--[a-z-]+' | grep -oE -- '--[a-z-]+'
}
)";

constexpr std::string_view kBash = R"(# bash completion for engram; source this
@WORDS@
_engram() {
  local word=${COMP_WORDS[COMP_CWORD]} before='' command=''
  ((COMP_CWORD > 1)) && before=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}
  local words
  words=$(_engram_words "${COMP_WORDS[0]}" "$command" "$before")
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
  [[ ${COMPREPLY[0]:-} == *= ]] && compopt -o nospace
}
complete -o default -F _engram engram ./engram
)";

constexpr std::string_view kZsh = R"(#compdef engram
@WORDS@
_engram() {
  local before='' command=''
  ((CURRENT > 2)) && before=${words[CURRENT-1]} command=${words[2]}
  local -a found
  found=("${(@f)$(_engram_words "${words[1]}" "$command" "$before")}")
  found=(${found:#})
  if ((${#found})); then
    if [[ $before == --set || $before == --grid || $before == -g ]]; then compadd -S '' -a found; else compadd -a found; fi
  else
    _files
  fi
}
if [[ $funcstack[1] == _engram ]]; then _engram "$@"; else compdef _engram engram; fi
)";

std::string replaced(std::string_view text, std::string_view mark, std::string_view by) {
  std::string out(text);
  for (auto at = out.find(mark); at != std::string::npos; at = out.find(mark, at + by.size()))
    out.replace(at, mark.size(), by);
  return out;
}

template <class Entry>
std::string names_of(std::span<const Entry> entries) {
  std::string names;
  for (const Entry& entry : entries)
    (names += names.empty() ? "" : " ") += entry.name;
  return names;
}

}  // namespace

int completion_command(const Arguments& words) {
  const auto arguments = parse_arguments(
      kHelp, boost::program_options::options_description("options"), words, /*max_names=*/1);
  if (!arguments) return 0;
  const std::string shell = arguments->names.empty() ? "" : arguments->names[0];
  if (shell != "bash" && shell != "zsh")
    throw Error(Fault::Usage, "completion: for which shell? bash or zsh");
  std::string script = replaced(shell == "bash" ? kBash : kZsh, "@WORDS@\n", kWords);
  script = replaced(script, "@COMMANDS@", names_of(commands()));
  script =
      replaced(script, "@PROTOCOLS@", fmt::format("{}", fmt::join(Choices<Selection>::names, " ")));
  script = replaced(script, "@FORMATS@", names_of(export_formats()));
  script = replaced(script, "@TABLES@", names_of(tidy_tables()));
  fmt::print("{}", script);
  return 0;
}

}  // namespace engram
