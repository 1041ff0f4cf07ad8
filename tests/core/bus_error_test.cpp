#include "ltad/core/bus_error.h"

#include <csignal>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ltad/core/files.h"
#include "ltad/core/npy.h"
#include "support/temporary_folder.h"

namespace ltad {
namespace {

using test::TemporaryFolder;
using testing::ExitedWithCode;

/// Whether a byte is an 'x', read where nothing is optimised away.
bool is_x(std::string_view bytes, std::size_t at) {
    return *const_cast<const volatile char*>(bytes.data() + at) == 'x';
}

TEST(UnreadableMapping, IsNamedWhereTheFileShrinks) {
    const TemporaryFolder folder;
    const auto shrink_and_read = [&] {
        name_unreadable_mappings();
        write_file_atomically(folder / "other", std::string(100'000, 'x'));
        write_file_atomically(folder / "features-0\x1b.npy", std::string(100'000, 'x'));
        const MappedFile other(folder / "other");
        const MappedFile file(folder / "features-0\x1b.npy");
        std::filesystem::resize_file(folder / "features-0\x1b.npy", 10);
        std::_Exit(is_x(other.bytes(), 99'999) && is_x(file.bytes(), 99'999) ? 7 : 8);
    };
    EXPECT_EXIT(shrink_and_read(), ExitedWithCode(1), "error: .*features-0\\\\x1b.npy: a part of it cannot be read");
}

TEST(UnreadableMapping, AnArrayIsNamedToo) {
    const TemporaryFolder folder;
    const auto shrink_and_read = [&] {
        name_unreadable_mappings();
        NpyWriter writer(folder / "a.npy", {1000});
        for (int i = 0; i < 20; ++i) writer.append(std::vector<float>(1000, 1));
        writer.commit();
        const NpyFile file(folder / "a.npy");
        std::filesystem::resize_file(folder / "a.npy", 1000);
        const volatile float value = file.row(19)[999];
        std::_Exit(value == 1 ? 7 : 8);
    };
    EXPECT_EXIT(shrink_and_read(), ExitedWithCode(1), "a.npy: a part of it cannot be read");
}

TEST(UnreadableMapping, OnlyWhileItIsMapped) {
    const TemporaryFolder folder;
    write_file_atomically(folder / "a", "x");
    for (int i = 0; i < 3; ++i) {
        const MappedFile file(folder / "a");
        const MappedFile second(folder / "a");
    }
    // What is not a file of ours ends the process as ever.
    const auto raise_it = [] {
        name_unreadable_mappings();
        std::raise(SIGBUS);
        std::_Exit(7);
    };
    EXPECT_EXIT(raise_it(), testing::KilledBySignal(SIGBUS), "");
}

}  // namespace
}  // namespace ltad
