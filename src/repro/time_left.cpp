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

void TimeLeft::give_up_training(double planned_seconds_after_it) {
    left_ -= current_ + planned_seconds_after_it;
    current_ = 0;
}

double TimeLeft::seconds(double done, double done_before, Clock::time_point now) const {
    const double share = done_before < 1 ? (done - done_before) / (1 - done_before) : 1;
    const double since = current_ > 0 ? seconds_between(start_, now) : 0;
    return std::max(0.0, left_ - share * current_) * (taken_ + since) / (planned_ + share * current_);
}

}  // namespace ltad
