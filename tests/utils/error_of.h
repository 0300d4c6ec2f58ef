// What an Error says, for tests of messages.
#pragma once

#include <string>

#include <gtest/gtest.h>

#include "tests/utils/contains.h"
#include "utils/error.h"

namespace engram {

/// The text of an Error of this fault that `action` throws; "" where it throws none.
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

/// The same of an `action` that must throw one.
template <class Action>
std::string error_of(Action&& action, Fault fault = Fault::Config) {
  const std::string text = refusal_of(action, fault);
  EXPECT_NE(text, "") << "nothing was thrown";
  return text;
}

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
