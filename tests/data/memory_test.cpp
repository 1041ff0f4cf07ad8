#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <new>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ltad/core/error.h"
#include "ltad/data/image.h"

namespace ltad {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool memory_can_be_limited = false;  // it reserves terabytes of addresses
#else
constexpr bool memory_can_be_limited = true;
#endif

/// Runs a function in a process of its own that may take only so many bytes more. Returns what it threw: "" nothing.
std::string outcome_with_memory(std::uint64_t bytes, const std::function<void()>& function) {
    int ends[2];
    if (::pipe(ends) != 0) return "no pipe";
    const pid_t child = ::fork();
    if (child == 0) {
        std::uint64_t pages = 0;
        std::ifstream("/proc/self/statm") >> pages;
        const rlim_t most = pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) + bytes;
        const rlimit limit{.rlim_cur = most, .rlim_max = most};
        ::setrlimit(RLIMIT_AS, &limit);
        std::string outcome;
        try {
            function();
        } catch (const Error& error) {
            outcome = error.what();
        } catch (const std::bad_alloc&) {
            outcome = "std::bad_alloc";
        }
        const bool written = ::write(ends[1], outcome.data(), outcome.size()) >= 0;
        ::_exit(written ? 0 : 1);
    }
    ::close(ends[1]);
    std::string outcome;
    char part[500];
    for (ssize_t count = 0; (count = ::read(ends[0], part, sizeof part)) > 0;)
        outcome.append(part, static_cast<std::size_t>(count));
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? outcome : "killed";
}

std::string little_endian(std::uint32_t value, int bytes) {
    std::string out;
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> 8 * i & 255);
    return out;
}

/// A BMP of runs without one run: a hundred bytes, whatever its size.
std::string empty_runs(std::uint32_t width, std::uint32_t height) {
    const std::string palette(4, '\7');
    return "BM" + little_endian(0, 8) + little_endian(14 + 40 + 4, 4) + little_endian(40, 4) + little_endian(width, 4) +
           little_endian(height, 4) + little_endian(1, 2) + little_endian(8, 2) + little_endian(1, 4) +
           little_endian(0, 12) + little_endian(1, 4) + little_endian(0, 4) + palette + std::string("\0\1", 2);
}

// What one output row needs is held, not what all rows would: 2.7 GB here.
TEST(Memory, ATallPictureIsResizedInLittle) {
    if (!memory_can_be_limited) GTEST_SKIP();
    const Image tall = decode_image(empty_runs(1, 1000000), "tall.bmp");
    const auto resize = [&] {
        if (resize_bilinear(tall, 224, 224).pixels != std::vector<std::uint8_t>(224 * 224 * 3, 7)) fail("other pixels");
    };
    EXPECT_EQ(outcome_with_memory(std::uint64_t{200} << 20, resize), "");
}

TEST(Memory, ALackOfItNamesThePicture) {
    if (!memory_can_be_limited) GTEST_SKIP();
    const std::string large = empty_runs(20000, 20000);
    const auto decode = [&] { (void)decode_image(large, "large.bmp"); };
    EXPECT_EQ(outcome_with_memory(std::uint64_t{100} << 20, decode),
              "large.bmp: there is not enough memory for its 20000 x 20000 pixels");
    const auto decode_small = [] { (void)decode_image(empty_runs(20, 20), "small.bmp"); };
    EXPECT_EQ(outcome_with_memory(std::uint64_t{100} << 20, decode_small), "");
}

}  // namespace
}  // namespace ltad
