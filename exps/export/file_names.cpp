#include "exps/export/file_names.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

namespace engram {

std::string plain_name(std::string_view text) {
  constexpr std::size_t kLongest = 100;
  std::string name;
  for (const char c : text.substr(0, kLongest)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    name += plain || std::string_view("._-+=~").find(c) != std::string_view::npos ? c : '_';
  }
  return name;
}

std::string unique_name(const std::string& name, std::set<std::string>& taken) {
  const auto folded = [](std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
  };
  std::string unique = name;
  for (int i = 2; !taken.insert(folded(unique)).second; ++i)
    unique = fmt::format("{}-{}", name, i);
  return unique;
}

}  // namespace engram
