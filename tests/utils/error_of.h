// What an Error says, for tests of messages.
#pragma once

#include <string>

#include <gtest/gtest.h>

#include "utils/error.h"

namespace engram {

/// Runs `action`, which must throw an Error of this fault, and returns its text.
template <class Action>
std::string error_of(Action&& action, Fault fault = Fault::Config) {
  try {
    action();
  } catch (const Error& e) {
    EXPECT_EQ(static_cast<int>(e.fault()), static_cast<int>(fault)) << e.what();
    return e.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

/// The same of an action that may be taken as it is: "" then.
template <class Action>
std::string refusal_of(Action&& action, Fault fault = Fault::Config) {
  try {
    action();
  } catch (const Error& e) {
    EXPECT_EQ(static_cast<int>(e.fault()), static_cast<int>(fault)) << e.what();
    return e.what();
  }
  return "";
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}
#define EXPECT_SAYS(text, part) EXPECT_PRED2(contains, text, part)

/// The fault of the Error that `action` throws; its text must hold `part`.
template <class Action>
Fault fault_of(Action&& action, const std::string& part) {
  try {
    action();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find(part), std::string::npos) << e.what();
    return e.fault();
  }
  ADD_FAILURE() << "nothing was thrown";
  return Fault::Internal;
}

}  // namespace engram
