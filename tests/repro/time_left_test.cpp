#include "ltad/repro/time_left.h"

#include <gtest/gtest.h>

namespace ltad::test {
namespace {

class TimeLeftTest : public ::testing::Test {
protected:
    [[nodiscard]] static TimeLeft::Clock::time_point at(int seconds) {
        return TimeLeft::Clock::time_point{} + std::chrono::seconds(seconds);
    }
};

TEST_F(TimeLeftTest, IsThePlanBeforeAnything) {
    TimeLeft left(100);
    EXPECT_EQ(left.seconds(0, 0, at(1000)), 100);
    EXPECT_EQ(left.seconds(0.7, 0, at(1000)), 100);  // of an encoding
}

TEST_F(TimeLeftTest, FollowsThePlanAsLongAsThatIsRight) {
    TimeLeft left(400);
    left.begin_training(100, at(10));
    EXPECT_DOUBLE_EQ(left.seconds(0.25, 0, at(35)), 375);
    left.begin_training(300, at(110));
    EXPECT_DOUBLE_EQ(left.seconds(0.5, 0, at(260)), 150);
    left.end_training(at(410));
    EXPECT_DOUBLE_EQ(left.seconds(1, 0, at(500)), 0);
}

TEST_F(TimeLeftTest, LearnsHowMuchSlowerTheMachineIs) {
    TimeLeft left(4000);
    left.begin_training(2000, at(0));
    const double early = left.seconds(0.001, 0, at(20));  // ten times too slow, but for two planned seconds only
    EXPECT_GT(early, 4000);
    EXPECT_LT(early, 8000);
    left.end_training(at(4000));
    EXPECT_NEAR(left.seconds(0, 0, at(4000)), 4000, 40);
}

TEST_F(TimeLeftTest, LeavesOutWhatThePlanDoesNotHold) {
    TimeLeft left(200);
    left.begin_training(100, at(0));
    left.end_training(at(100));
    EXPECT_DOUBLE_EQ(left.seconds(0.9, 0, at(100000)), 100);  // evaluating
    left.begin_training(100, at(100000));
    EXPECT_DOUBLE_EQ(left.seconds(0, 0, at(100000)), 100);
}

TEST_F(TimeLeftTest, CountsOnlyWhatWasDoneHere) {
    TimeLeft left(1100);
    // An earlier call has done 0.9 of it; this one follows the plan.
    left.begin_training(100, at(0));
    EXPECT_DOUBLE_EQ(left.seconds(0.9, 0.9, at(0)), 1100);
    EXPECT_DOUBLE_EQ(left.seconds(0.95, 0.9, at(50)), 1050);
    left.end_training(at(100));
    EXPECT_DOUBLE_EQ(left.seconds(0, 0, at(100)), 1000);
    EXPECT_DOUBLE_EQ(left.seconds(1, 1, at(100)), 1000);
}

TEST_F(TimeLeftTest, AFailureTakesWhatWouldFollowWithItAndTeachesNothing) {
    TimeLeft left(600);
    left.begin_training(100, at(0));
    (void)left.seconds(0.01, 0, at(90));  // slow, and then broken
    left.give_up_training(200);
    EXPECT_DOUBLE_EQ(left.seconds(0, 0, at(90)), 300);
    left.begin_training(300, at(100));
    EXPECT_DOUBLE_EQ(left.seconds(0.5, 0, at(250)), 150);
    left.end_training(at(400));
    left.give_up_training(0);  // of an evaluation
    EXPECT_DOUBLE_EQ(left.seconds(0, 0, at(400)), 0);
}

TEST_F(TimeLeftTest, IsNeverNegative) {
    TimeLeft left(0);
    left.begin_training(5, at(0));  // not planned
    EXPECT_EQ(left.seconds(0.5, 0, at(5)), 0);
}

}  // namespace
}  // namespace ltad::test
