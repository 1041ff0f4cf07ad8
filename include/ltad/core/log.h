#pragma once

#include <string>
#include <string_view>

namespace ltad {

/// Messages for people, on stderr, one line each, or several (`visible_message`). The only door to spdlog: its fmt and
/// LibTorch's cannot be seen by the same source, so core/log.cpp alone includes it.
void log_info(std::string_view message);
void log_warning(std::string_view message);
void log_error(std::string_view message);

/// A warning that says nothing new the second time, in a process.
void log_warning_once(const std::string& message);

}  // namespace ltad
