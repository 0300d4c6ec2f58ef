// The files of the page, part of the program so that it needs none at run time.
#pragma once

#include <span>
#include <string_view>

namespace engram::assets {

std::string_view page();   ///< report.html, with {{title}}, {{style}}, {{data}}, {{vega}}, {{code}}
std::string_view style();  ///< report.css
std::span<const std::string_view> code();  ///< the page's scripts, in order

/// A module of Vega as its package has it, under the name by which the others ask for it.
struct Module {
  std::string_view name, text;
};
std::span<const Module> vega();  ///< each after those that it needs

}  // namespace engram::assets
