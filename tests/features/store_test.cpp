#include "ltad/features/store.h"

#include <algorithm>
#include <chrono>
#include <functional>

#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ltad/core/error.h"
#include "ltad/core/hash.h"
#include "ltad/core/random.h"
#include "support/temporary_folder.h"

namespace ltad {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::ThrowsMessage;

constexpr FeatureStore::Shape shape = {.channels = 2, .grid = 2, .latent = 3};

/// What the "encoder" of these tests makes of a picture.
std::vector<float> values_for(const std::string& content, std::size_t count) {
    std::vector<float> values(count);
    Random random(RandomUse::test, {random_key(content)});
    random.fill_normal(values);
    return values;
}

class StoreTest : public ::testing::Test {
protected:
    [[nodiscard]] FeatureStore open() const { return {root, {{"encoder", "e"}, {"grid", 2}}, shape}; }

    fs::path picture(const std::string& name, const std::string& content) const {
        write_file_atomically(folder / name, content);
        return folder / name;
    }
    /// Adds the pictures as one segment.
    static void add(FeatureStore& store, const std::vector<fs::path>& files) {
        FeatureStore::Segment segment(store);
        for (const fs::path& file : files) {
            FileStamp stamp = stamp_of(file, true);
            stamp.width = 30;
            stamp.height = 20;
            segment.add(stamp, values_for(read_file(file), 8), values_for(read_file(file) + "z", 3));
        }
        EXPECT_EQ(segment.size(), files.size());
        segment.commit();
    }
    static void expect_holds(const FeatureStore& store, const fs::path& file) {
        EXPECT_TRUE(store.contains(stamp_of(file, false))) << file;
        const ImageFeatures found = store.get(stamp_of(file, false).path);
        EXPECT_EQ(std::vector<float>(found.map.begin(), found.map.end()), values_for(read_file(file), 8)) << file;
        EXPECT_EQ(std::vector<float>(found.latent.begin(), found.latent.end()), values_for(read_file(file) + "z", 3))
            << file;
        EXPECT_EQ(found.width, 30);
        EXPECT_EQ(found.height, 20);
    }
    static void truncate(const fs::path& file, std::uintmax_t by) {
        // A copy, since the old bytes may be mapped.
        const std::string bytes = read_file(file);
        write_file_atomically(file, bytes.substr(0, bytes.size() - by));
    }
    [[nodiscard]] std::vector<std::string> names_in_store(const FeatureStore& store) const {
        std::vector<std::string> names;
        for (const auto& entry : fs::directory_iterator(store.folder())) names.push_back(entry.path().filename());
        std::sort(names.begin(), names.end());
        return names;
    }

    const test::TemporaryFolder folder;
    const fs::path root = folder / "features";
    const fs::path a = picture("a.png", "aaa"), b = picture("b.png", "bbb"), c = picture("c.png", "ccc");
};

TEST_F(StoreTest, RoundTripAndReopening) {
    {
        FeatureStore store = open();
        EXPECT_EQ(store.size(), 0u);
        EXPECT_FALSE(store.contains(stamp_of(a, false)));
        EXPECT_THAT([&] { (void)store.get(a.string()); },
                    ThrowsMessage<Error>(AllOf(HasSubstr(a.string()), HasSubstr(store.folder().string()))));
        add(store, {a, b});
        add(store, {c});
        for (const auto& file : {a, b, c}) expect_holds(store, file);
    }
    FeatureStore again = open();
    EXPECT_EQ(again.size(), 3u);
    for (const auto& file : {a, b, c}) expect_holds(again, file);
    EXPECT_THAT(again.verify(), IsEmpty());
    EXPECT_EQ(read_json(again.folder() / "settings.json"), json({{"encoder", "e"}, {"grid", 2}}));
    EXPECT_THAT(names_in_store(again), ElementsAre("features-0.npy", "features-1.npy", "index-0.json", "index-1.json",
                                                   "latents-0.npy", "latents-1.npy", "settings.json"));
}

TEST_F(StoreTest, OpeningMakesNothing) {
    EXPECT_EQ(open().size(), 0u);
    EXPECT_FALSE(fs::exists(open().folder()));
}

TEST_F(StoreTest, ArraysArePlainNumpyFiles) {
    FeatureStore store = open();
    add(store, {a, b});
    EXPECT_EQ(NpyFile(store.folder() / "features-0.npy").shape(), (std::vector<std::int64_t>{2, 2, 2, 2}));
    EXPECT_EQ(NpyFile(store.folder() / "latents-0.npy").shape(), (std::vector<std::int64_t>{2, 3}));
}

TEST_F(StoreTest, EachKeyHasAFolderOfItsOwn) {
    FeatureStore one = open();
    for (const json& other : {json({{"encoder", "f"}, {"grid", 2}}), json({{"encoder", "e"}, {"grid", 3}})})
        EXPECT_NE(FeatureStore(root, other, shape).folder(), one.folder());
}

TEST_F(StoreTest, AChangedPictureIsEncodedAgainUnlessItsBytesAreTheSame) {
    FeatureStore store = open();
    add(store, {a, b});
    fs::last_write_time(a, fs::last_write_time(a) + std::chrono::hours(1));
    EXPECT_TRUE(store.contains(stamp_of(a, false))) << "only touched";
    picture("a.png", "aab");  // as long as before
    fs::last_write_time(a, fs::last_write_time(a) + std::chrono::hours(2));
    EXPECT_FALSE(store.contains(stamp_of(a, false)));
    EXPECT_FALSE(store.contains(stamp_of(a, true)));
    picture("b.png", "bbbb");
    EXPECT_FALSE(store.contains(stamp_of(b, false)));
    add(store, {a, b});
    for (const auto& file : {a, b}) {
        expect_holds(store, file);
        expect_holds(open(), file);  // the later segment wins there too
    }
    EXPECT_EQ(open().size(), 2u);
}

TEST_F(StoreTest, StampsNameMissingFiles) {
    EXPECT_THAT([&] { (void)stamp_of(folder / "gone.png", false); }, ThrowsMessage<Error>(HasSubstr("gone.png")));
    make_directories(folder / "sub");
    const FileStamp stamp = stamp_of(folder / "sub/../a.png", true);
    EXPECT_EQ(stamp.path, fs::canonical(a).string());
    EXPECT_EQ(stamp.size, 3u);
    EXPECT_EQ(stamp.sha256, sha256("aaa"));
}

TEST_F(StoreTest, DamagedSegmentsAreLeftOutAndBuiltAgain) {
    const auto flip_shape = [](const fs::path& file) {
        std::string bytes = read_file(file);
        bytes.replace(bytes.find("(2, "), 4, "(3, ");
        write_file_atomically(file, bytes);
    };
    const auto index_with = [](const char* patch) {
        return [patch](const fs::path& at) {
            json index = read_json(at / "index-0.json");
            index.merge_patch(json::parse(patch));
            write_json(at / "index-0.json", index);
        };
    };
    const std::vector<std::pair<std::string, std::function<void(const fs::path&)>>> damages = {
        {"features cut by a value", [](const fs::path& at) { truncate(at / "features-0.npy", 4); }},
        {"features cut by a picture", [](const fs::path& at) { truncate(at / "features-0.npy", 32); }},
        {"features empty", [](const fs::path& at) { write_file_atomically(at / "features-0.npy", ""); }},
        {"latents cut", [](const fs::path& at) { truncate(at / "latents-0.npy", 1); }},
        {"a lying npy header", [&](const fs::path& at) { flip_shape(at / "features-0.npy"); }},
        {"features gone", [](const fs::path& at) { fs::remove(at / "features-0.npy"); }},
        {"latents gone", [](const fs::path& at) { fs::remove(at / "latents-0.npy"); }},
        {"index cut", [](const fs::path& at) { truncate(at / "index-0.json", 9); }},
        {"index empty", [](const fs::path& at) { write_file_atomically(at / "index-0.json", ""); }},
        {"index a list",
         [](const fs::path& at) {
             write_json(at / "index-0.json", json::array({1, 2}));
         }},
        {"index a number", [](const fs::path& at) { write_json(at / "index-0.json", 7); }},
        {"index of another format", index_with(R"({"format": "ltad-features/9"})")},
        {"index without pictures", index_with(R"({"images": null})")},
        {"index with one picture too few", index_with(R"({"images": []})")},
        {"pictures that are numbers", index_with(R"({"images": [1, 2]})")},
        {"a picture without hash", index_with(R"({"images": [{"path": "x", "size": 1, "modified": 1}]})")},
    };
    for (const auto& [name, damage] : damages) {
        SCOPED_TRACE(name);
        fs::remove_all(root);
        FeatureStore first = open();
        add(first, {a, b});
        add(first, {c});
        damage(first.folder());

        FeatureStore store = open();
        EXPECT_EQ(store.size(), 1u);
        EXPECT_FALSE(store.contains(stamp_of(a, false)));
        expect_holds(store, c);
        EXPECT_THAT(store.verify(), Contains(HasSubstr("index-0.json")));
        store.remove_leftovers();
        add(store, {a, b});
        for (const auto& file : {a, b, c}) expect_holds(store, file);
        FeatureStore again = open();
        EXPECT_EQ(again.size(), 3u);
        EXPECT_THAT(again.verify(), IsEmpty());
        EXPECT_FALSE(fs::exists(again.folder() / "features-0.npy"));
        EXPECT_FALSE(fs::exists(again.folder() / "index-0.json"));
    }
}

TEST_F(StoreTest, WhatAKilledWriterLeftIsRemovedAndNothingElse) {
    FeatureStore store = open();
    add(store, {a});
    const auto before = names_in_store(store);
    for (const char* name :
         {"features-1.npy", "latents-1.npy", "features-7.npy", "features-2.npy.tmp-4711", "latents-2.npy.tmp-4711"})
        write_file_atomically(store.folder() / name, "left");
    write_file_atomically(store.folder() / "notes.txt", "somebody's own");
    FeatureStore next = open();
    EXPECT_EQ(next.size(), 1u);
    next.remove_leftovers();
    auto expected = before;
    expected.push_back("notes.txt");
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(names_in_store(store), expected);
    expect_holds(next, a);
    add(next, {b});
    expect_holds(open(), b);
}

TEST_F(StoreTest, AnIndexHalfWrittenIsRemovedToo) {
    FeatureStore store = open();
    add(store, {a});
    write_file_atomically(store.folder() / "index-1.json.tmp-4711", "{");
    store.remove_leftovers();
    EXPECT_FALSE(fs::exists(store.folder() / "index-1.json.tmp-4711"));
}

TEST_F(StoreTest, NumbersThatNoSegmentHasAreLeftOut) {
    FeatureStore store = open();
    add(store, {a});
    for (const char* name : {"index-9223372036854775807.json", "index-9223372036854775808.json", "index--1.json",
                             "index-007.json", "index-1e3.json"})
        fs::copy_file(store.folder() / "index-0.json", store.folder() / name);
    ::testing::internal::CaptureStderr();
    FeatureStore next = open();
    EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("index-9223372036854775807.json"));
    expect_holds(next, a);
    add(next, {b});
    EXPECT_TRUE(fs::exists(store.folder() / "index-1.json"));
    expect_holds(open(), b);
}

TEST_F(StoreTest, AnIndexWithImpossibleNumbersIsDamaged) {
    FeatureStore store = open();
    add(store, {a});
    const json index = read_json(store.folder() / "index-0.json");
    for (const auto& [key, value] : std::vector<std::pair<std::string, json>>{
             {"width", 0}, {"height", -3}, {"width", "30"}, {"size", 1.5}, {"modified", nullptr}, {"sha256", 7}}) {
        json changed = index;
        changed["images"][0][key] = value;
        write_json(store.folder() / "index-0.json", changed);
        ::testing::internal::CaptureStderr();
        EXPECT_EQ(open().size(), 0u) << key << value;
        EXPECT_THAT(::testing::internal::GetCapturedStderr(),
                    AllOf(HasSubstr("index-0.json"), ::testing::Not(HasSubstr("json.exception"))));
    }
    write_json(store.folder() / "index-0.json", index);
    FeatureStore opened = open();
    write_json(store.folder() / "index-0.json", json::array());  // changed meanwhile
    EXPECT_THAT(opened.verify(), ElementsAre(HasSubstr("index-0.json")));
}

TEST_F(StoreTest, ASegmentAppearsOnlyWithItsCommit) {
    FeatureStore store = open();
    {
        FeatureStore::Segment segment(store);
        segment.add(stamp_of(a, true), values_for("aaa", 8), values_for("z", 3));
        EXPECT_EQ(open().size(), 0u);
    }
    EXPECT_THAT(names_in_store(store), ElementsAre("settings.json"));
    FeatureStore::Segment segment(store);
    EXPECT_THROW(segment.add(stamp_of(a, true), values_for("aaa", 7), values_for("z", 3)), Error);
}

TEST_F(StoreTest, RefreshSeesWhatOthersAdded) {
    FeatureStore reader = open(), writer = open();
    add(writer, {a});
    EXPECT_EQ(reader.size(), 0u);
    reader.refresh();
    expect_holds(reader, a);
    add(reader, {b});  // takes the next number, not the first
    writer.refresh();
    for (const auto& file : {a, b}) expect_holds(writer, file);
}

TEST_F(StoreTest, TwoProcessesFillItAtOnce) {
    std::vector<fs::path> files;
    for (int i = 0; i < 40; ++i) files.push_back(picture("p" + std::to_string(i), "content " + std::to_string(i)));
    const auto fill = [&] {
        FeatureStore store = open();
        for (std::size_t at = 0; at < files.size(); at += 4) {
            const FileLock lock(store.lock_file(), "a test");
            store.refresh();
            store.remove_leftovers();
            std::vector<fs::path> missing;
            for (std::size_t i = at; i < at + 4; ++i)
                if (!store.contains(stamp_of(files[i], false))) missing.push_back(files[i]);
            if (!missing.empty()) add(store, missing);
        }
    };
    const pid_t child = ::fork();  // uses no LibTorch, so threads do not matter
    ASSERT_GE(child, 0);
    if (child == 0) {
        int status = 0;
        try {
            fill();
        } catch (...) {
            status = 1;
        }
        ::_exit(status);
    }
    fill();
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    FeatureStore store = open();
    EXPECT_EQ(store.size(), files.size());
    for (const auto& file : files) expect_holds(store, file);
    EXPECT_THAT(store.verify(), IsEmpty());
    std::size_t indexed = 0;  // none was encoded twice
    for (const auto& entry : fs::directory_iterator(store.folder()))
        if (entry.path().filename().string().starts_with("index-")) indexed += read_json(entry.path())["images"].size();
    EXPECT_EQ(indexed, files.size());
}

TEST_F(StoreTest, AKilledProcessLeavesAUsableStore) {
    FeatureStore store = open();
    add(store, {a});
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        FeatureStore own = open();
        const FileLock lock(own.lock_file(), "a test");
        FeatureStore::Segment segment(own);
        segment.add(stamp_of(b, true), values_for("bbb", 8), values_for("bbbz", 3));
        ::_exit(0);  // no destructor runs, as with SIGKILL
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    FeatureStore next = open();
    const FileLock lock(next.lock_file(), "a test");  // freed by the system
    EXPECT_EQ(next.size(), 1u);
    next.remove_leftovers();
    add(next, {b});
    expect_holds(next, b);
    EXPECT_THAT(names_in_store(next), SizeIs(3 + 3 + 2));  // two segments, settings and lock
}

TEST_F(StoreTest, VerifyFindsChangedBytes) {
    FeatureStore store = open();
    add(store, {a, b});
    EXPECT_THAT(open().verify(), IsEmpty());
    for (const std::string file : {"features-0.npy", "latents-0.npy"}) {
        const std::string whole = read_file(store.folder() / file);
        std::string changed = whole;
        changed.back() ^= 1;
        write_file_atomically(store.folder() / file, changed);
        EXPECT_THAT(open().verify(), ElementsAre(HasSubstr(file)));
        write_file_atomically(store.folder() / file, whole);
    }
    // Changed without showing it: same size, same time.
    const auto time = fs::last_write_time(b);
    std::string bytes = read_file(b);
    bytes.back() ^= 1;
    write_file_atomically(b, bytes);
    EXPECT_THAT(open().verify(), IsEmpty()) << "an edited picture is encoded again, that is no damage";
    fs::last_write_time(b, time);
    FeatureStore damaged = open();
    EXPECT_THAT(damaged.verify(), ElementsAre(AllOf(HasSubstr("b.png"), HasSubstr("changed"))));
    EXPECT_FALSE(damaged.contains(stamp_of(b, false)));
    EXPECT_TRUE(damaged.contains(stamp_of(a, false)));
    fs::remove(b);  // pictures may be moved away
    EXPECT_THAT(open().verify(), IsEmpty());
}

TEST_F(StoreTest, VerifyReportsAnIndexWithoutHashes) {
    FeatureStore store = open();
    add(store, {a});
    json index = read_json(store.folder() / "index-0.json");
    index.erase("latents_sha256");
    write_json(store.folder() / "index-0.json", index);
    EXPECT_THAT(open().verify(), SizeIs(1));
    index["latents_sha256"] = 5;
    write_json(store.folder() / "index-0.json", index);
    std::vector<std::string> problems;
    EXPECT_NO_THROW(problems = open().verify());
    EXPECT_THAT(problems, SizeIs(1));
}

TEST_F(StoreTest, FlippedBitsInTheIndexNeverCrash) {
    FeatureStore store = open();
    add(store, {a, b});
    const fs::path index = store.folder() / "index-0.json";
    const std::string whole = read_file(index);
    Random random(RandomUse::test, {9});
    for (int k = 0; k < 200; ++k) {
        std::string bytes = whole;
        bytes[random.below(bytes.size())] ^= static_cast<char>(1u << random.below(8));
        fs::remove(index);
        append_to_file(index, bytes);
        FeatureStore damaged = open();
        EXPECT_LE(damaged.size(), 2u);
        (void)damaged.contains(stamp_of(a, false));
        try {
            (void)damaged.verify();
        } catch (const Error&) {
        }
    }
}

}  // namespace
}  // namespace ltad
