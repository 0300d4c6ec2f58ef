// Plain aligned columns for `engram list`.
#pragma once

#include <string>
#include <vector>

namespace engram {

class TextTable {
 public:
  explicit TextTable(std::vector<std::string> titles) : titles_(std::move(titles)) {}
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  /// The last column is broken into lines of words so that nothing exceeds `width`; 0: it is not.
  std::string text(bool colour, int width) const;

 private:
  std::vector<std::string> titles_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace engram
