#include "ltad/core/progress.h"

#include <cmath>
#include <cstdio>
#include <iostream>
#include <utility>

#include <unistd.h>

#include "ltad/core/error.h"
#include "ltad/core/log.h"
#include "ltad/core/visible.h"

namespace ltad {
namespace {

std::string format_rate(double rate) {
    char out[32];
    std::snprintf(out, sizeof out, rate < 10 ? "%.1f" : "%.0f", rate);
    return out;
}

std::function<std::string(double, double)>& progress_frame() {
    static std::function<std::string(double, double)> frame;
    return frame;
}

}  // namespace

void frame_progress(std::function<std::string(double, double)> frame) { progress_frame() = std::move(frame); }

std::string format_duration(double seconds) {
    const auto whole = static_cast<long long>(std::llround(seconds));
    char out[48];
    if (whole < 60)
        std::snprintf(out, sizeof out, "%lld s", whole);
    else if (whole < 3600)
        std::snprintf(out, sizeof out, "%lld min %02lld s", whole / 60, whole % 60);
    else
        std::snprintf(out, sizeof out, "%lld h %02lld min", whole / 3600, whole % 3600 / 60);
    return out;
}

Progress::Progress(std::string label, std::size_t total, std::string unit, std::size_t done_before)
    : label_(std::move(label)),
      unit_(std::move(unit)),
      total_(total),
      done_(done_before),
      done_before_(done_before),
      terminal_(::isatty(STDERR_FILENO) == 1),
      start_(Clock::now()),
      last_shown_(start_) {}

Progress::~Progress() {
    if (terminal_ && shown_) std::cerr << '\n';
}

void Progress::advance(std::size_t count) {
    done_ += count;
    const auto now = Clock::now();
    const std::chrono::duration<double> since = now - last_shown_;
    const bool finished = done_ >= total_;
    if (since.count() >= (terminal_ ? 0.2 : seconds_between_lines) || finished) show(now);
}

void Progress::show(Clock::time_point now) {
    const double seconds = std::chrono::duration<double>(now - start_).count();
    const double rate = seconds > 0 ? static_cast<double>(done_ - done_before_) / seconds : 0;
    const auto share = [&](std::size_t part) {
        return total_ > 0 ? static_cast<double>(part) / static_cast<double>(total_) : 1;
    };
    std::string line = progress_frame() ? progress_frame()(share(done_), share(done_before_)) : "";
    line += text(label_, ": ", done_, " / ", total_, ' ', unit_);
    if (rate > 0) {
        line += text(", ", format_rate(rate), ' ', unit_, "/s");
        if (done_ < total_)
            line += text(", ", format_duration(static_cast<double>(total_ - done_) / rate), " left");
        else
            line += text(", ", format_duration(seconds));
    }
    if (!note_.empty()) line += ", " + note_;
    if (terminal_)
        std::cerr << "\r\033[K" << visible(line) << std::flush;
    else
        log_info(line);
    last_shown_ = now;
    shown_ = true;
}

}  // namespace ltad
