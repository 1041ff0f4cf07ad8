#include "ltad/repro/time_left.h"

#include <algorithm>

namespace ltad {
namespace {

double seconds_between(TimeLeft::Clock::time_point start, TimeLeft::Clock::time_point stop) {
    return std::chrono::duration<double>(stop - start).count();
}

}  // namespace

void TimeLeft::begin_training(double planned_seconds, Clock::time_point now) {
    end_training(now);
    current_ = planned_seconds;
    start_ = now;
}

void TimeLeft::end_training(Clock::time_point now) {
    if (current_ > 0) {
        planned_ += current_;
        taken_ += seconds_between(start_, now);
    }
    left_ -= current_;
    current_ = 0;
}

double TimeLeft::seconds(double share, Clock::time_point now) const {
    const double done = share * current_;
    const double since = current_ > 0 ? seconds_between(start_, now) : 0;
    return std::max(0.0, left_ - done) * (taken_ + since) / (planned_ + done);
}

}  // namespace ltad
