// Boost.Program_options splits "key = value"; the rest of the INI syntax is ours. Boost's own
// reader of whole files knows no line numbers, takes ';' for a syntax error and silently cuts a
// value at any '#'. So each line is cleaned and checked here, and Boost gets the key lines one by
// one.
#include <algorithm>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

#include <boost/program_options.hpp>
#include <fmt/format.h>

#include "utils/config.h"

namespace engram {
namespace fs = std::filesystem;
namespace po = boost::program_options;
namespace {

constexpr std::uintmax_t kMaxFileBytes = 1 << 20;
constexpr std::size_t kMaxLineBytes = 4096;
constexpr std::size_t kMaxNameBytes = 100;  // file systems allow 255; labels get appended
constexpr std::size_t kMaxListed = 30;      // longer lists of known names help nobody
constexpr std::string_view kBlank = " \t";
constexpr std::string_view kCommandLine = "--set";

std::string place(const std::string& file, int line) {
  return fmt::format("{}:{}", file, line);
}

[[noreturn]] void fail(const std::string& where, const std::string& what) {
  throw Error(Fault::Config, where + ": " + what);
}

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(kBlank) - first + 1));
}

bool is_control(char c) {
  return (c >= 0 && c < ' ' && c != '\t') || c == 127;
}

/// Letters, digits and "_-." only, as every file system and every shell takes them.
bool is_plain_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
}

/// The line without comment and surrounding blanks. `where` is for the complaint.
std::string without_comment(std::string_view line, const std::string& where) {
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '#' && line[i] != ';') continue;
    if (i == 0 || kBlank.find(line[i - 1]) != std::string_view::npos)
      return trimmed(line.substr(0, i));
    // Boost would drop the rest of the value without a word.
    if (line[i] == '#') fail(where, "'#' inside a word; a comment needs a blank before it");
  }
  return trimmed(line);
}

void check_is_text(std::string_view line, const std::string& where) {
  if (line.size() > kMaxLineBytes)
    fail(where, fmt::format("the line has more than {} characters", kMaxLineBytes));
  if (const auto at = std::find_if(line.begin(), line.end(), is_control); at != line.end())
    fail(where, fmt::format("not a text file: there is a byte 0x{:02x} in this line",
                            static_cast<unsigned char>(*at)));
}

/// "[name]" -> "name".
std::string section_name(const std::string& line, const std::string& where) {
  if (line.back() != ']') fail(where, "the section '" + line + "' does not end in ']'");
  const std::string name = trimmed(std::string_view(line).substr(1, line.size() - 2));
  if (!is_plain_name(name))
    fail(where, "'" + name + "' cannot name a section: use letters, digits, '_', '-' and '.'");
  // Results go to a folder of this name; these would be hidden, a parent, or look like an option.
  if (name.front() == '.' || name.front() == '-')
    fail(where, "the name '" + name + "' must not begin with '" + name.front() + "'");
  if (name.size() > kMaxNameBytes)
    fail(where, fmt::format("the name '{}' has more than {} characters", name, kMaxNameBytes));
  std::string upper = name;
  for (char& c : upper)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  if (upper == "DEFAULT" && name != upper) fail(where, "write [DEFAULT], not [" + name + "]");
  return name;
}

std::pair<std::string, std::string> split_key(const std::string& line, const std::string& where) {
  static const po::options_description kNoneRegistered;
  po::parsed_options parsed(&kNoneRegistered);
  try {
    std::istringstream one_line(line);
    parsed = po::parse_config_file(one_line, kNoneRegistered, /*allow_unregistered=*/true);
  } catch (const po::error&) {
    fail(where, "'" + line.substr(0, 60) + "' is neither '[section]' nor 'key = value'");
  }
  ENGRAM_INVARIANT(parsed.options.size() == 1 && parsed.options[0].value.size() == 1);
  const std::string& key = parsed.options[0].string_key;
  if (!is_plain_name(key))
    fail(where, "'" + key + "' cannot be a key: use letters, digits, '_', '-' and '.'");
  return {key, parsed.options[0].value[0]};
}

/// "key=value" of the command line.
std::pair<std::string, std::string> split_override(const std::string& text) {
  const auto equals = text.find('=');
  const std::string key = trimmed(std::string_view(text).substr(0, equals));
  const bool is_good = equals != std::string::npos && is_plain_name(key) &&
                       std::none_of(text.begin(), text.end(), is_control);
  if (!is_good) throw Error(Fault::Usage, "--set " + text + ": expected key=value");
  if (key == "inherits" || key == "about")
    throw Error(Fault::Usage, "--set " + text + ": '" + key + "' belongs into a file");
  return {key, trimmed(std::string_view(text).substr(equals + 1))};
}

}  // namespace

ExperimentBook ExperimentBook::load(const fs::path& folder) {
  std::error_code failure;
  std::vector<fs::path> files;
  for (fs::directory_iterator at(folder, failure), end; !failure && at != end;
       at.increment(failure)) {
    const fs::path& file = at->path();
    // Editors leave lock and backup files that begin with a dot.
    if (file.extension() == ".cfg" && file.filename().string().front() != '.')
      files.push_back(file);
  }
  if (failure)
    throw Error(Fault::MissingInput, "cannot read the folder of experiments '" + folder.string() +
                                         "': " + failure.message());
  std::sort(files.begin(), files.end());
  return load(files);
}

ExperimentBook ExperimentBook::load(std::span<const fs::path> files) {
  ExperimentBook book;
  for (const fs::path& file : files)
    book.read_file(file);
  return book;
}

void ExperimentBook::open_section(const std::string& name, const std::string& file, int line) {
  if (const auto twin = sections_.find(name); twin != sections_.end())
    fail(place(file, line), "the section [" + name + "] is already defined at " +
                                place(twin->second.about.file, twin->second.about.line));
  sections_[name].about = {.name = name, .file = file, .line = line, .base = "", .about = ""};
}

void ExperimentBook::read_file(const fs::path& file) {
  const std::string name = file.string();
  std::error_code ignored;
  std::ifstream in(file, std::ios::binary);
  if (!in || fs::is_directory(file, ignored))
    throw Error(Fault::MissingInput, "cannot read the file of experiments '" + name + "'");
  if (const auto size = fs::file_size(file, ignored); !ignored && size > kMaxFileBytes)
    fail(place(name, 1), fmt::format("not a file of experiments: it has {} bytes", size));

  std::vector<std::string> order;
  Section* section = nullptr;  // null in [DEFAULT]
  std::vector<Line>* lines = nullptr;
  int default_line = 0, number = 0;
  for (std::string raw; std::getline(in, raw);) {
    const std::string where = place(name, ++number);
    if (number == 1 && raw.starts_with("\xef\xbb\xbf")) raw.erase(0, 3);  // Windows' UTF-8 mark
    if (raw.ends_with('\r')) raw.pop_back();
    check_is_text(raw, where);
    const std::string line = without_comment(raw, where);
    if (line.empty()) continue;
    if (line.front() == '[') {
      const std::string title = section_name(line, where);
      if (title == "DEFAULT") {
        if (default_line)
          fail(where, "[DEFAULT] is already defined at " + place(name, default_line));
        default_line = number, section = nullptr, lines = &defaults_[name];
      } else {
        open_section(title, name, number);
        order.push_back(title);
        section = &sections_[title], lines = &section->lines;
      }
      continue;
    }
    const auto [key, text] = split_key(line, where);
    if (!lines) fail(where, "'" + key + "' stands before the first [section]");
    for (const Line& other : *lines)
      if (other.key == key)
        fail(where, "'" + key + "' is already set at " + place(name, other.line));
    lines->push_back({key, text, number});
    if (key != "inherits" && key != "about") continue;
    if (!section) fail(where, "'" + key + "' belongs to one experiment, not to [DEFAULT]");
    if (text.empty()) fail(where, "'" + key + "' is empty");
    if (key == "about")
      section->about.about = text;
    else
      section->about.base = text, section->base_line = number;
  }
  if (in.bad()) throw Error(Fault::Io, "reading '" + name + "' failed half way");
  for (const std::string& title : order)
    experiments_.push_back(sections_[title].about);
}

std::vector<std::string> ExperimentBook::names() const {
  std::vector<std::string> out;
  for (const Experiment& experiment : experiments_)
    out.push_back(experiment.name);
  return out;
}

const ExperimentBook::Section& ExperimentBook::section(std::string_view name,
                                                       const std::string& wanted_at) const {
  if (const auto found = sections_.find(name); found != sections_.end()) return found->second;
  std::vector<std::string> known = names();
  if (!name.starts_with('_') && wanted_at.empty())  // the bases of others are not meant
    std::erase_if(known, [](const std::string& other) { return other.starts_with('_'); });
  const bool list_helps = known.size() <= kMaxListed || !nearest(name, known).empty();
  throw Error(Fault::Config, (wanted_at.empty() ? "" : wanted_at + ": ") +
                                 "there is no experiment called '" + std::string(name) + "'" +
                                 (list_helps ? suggestion(name, known) : ""));
}

Config ExperimentBook::resolve(std::string_view name,
                               std::span<const std::string> overrides) const {
  Config config;
  for (const std::string& text : overrides) {
    auto [key, value] = split_override(text);
    if (config.values_.contains(key)) throw Error(Fault::Usage, "--set gives '" + key + "' twice");
    config.set(std::move(key), std::move(value), std::string(kCommandLine));
  }

  // From the most specific level to the least: what is there already wins.
  int level = 1;
  const auto apply = [&](const std::vector<Line>& lines, const std::string& file, bool inherited) {
    for (const Line& line : lines)
      if (line.key != "inherits" && line.key != "about")
        config.values_.try_emplace(line.key, Config::Value{.text = line.text,
                                                           .source = place(file, line.line),
                                                           .inherited = inherited,
                                                           .level = level});
    ++level;
  };
  std::vector<std::string> chain;
  for (const Section* at = &section(name, ""); at;) {
    const Experiment& own = at->about;
    const bool is_cycle = std::find(chain.begin(), chain.end(), own.name) != chain.end();
    chain.push_back(own.name);
    if (is_cycle)
      fail(place(own.file, at->base_line),
           fmt::format("'inherits' goes round in a circle: {}", fmt::join(chain, " -> ")));
    apply(at->lines, own.file, chain.size() > 1);
    const Section* const base =
        own.base.empty() ? nullptr : &section(own.base, place(own.file, at->base_line));
    // A [DEFAULT] shared with the base has its turn after the base's own section.
    if (const auto shared = defaults_.find(own.file);
        shared != defaults_.end() && !(base && base->about.file == own.file))
      apply(shared->second, own.file, true);
    at = base;
  }
  return config;
}

}  // namespace engram
