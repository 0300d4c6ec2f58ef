// What a file says of the settings of its run, beside those that are wanted now. Engram gains
// options with time: a file of before does not know them, and the defaults of new ones are what was
// done until then, so such a file still is of the same settings while nobody asks for anything
// else.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace engram {

/// Values by key from the lines of Config::resolved_text().
std::map<std::string, std::string> parse_settings(std::string_view resolved_text);

/// The first setting by name in which two texts differ, as "lr = 0.1 instead of 0.2"; "" if none
/// does. A key that one text lacks has its default; one that no option has is a difference.
std::string settings_difference(std::string_view recorded, std::string_view wanted);

/// The lines of a resolved text that are not at their defaults: these stay the same when options
/// are added.
std::string chosen_settings(std::string_view resolved_text);

}  // namespace engram
