#include "ltad/core/files.h"

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ltad/core/error.h"
#include "ltad/core/interrupt.h"
#include "support/temporary_folder.h"

namespace ltad {
namespace {

using test::TemporaryFolder;
using testing::AllOf;
using testing::ExitedWithCode;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::ThrowsMessage;
using testing::UnorderedElementsAre;

/// The names in a folder, hidden and temporary ones included.
std::vector<std::string> names_in(const std::filesystem::path& folder) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) names.push_back(entry.path().filename());
    return names;
}

/// Whether another open file description could take the lock now.
bool is_free(const std::filesystem::path& path) {
    const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    const bool taken = ::flock(file, LOCK_EX | LOCK_NB) == 0;
    ::close(file);
    return taken;
}

TEST(AtomicFile, AppearsUnderItsNameOnlyWithCommit) {
    const TemporaryFolder folder;
    AtomicFile file(folder / "a.bin");
    file.write("abc");
    EXPECT_FALSE(std::filesystem::exists(folder / "a.bin"));
    EXPECT_EQ(names_in(folder.path()).size(), 1u) << "it is written beside its place, in the same folder";
    file.commit();
    EXPECT_THAT(names_in(folder.path()), UnorderedElementsAre("a.bin"));
    EXPECT_EQ(read_file(folder / "a.bin"), "abc");
}

TEST(AtomicFile, LeavesNothingBehindWithoutCommit) {
    const TemporaryFolder folder;
    {
        AtomicFile file(folder / "a.bin");
        file.write("abc");
    }
    EXPECT_THAT(names_in(folder.path()), IsEmpty());
}

TEST(AtomicFile, KeepsTheOldContentUntilCommit) {
    const TemporaryFolder folder;
    write_file_atomically(folder / "a", "old");
    {
        AtomicFile abandoned(folder / "a");
        abandoned.write("never");
    }
    EXPECT_EQ(read_file(folder / "a"), "old");
    AtomicFile file(folder / "a");
    file.write("new, and longer");
    EXPECT_EQ(read_file(folder / "a"), "old");
    file.commit();
    EXPECT_EQ(read_file(folder / "a"), "new, and longer");
}

TEST(AtomicFile, DoesNotDisturbWhoHasTheOldFileMapped) {
    const TemporaryFolder folder;
    write_file_atomically(folder / "a", std::string(10000, 'o'));
    const MappedFile old(folder / "a");
    write_file_atomically(folder / "a", "n");
    EXPECT_EQ(old.bytes(), std::string(10000, 'o'));
}

TEST(AtomicFile, OverwritesInTheMiddleAndGoesOnAtTheEnd) {
    const TemporaryFolder folder;
    AtomicFile file(folder / "a");
    file.write("0123456789");
    file.write_at(2, "ab");
    file.write("tail");
    file.commit();
    EXPECT_EQ(read_file(folder / "a"), "01ab456789tail");
}

TEST(AtomicFile, MakesItsFolders) {
    const TemporaryFolder folder;
    write_file_atomically(folder / "x/y/z.txt", "z");
    EXPECT_EQ(read_file(folder / "x/y/z.txt"), "z");
}

TEST(AtomicFile, WritesBytesNotText) {
    const TemporaryFolder folder;
    std::string all;
    for (int i = 0; i < 3000; ++i) all.push_back(static_cast<char>(i));
    write_file_atomically(folder / "a", all);
    EXPECT_EQ(read_file(folder / "a"), all);
}

TEST(AtomicFile, ALeftoverOfTheSameProcessNumberIsNoObstacle) {
    const TemporaryFolder folder;
    const std::string leftover = "a.tmp-" + std::to_string(::getpid());
    append_to_file(folder / leftover, "half");
    write_file_atomically(folder / "a", "whole");
    EXPECT_EQ(read_file(folder / "a"), "whole");
    EXPECT_EQ(read_file(folder / leftover), "half") << "it may be another machine's that is still writing";
    remove_temporary_files(folder.path());
    EXPECT_THAT(names_in(folder.path()), UnorderedElementsAre("a"));
}

TEST(AtomicFile, TwoAtATimeDoNotShareATemporaryFile) {
    const TemporaryFolder folder;
    AtomicFile first(folder / "a"), second(folder / "a");
    first.write("first");
    second.write("the second");
    first.commit();
    EXPECT_EQ(read_file(folder / "a"), "first");
    second.commit();
    EXPECT_EQ(read_file(folder / "a"), "the second");
}

TEST(AtomicFile, FollowsNoLinks) {
    const TemporaryFolder folder;
    write_file_atomically(folder / "victim", "precious");
    // Under the temporary name, and under the final one, which is replaced.
    std::filesystem::create_symlink("victim", folder / ("a.tmp-" + std::to_string(::getpid())));
    std::filesystem::create_symlink("victim", folder / "b");
    write_file_atomically(folder / "a", "a");
    write_file_atomically(folder / "b", "b");
    EXPECT_EQ(read_file(folder / "victim"), "precious");
    EXPECT_EQ(read_file(folder / "b"), "b");
    EXPECT_FALSE(std::filesystem::is_symlink(folder / "b"));
}

TEST(AtomicFile, NamesMayBeAsLongAsTheSystemTakesThem) {
    const TemporaryFolder folder;
    const std::string name(255, 'n');
    write_file_atomically(folder / name, "x");
    EXPECT_EQ(read_file(folder / name), "x");
}

TEST(RemoveTemporaryFiles, TakesOnlyWhatIsNamedAsOne) {
    const TemporaryFolder folder;
    for (const char* name : {"a.tmp-12", "b.tmp-12-1", "c.tmp-x.png", "d.tmp-", "notes.tmp-12.txt", "e"})
        write_file_atomically(folder / name, "x");
    std::filesystem::create_directory(folder / "f.tmp-7");
    remove_temporary_files(folder.path());
    EXPECT_THAT(names_in(folder.path()),
                UnorderedElementsAre("c.tmp-x.png", "d.tmp-", "notes.tmp-12.txt", "e", "f.tmp-7"));
}

TEST(AtomicFile, FailuresNameTheFinalPath) {
    const TemporaryFolder folder;
    write_file_atomically(folder / "file", "in the way");
    std::filesystem::create_directory(folder / "taken");
    // A folder that cannot be made; one that takes no files, not even root's; a final name that is a folder.
    EXPECT_THAT(
        [&] { AtomicFile file(folder / "file/a"); },
        ThrowsMessage<Error>(AllOf(HasSubstr("cannot make the folder"), HasSubstr((folder / "file").string()))));
    EXPECT_THAT([] { AtomicFile file("/proc/ltad-test"); },
                ThrowsMessage<Error>(AllOf(HasSubstr("cannot write /proc/ltad-test:"), Not(HasSubstr(".tmp")))));
    EXPECT_THAT([&] { write_file_atomically(folder / "taken", "x"); },
                ThrowsMessage<Error>(HasSubstr("cannot write " + (folder / "taken").string() + ":")));
    EXPECT_THAT(names_in(folder.path()), UnorderedElementsAre("file", "taken"));
}

TEST(AtomicFile, AFullDiskIsAnErrorAndLeavesNothing) {
    const TemporaryFolder folder;
    const auto path = folder / "big";
    // A limit on the size of files stands in for the full disk; part of the write succeeds before it fails.
    const auto write_too_much = [&] {
        std::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{4096, 4096};
        ::setrlimit(RLIMIT_FSIZE, &limit);
        const std::string bytes(10000, 'x');
        int status = 0;
        try {
            write_file_atomically(path, bytes);
        } catch (const Error& error) {
            const std::string message = error.what();
            status |= message.find("cannot write " + path.string() + ": ") != std::string::npos ? 1 : 0;
        }
        try {
            AtomicFile file(path);
            file.write("start");
            file.write_at(0, bytes);
        } catch (const Error&) {
            status |= 2;
        }
        std::_Exit(status);
    };
    EXPECT_EXIT(write_too_much(), ExitedWithCode(3), "");
    EXPECT_THAT(names_in(folder.path()), IsEmpty());
}

TEST(AppendToFile, AddsAndMakes) {
    const TemporaryFolder folder;
    append_to_file(folder / "log", "one\n");
    append_to_file(folder / "log", "two\n");
    EXPECT_EQ(read_file(folder / "log"), "one\ntwo\n");
}

TEST(AppendToFile, AFullDiskIsAnError) {
    EXPECT_THAT([] { append_to_file("/dev/full", "x"); },
                ThrowsMessage<Error>(HasSubstr("cannot write /dev/full: No space left on device")));
    const TemporaryFolder folder;
    EXPECT_THAT([&] { append_to_file(folder.path(), "x"); }, ThrowsMessage<Error>(HasSubstr(folder.path().string())));
}

TEST(MakeDirectories, IsContentWithWhatIsThereAndNamesWhatIsInTheWay) {
    const TemporaryFolder folder;
    make_directories(folder / "a/b/c");
    make_directories(folder / "a/b/c");
    EXPECT_TRUE(std::filesystem::is_directory(folder / "a/b/c"));
    append_to_file(folder / "file", "x");
    EXPECT_THAT([&] { make_directories(folder / "file/b"); },
                ThrowsMessage<Error>(HasSubstr((folder / "file/b").string())));
}

TEST(MappedFile, AnEmptyFileIsAnEmptyView) {
    const TemporaryFolder folder;
    append_to_file(folder / "empty", "");
    EXPECT_TRUE(MappedFile(folder / "empty").bytes().empty());
    EXPECT_EQ(read_file(folder / "empty"), "");
}

TEST(MappedFile, StaysValidWhenMoved) {
    const TemporaryFolder folder;
    append_to_file(folder / "a", "abc");
    MappedFile first(folder / "a");
    const std::string_view before = first.bytes();
    const MappedFile second(std::move(first));
    EXPECT_EQ(second.bytes().data(), before.data());
    EXPECT_EQ(before, "abc");
}

TEST(MappedFile, APipeIsRefusedWithoutWaiting) {
    const test::TemporaryFolder folder;
    ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
    EXPECT_THAT([&] { MappedFile file(folder / "pipe"); }, ThrowsMessage<Error>(HasSubstr("a pipe")));
}

TEST(MappedFile, FailuresNameTheFile) {
    const TemporaryFolder folder;
    EXPECT_THAT([&] { MappedFile file(folder / "none"); },
                ThrowsMessage<Error>(HasSubstr("cannot read " + (folder / "none").string() + ": No such file")));
    EXPECT_THAT([&] { MappedFile file(folder.path()); },
                ThrowsMessage<Error>(AllOf(HasSubstr(folder.path().string()), HasSubstr("a file was expected"))));
    EXPECT_THAT([&] { (void)read_file(folder / "none"); }, ThrowsMessage<Error>(HasSubstr((folder / "none").string())));
}

TEST(FileLock, ExcludesOthersUntilDestroyed) {
    const TemporaryFolder folder;
    const auto path = folder / "new/lock";
    {
        const FileLock lock(path, "a test");
        EXPECT_FALSE(is_free(path));
    }
    EXPECT_TRUE(is_free(path));
}

TEST(FileLock, WaitsForTheHolderAndSaysSo) {
    const TemporaryFolder folder;
    const auto path = folder / "lock";
    std::atomic<bool> acquired = false;
    testing::internal::CaptureStderr();
    {
        std::thread waiting;
        {
            const FileLock held(path, "first");
            waiting = std::thread([&] {
                const FileLock lock(path, "the feature store");
                acquired = true;
            });
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
            EXPECT_FALSE(acquired);
        }
        waiting.join();
    }
    const std::string said = testing::internal::GetCapturedStderr();
    EXPECT_TRUE(acquired);
    EXPECT_THAT(said, HasSubstr("waiting for another process: the feature store"));
    EXPECT_THAT(said, Not(HasSubstr("first"))) << "who need not wait says nothing";
}

TEST(FileLock, IsDroppedWhenItsProcessDies) {
    const TemporaryFolder folder;
    const auto path = folder / "lock";
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        const FileLock lock(path, "child");
        if (::write(ready[1], "x", 1) != 1) std::_Exit(1);
        ::pause();
        std::_Exit(0);
    }
    char byte = 0;
    ASSERT_EQ(::read(ready[0], &byte, 1), 1);
    EXPECT_FALSE(is_free(path));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    EXPECT_TRUE(is_free(path));
    ::close(ready[0]);
    ::close(ready[1]);
}

/// Waits for a lock that is held; leaves with 5 when Interrupted is thrown. The alarm ends a wait that never would.
[[noreturn]] void wait_until_interrupted(const std::filesystem::path& path) {
    try {
        const FileLock lock(path, "what never comes");
    } catch (const Interrupted&) {
        std::_Exit(5);
    }
    std::_Exit(0);
}

TEST(FileLock, CtrlCEndsTheWait) {
    const TemporaryFolder folder;
    const FileLock held(folder / "lock", "test");
    const auto interrupted_while_waiting = [&] {
        ::alarm(10);
        catch_interrupts();
        const pid_t parent = ::getpid();
        if (::fork() == 0) {
            std::this_thread::sleep_for(std::chrono::milliseconds(200));
            ::kill(parent, SIGINT);
            std::_Exit(0);
        }
        wait_until_interrupted(folder / "lock");
    };
    EXPECT_EXIT(interrupted_while_waiting(), ExitedWithCode(5), "waiting for another process: what never comes");
}

TEST(FileLock, CtrlCBeforeTheWaitCountsToo) {
    // The signal may come between any two instructions: a wait that begins after it must not be endless.
    const TemporaryFolder folder;
    const FileLock held(folder / "lock", "test");
    const auto interrupted_before = [&] {
        ::alarm(2);
        catch_interrupts();
        ::raise(SIGINT);
        wait_until_interrupted(folder / "lock");
    };
    EXPECT_EXIT(interrupted_before(), ExitedWithCode(5), "");
}

TEST(FileLock, FailuresNameTheFile) {
    const TemporaryFolder folder;
    EXPECT_THAT([&] { FileLock lock(folder.path(), "x"); }, ThrowsMessage<Error>(HasSubstr(folder.path().string())));
    EXPECT_THAT([] { FileLock lock("/proc/ltad-lock", "x"); }, ThrowsMessage<Error>(HasSubstr("/proc/ltad-lock")));
}

TEST(FileLock, OnlyARegularFileIsLocked) {
    const TemporaryFolder folder;
    std::filesystem::create_symlink("elsewhere", folder / "link");
    ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
    for (const char* name : {"link", "pipe"})
        EXPECT_THAT([&] { FileLock lock(folder / name, "x"); },
                    ThrowsMessage<Error>(AllOf(HasSubstr(name), HasSubstr("a regular file was expected"))));
    EXPECT_FALSE(std::filesystem::exists(folder / "elsewhere"));
}

TEST(ReadAhead, TakesAnyPartOfAMappedFile) {
    const TemporaryFolder folder;
    const std::string bytes(100'000, 'x');
    write_file_atomically(folder.path() / "file", bytes);
    const MappedFile file(folder.path() / "file");
    for (const auto& [first, count] : {std::pair(0, 0), {0, 100'000}, {5000, 1}, {99'999, 1}})
        EXPECT_NO_THROW(
            read_ahead(file.bytes().substr(static_cast<std::size_t>(first), static_cast<std::size_t>(count))));
    EXPECT_EQ(file.bytes(), bytes);
}

}  // namespace
}  // namespace ltad
