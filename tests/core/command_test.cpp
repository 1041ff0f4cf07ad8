#include "ltad/core/command.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <new>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include "ltad/core/error.h"
#include "ltad/core/interrupt.h"

namespace ltad {
namespace {

using testing::AllOf;
using testing::ExitedWithCode;
using testing::HasSubstr;
using testing::KilledBySignal;

struct Outcome {
    int status = -1;
    bool body_ran = false;
    std::string out;
    std::string err;
};

/// A command "ltad-test" with a required number, --count, as the apps make them.
class Command : public testing::Test {
protected:
    static int start(std::vector<std::string> arguments, const std::function<void()>& body) {
        CLI::App app("Does what tests need.", "ltad-test");
        int count = 0;
        app.add_option("--count", count, "How many")->required();
        arguments.insert(arguments.begin(), "ltad-test");
        std::vector<char*> argv;
        for (std::string& argument : arguments) argv.push_back(argument.data());
        return run_command(app, static_cast<int>(argv.size()), argv.data(), body);
    }

    static Outcome run(
        const std::vector<std::string>& arguments, const std::function<void()>& body = [] {}) {
        Outcome outcome;
        testing::internal::CaptureStdout();
        testing::internal::CaptureStderr();
        outcome.status = start(arguments, [&] {
            outcome.body_ran = true;
            body();
        });
        outcome.out = testing::internal::GetCapturedStdout();
        outcome.err = testing::internal::GetCapturedStderr();
        return outcome;
    }

    // run_command catches Ctrl-C from then on; the other tests must stay interruptible.
    ~Command() override {
        std::signal(SIGINT, SIG_DFL);
        std::signal(SIGTERM, SIG_DFL);
    }
};

TEST_F(Command, AnEmptyValueIsRefused) {
    const Outcome outcome = run({"--count", ""});
    EXPECT_EQ(outcome.status, 2);
    EXPECT_FALSE(outcome.body_ran);
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("--count"), HasSubstr("must not be empty")));
}

TEST_F(Command, ThatSucceedsReturns0AndSaysNothingOfItsOwn) {
    const Outcome outcome = run({"--count", "3"}, [] { std::cout << "the result\n"; });
    EXPECT_EQ(outcome.status, 0);
    EXPECT_EQ(outcome.out, "the result\n");
    EXPECT_EQ(outcome.err, "");
}

TEST_F(Command, TheKindOfExceptionIsTheExitStatus) {
    const std::tuple<int, std::string, std::function<void()>> cases[] = {
        {1, "a.png: not a picture", [] { fail("a.png", ": not a picture"); }},
        {1, "something else", [] { throw std::runtime_error("something else"); }},
        {1, "out of memory", [] { throw std::bad_alloc(); }},
        {2, "phase1.epoch: no such key", [] { throw UsageError("phase1.epoch: no such key"); }},
        {130, "saved at step 7", [] { throw Interrupted("saved at step 7"); }},
    };
    for (const auto& [status, message, body] : cases) {
        const Outcome outcome = run({"--count", "3"}, body);
        EXPECT_EQ(outcome.status, status) << message;
        EXPECT_THAT(outcome.err, HasSubstr(message));
        EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << "one line: " << outcome.err;
        EXPECT_EQ(outcome.out, "");
    }
}

TEST_F(Command, BracesInAMessageAreNotAFormat) {
    EXPECT_THAT(run({"--count", "3"}, [] { fail("{}/{0}%s%n: odd name"); }).err, HasSubstr("{}/{0}%s%n: odd name"));
}

TEST_F(Command, AWrongCommandLineReturns2AndNamesTheMistake) {
    const std::pair<std::vector<std::string>, std::string> cases[] = {
        {{"--count", "3", "--colour", "red"}, "--colour"},
        {{}, "--count"},
        {{"--count"}, "--count"},
        {{"--count", "three"}, "three"},
        {{"--count", "3", "stray"}, "stray"},
    };
    for (const auto& [arguments, named] : cases) {
        const Outcome outcome = run(arguments);
        EXPECT_EQ(outcome.status, 2) << named;
        EXPECT_FALSE(outcome.body_ran) << named;
        EXPECT_THAT(outcome.err, AllOf(HasSubstr(named), HasSubstr("ltad-test --help")));
        EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << "one line: " << outcome.err;
        EXPECT_EQ(outcome.out, "");
    }
}

TEST_F(Command, HelpGoesToStdout) {
    for (const std::string flag : {"--help", "-h"}) {
        const Outcome outcome = run({flag});
        EXPECT_EQ(outcome.status, 0);
        EXPECT_FALSE(outcome.body_ran);
        EXPECT_THAT(outcome.out,
                    AllOf(HasSubstr("Does what tests need."), HasSubstr("--count"), HasSubstr("--version")));
        EXPECT_EQ(outcome.err, "");
    }
}

TEST_F(Command, VersionGoesToStdout) {
    const Outcome outcome = run({"--version"});
    EXPECT_EQ(outcome.status, 0);
    EXPECT_FALSE(outcome.body_ran);
    EXPECT_EQ(outcome.out, "ltad-test " + version() + "\n");
    EXPECT_THAT(version(), testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
    EXPECT_FALSE(git_revision().empty());
}

TEST_F(Command, ResultsThatCannotBeWrittenAreAFailure) {
    const auto to_a_full_disk = [] {
        ::dup2(::open("/dev/full", O_WRONLY), STDOUT_FILENO);
        std::_Exit(start({"--count", "3"}, [] { std::cout << "the result\n"; }));
    };
    EXPECT_EXIT(to_a_full_disk(), ExitedWithCode(1), "standard output");
}

TEST_F(Command, TheFirstCtrlCAsksAndTheSecondEnds) {
    const auto interrupted = [](int times, int signal) {
        std::_Exit(start({"--count", "3"}, [&] {
            if (interrupt_requested()) fail("asked too early");
            for (int i = 0; i < times; ++i) ::raise(signal);
            if (interrupt_requested()) throw Interrupted("saved");
        }));
    };
    EXPECT_EXIT(interrupted(0, SIGINT), ExitedWithCode(0), "");
    EXPECT_EXIT(interrupted(1, SIGINT), ExitedWithCode(130), "saved");
    EXPECT_EXIT(interrupted(1, SIGTERM), ExitedWithCode(130), "saved");
    EXPECT_EXIT(interrupted(2, SIGINT), KilledBySignal(SIGINT), "");
}

}  // namespace
}  // namespace ltad
