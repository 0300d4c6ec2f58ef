#include "exps/commands/table.h"

#include <algorithm>
#include <sstream>

#include "utils/terminal.h"

namespace engram {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kNarrowest = 24;  // columns worth breaking a text into

/// Characters on screen of UTF-8 text without wide characters.
std::size_t columns_of(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::vector<std::string> broken(const std::string& text, std::size_t width) {
  std::vector<std::string> lines{""};
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    std::string& line = lines.back();
    if (line.empty())
      line = word;
    else if (columns_of(line) + 1 + columns_of(word) <= width)
      line += " " + word;
    else
      lines.push_back(word);
  }
  return lines;
}

}  // namespace

std::string TextTable::text(bool colour, int width) const {
  std::vector<std::size_t> widths;
  for (std::size_t c = 0; c < titles_.size(); ++c) {
    widths.push_back(columns_of(titles_[c]));
    for (const auto& row : rows_)
      widths[c] = std::max(widths[c], columns_of(row[c]));
  }
  std::size_t indent = 0;
  for (std::size_t c = 0; c + 1 < widths.size(); ++c)
    indent += widths[c] + kGap;
  const auto columns = static_cast<std::size_t>(std::max(width, 0));
  const std::size_t room = columns > indent + kNarrowest ? columns - indent : 0;

  std::string out;
  const auto line = [&](const std::vector<std::string>& cells, bool is_title) {
    std::string text;
    for (std::size_t c = 0; c + 1 < cells.size(); ++c)
      text += cells[c] + std::string(widths[c] + kGap - columns_of(cells[c]), ' ');
    if (room == 0) {
      text += cells.back();
    } else {
      const auto parts = broken(cells.back(), room);
      for (std::size_t i = 0; i < parts.size(); ++i) {
        if (i > 0) text.append("\n").append(indent, ' ');
        text += parts[i];
      }
    }
    text.erase(text.find_last_not_of(' ') + 1);
    out += bold(text, colour && is_title) + "\n";
  };
  line(titles_, true);
  for (const auto& row : rows_)
    line(row, false);
  return out;
}

}  // namespace engram
