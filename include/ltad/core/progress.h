#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>

namespace ltad {

/// Shows done / total, rate and time left on stderr: a line that rewrites itself on a terminal, elsewhere a plain line
/// every `seconds_between_lines`.
class Progress {
public:
    Progress(std::string label, std::size_t total, std::string unit, std::size_t done_before = 0);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    void advance(std::size_t count = 1);
    /// A few words behind the figures, such as the loss.
    void note(std::string words) { note_ = std::move(words); }

private:
    using Clock = std::chrono::steady_clock;
    void show(Clock::time_point now);

    static constexpr double seconds_between_lines = 15;

    std::string label_;
    std::string unit_;
    std::string note_;
    std::size_t total_;
    std::size_t done_;
    std::size_t done_before_;
    bool terminal_;
    bool shown_ = false;
    Clock::time_point start_;
    Clock::time_point last_shown_;
};

/// What stands before every progress line from now on, such as how far a series of works is: a function of the shares
/// of the current work that are done, and that were before it began here. Empty for nothing.
void frame_progress(std::function<std::string(double done, double done_before)> frame);

/// "42 s", "3 min 05 s", "2 h 10 min".
[[nodiscard]] std::string format_duration(double seconds);

}  // namespace ltad
