#include "ltad/repro/part_index.h"

#include <thread>

#include <gmock/gmock.h>

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "support/temporary_folder.h"

namespace ltad::test {
namespace {

using ::testing::Optional;

TEST(PartIndex, KeepsWhatSeveralWritersAddAtOnce) {
    const TemporaryFolder folder;
    constexpr int writers = 4, parts = 8;
    std::vector<std::thread> threads;
    for (int w = 0; w < writers; ++w)
        threads.emplace_back([&, w] {
            const PartIndex index(folder.path());
            for (int p = 0; p < parts; ++p) {
                const auto file = folder / text("run", w, "/", p, ".safetensors");
                write_file_atomically(file, "part");
                index.add({.part = nullptr, .key = text(w, '-', p)}, file);
            }
        });
    for (std::thread& thread : threads) thread.join();
    const PartIndex index(folder.path());
    for (int w = 0; w < writers; ++w)
        for (int p = 0; p < parts; ++p)
            EXPECT_THAT(index.find({.part = nullptr, .key = text(w, '-', p)}),
                        Optional(folder / text("run", w, "/", p, ".safetensors")));
}

TEST(PartIndex, FindsNothingThatIsNotThere) {
    const TemporaryFolder folder;
    const PartIndex index(folder.path());
    const PlannedPart part{.part = nullptr, .key = "a"};
    EXPECT_EQ(index.find(part), std::nullopt);
    EXPECT_FALSE(std::filesystem::exists(folder / "parts.json")) << "looking writes nothing";
    write_file_atomically(folder / "run/a.safetensors", "part");
    index.add(part, folder / "run/a.safetensors");
    EXPECT_TRUE(index.find(part).has_value());
    std::filesystem::remove(folder / "run/a.safetensors");
    EXPECT_EQ(index.find(part), std::nullopt);
    for (const char* damaged : {"", "[", "[]", "{\"a\": 7}", "\"a\""}) {
        write_file_atomically(folder / "parts.json", damaged);
        EXPECT_EQ(index.find(part), std::nullopt) << damaged;
    }
    // The next part makes it whole again.
    write_file_atomically(folder / "run/a.safetensors", "part");
    index.add(part, folder / "run/a.safetensors");
    EXPECT_TRUE(index.find(part).has_value());
}

}  // namespace
}  // namespace ltad::test
