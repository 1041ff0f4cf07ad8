#pragma once

#include <chrono>

namespace ltad {

/// How long a series of planned trainings will still take, from how much longer than planned they have taken so far.
/// Time between them, spent on what the plan does not hold, is left out.
class TimeLeft {
public:
    using Clock = std::chrono::steady_clock;

    /// planned_seconds: of all that is left to train.
    explicit TimeLeft(double planned_seconds) : left_(planned_seconds) {}

    /// A training begins, of which so much is left to do; what was before has ended.
    void begin_training(double planned_seconds, Clock::time_point now = Clock::now());
    /// The training has ended.
    void end_training(Clock::time_point now = Clock::now());
    /// It has failed, and with it others, planned to take so long, that will not begin. Teaches nothing.
    void give_up_training(double planned_seconds_after_it);

    /// done, done_before: shares of the current training, in [0, 1], and what an earlier call had done of it.
    [[nodiscard]] double seconds(double done, double done_before = 0, Clock::time_point now = Clock::now()) const;

private:
    /// The plan counts as half a minute of experience: the first steps, which find their memory, must not decide.
    static constexpr double experience = 30;

    double left_;  ///< planned seconds of this training and those to come
    double planned_ = experience;
    double taken_ = experience;
    double current_ = 0;  ///< planned seconds of this training; 0 between trainings
    Clock::time_point start_{};
};

}  // namespace ltad
