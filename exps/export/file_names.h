// Names of files made of names that may hold anything.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace engram {

/// What every file system takes and no shell minds: other characters become '_', and the rest of a
/// long text is left out.
std::string plain_name(std::string_view text);
/// `name`, or with a number where `taken` knows it, which knows it afterwards. Two names that
/// differ in case only are one file to some systems.
std::string unique_name(const std::string& name, std::set<std::string>& taken);

}  // namespace engram
