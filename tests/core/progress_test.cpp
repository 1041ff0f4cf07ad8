#include "ltad/core/progress.h"

#include <algorithm>
#include <string>
#include <thread>

#include <gmock/gmock.h>

namespace ltad {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(FormatDuration, ReadsAsPeopleSayIt) {
    const std::pair<double, std::string> cases[] = {
        {0, "0 s"},
        {0.4, "0 s"},
        {42, "42 s"},
        {59.4, "59 s"},
        {59.6, "1 min 00 s"},
        {60, "1 min 00 s"},
        {185, "3 min 05 s"},
        {3599, "59 min 59 s"},
        {3600, "1 h 00 min"},
        {7800, "2 h 10 min"},
        {86399, "23 h 59 min"},
        {360000, "100 h 00 min"},
        {3599.9, "1 h 00 min"},
    };
    for (const auto& [seconds, expected] : cases) EXPECT_EQ(format_duration(seconds), expected) << seconds;
}

// stderr is a file while it is captured, not a terminal: plain lines.

TEST(Progress, IsSilentUntilTheEndOfShortWork) {
    testing::internal::CaptureStderr();
    {
        Progress progress("features", 3, "images");
        progress.advance();
        progress.advance();
    }
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(Progress, EndsWithOnePlainLine) {
    testing::internal::CaptureStderr();
    {
        Progress progress("features", 30, "images");
        progress.advance(29);
        progress.note("loss 0.25");
        progress.advance();
    }
    const std::string line = testing::internal::GetCapturedStderr();
    EXPECT_THAT(line, AllOf(HasSubstr("features: 30 / 30 images"), HasSubstr("images/s"), HasSubstr(", loss 0.25\n")));
    EXPECT_THAT(line, Not(HasSubstr(" left"))) << "nothing is left to do";
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
    EXPECT_EQ(line.find('\r'), std::string::npos);
    EXPECT_EQ(line.find('\033'), std::string::npos);
}

TEST(Progress, TheRateCountsOnlyWhatThisProcessDid) {
    testing::internal::CaptureStderr();
    {
        Progress progress("phase 1", 1000, "steps", 998);
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        progress.advance(2);
    }
    const std::string line = testing::internal::GetCapturedStderr();
    const std::size_t at = line.find("1000 / 1000 steps, ");
    ASSERT_NE(at, std::string::npos) << line;
    const double rate = std::stod(line.substr(at + 19));
    EXPECT_GT(rate, 0);
    EXPECT_LE(rate, 101) << "2 steps in at least 20 ms, not 1000";
}

}  // namespace
}  // namespace ltad
