// Experiments as INI text. A section is a named experiment, [DEFAULT] feeds every section of its
// file, `inherits = NAME` takes another experiment of any file as base, the command line overrides.
// Every value remembers where it was written, every read is recorded, and a key that nobody reads
// is an error at that place.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "utils/error.h"
#include "utils/options.h"

namespace engram {

/// Settings of one experiment, resolved through [DEFAULT], its chain of bases and the command line.
class Config {
 public:
  struct Value {
    std::string text;
    std::string source;      ///< "exps/permuted.cfg:12", "--set" or "default"
    bool inherited = false;  ///< from [DEFAULT] or a base, not from the experiment itself
    bool used = false;
    int level = 0;  ///< 0 is "--set", 1 the experiment's own section, higher is less specific
  };

  /// Sets a value as if it had been written at `source`, over an earlier one of the same key. For
  /// tests and for `--set`. The source "--set" wins over an alias from elsewhere.
  void set(std::string key, std::string text, std::string source, bool inherited = false);
  /// The same as if `source` were the command line: over whatever a file says under any spelling.
  void overrule(std::string key, std::string text, std::string source);
  /// Moves the keys that are `wanted` into a configuration of their own.
  Config take_out(const std::function<bool(std::string_view)>& wanted);

  /// Fills a T from the keys its describe() names. Throws Error(Config) naming file, line and key
  /// when a value does not fit its type or range, or when a key and its alias are both written at
  /// the same level (of two levels the more specific wins, under whichever spelling). Keys that are
  /// not set keep what `out` holds, and are recorded with source "default".
  template <Described T>
  T read(T out = {}) {
    out.describe(Reader{*this});
    return out;
  }

  /// Throws Error(Config) for the first key that (a) appears in no `known` list: misspelt; or
  /// (b) was written for this very experiment (not inherited) but that nothing has read: it would
  /// have no effect. Inherited keys that the chosen parts do not use are fine.
  void require_all_used(std::span<const OptionInfo> known) const;

  /// Every key that was read, in order of the first read, with its effective value and source.
  struct Entry {
    std::string key, text, source;
  };
  const std::vector<Entry>& resolved() const { return resolved_; }
  /// "key = value" lines, sorted by key: what the results file stores as /config.
  std::string resolved_text() const;
  /// Sorted "key: source" lines.
  std::string resolved_sources() const;

  const std::map<std::string, Value>& values() const { return values_; }

 private:
  friend class ExperimentBook;
  struct Reader {
    Config& config;
    template <class T>
    void operator()(std::string_view key, T& field, std::string_view help) {
      (*this)(key, field, Range::any(), help);
    }
    template <class T>
    void operator()(std::string_view key, T& field, const Range& range, std::string_view) {
      const auto names = option::spellings(key);
      if (const Value* value = config.take(names)) {
        if (!option::parse(value->text, field))
          throw Error(Fault::Config, value->source + ": '" + value->text + "' does not fit '" +
                                         names.front() + "' (" + option::type_name<T>() + ")" +
                                         config.choice_hint(value->text, option::type_name<T>()));
        if (!option::within(field, range))
          throw Error(Fault::Config, value->source + ": '" + names.front() + "' = " + value->text +
                                         " is out of range: it must be " + range.text());
        config.record(names.front(), option::print(field), value->source);
      } else {
        config.record(names.front(), option::print(field), "default");
      }
    }
  };

  const Value* take(const std::vector<std::string>& spellings);  ///< marks as used; null: not set
  void record(const std::string& key, std::string text, std::string source);
  static std::string choice_hint(std::string_view wrong, const std::string& type);

  std::map<std::string, Value> values_;
  std::vector<Entry> resolved_;
};

/// All experiments of a folder of .cfg files. A comment is '#' or ';' at the start of a line or
/// after a blank; a ';' inside a word is text, a '#' inside a word is an error.
class ExperimentBook {
 public:
  /// Reads every *.cfg in `folder` (sorted by name). Syntax errors, a section defined twice (also
  /// across files) and names that cannot be a folder name throw Error(Config) with file and line; a
  /// missing folder or file throws Error(MissingInput).
  static ExperimentBook load(const std::filesystem::path& folder);
  /// Reads the given files only.
  static ExperimentBook load(std::span<const std::filesystem::path> files);

  struct Experiment {
    std::string name;
    std::string file;   ///< as given
    int line = 0;       ///< of the section header
    std::string base;   ///< of `inherits`, or ""
    std::string about;  ///< of the reserved key `about`: one sentence for `engram list`
  };
  const std::vector<Experiment>& experiments() const { return experiments_; }  ///< in file order
  std::vector<std::string> names() const;

  /// Resolves one experiment. Precedence: --set > own section > [DEFAULT] of its file > its base
  /// (resolved the same way). Where the base is in the same file their common [DEFAULT] comes after
  /// both, for otherwise it would hide what the base changes. Unknown experiment, missing base or a
  /// cycle of bases: Error(Config) with a suggestion. `overrides` are "key=value" texts of the
  /// command line; a malformed or repeated one is an Error(Usage).
  Config resolve(std::string_view name, std::span<const std::string> overrides = {}) const;

 private:
  struct Line {
    std::string key, text;
    int line = 0;
  };
  struct Section {
    Experiment about;
    int base_line = 0;  ///< of `inherits`
    std::vector<Line> lines;
  };
  void read_file(const std::filesystem::path& file);
  void open_section(const std::string& name, const std::string& file, int line);
  const Section& section(std::string_view name, const std::string& wanted_at) const;

  std::vector<Experiment> experiments_;
  std::map<std::string, Section, std::less<>> sections_;
  std::map<std::string, std::vector<Line>> defaults_;  ///< by file
};

}  // namespace engram
