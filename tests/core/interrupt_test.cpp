#include "ltad/core/interrupt.h"

#include <csignal>
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ltad/core/error.h"

namespace ltad {
namespace {

using testing::ExitedWithCode;
using testing::KilledBySignal;

/// Ends with 5 where the signal asks for the work to stop.
[[noreturn]] void receive(int signal) {
    catch_interrupts();
    std::raise(signal);
    std::_Exit(interrupt_requested() ? 5 : 6);
}

TEST(Interrupt, CtrlCTermAndHangUpAskTheWorkToStop) {
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) EXPECT_EXIT(receive(signal), ExitedWithCode(5), "") << signal;
}

TEST(Interrupt, ASecondSignalEndsTheProcess) {
    const auto receive_twice = [](int signal) {
        catch_interrupts();
        std::raise(signal);
        std::raise(signal);
        std::_Exit(6);
    };
    for (const int signal : {SIGINT, SIGTERM, SIGHUP})
        EXPECT_EXIT(receive_twice(signal), KilledBySignal(signal), "") << signal;
}

TEST(Interrupt, UnderNohupAHangUpStaysIgnored) {
    const auto receive_ignored = [] {
        std::signal(SIGHUP, SIG_IGN);
        receive(SIGHUP);
    };
    EXPECT_EXIT(receive_ignored(), ExitedWithCode(6), "");
}

TEST(Interrupt, StopIfInterruptedThrowsWithItsWords) {
    EXPECT_NO_THROW(stop_if_interrupted("nobody asked"));
    const auto asked = [] {
        catch_interrupts();
        std::raise(SIGTERM);
        try {
            stop_if_interrupted("the words");
        } catch (const Interrupted& error) {
            std::_Exit(std::string(error.what()) == "the words" ? 5 : 6);
        }
        std::_Exit(7);
    };
    EXPECT_EXIT(asked(), ExitedWithCode(5), "");
}

}  // namespace
}  // namespace ltad
