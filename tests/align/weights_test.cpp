#include "ltad/align/weights.h"

#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "support/golden.h"
#include "support/temporary_folder.h"

namespace ltad {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::Not;
using ::testing::ThrowsMessage;

TEST(Weights, RoundTripAllTypesAndShapes) {
    const test::TemporaryFolder folder;
    Weights weights;
    for (const auto type : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kLong, at::kInt, at::kShort,
                            at::kChar, at::kByte, at::kBool})
        weights[std::string("t.") + at::toString(type)] = (test::random_tensor({2, 3}, 5) * 10).to(type);
    weights["scalar"] = at::scalar_tensor(3.5);
    weights["empty"] = at::empty({0, 4});
    weights["transposed"] = test::random_tensor({3, 5}, 6).t();
    weights["leaf"] = test::random_tensor({2}, 7).requires_grad_(true);
    weights["ünicode \"name\""] = at::ones({1});
    const Metadata metadata = {{"format", "pt"}, {"emoji", "🙂"}};
    save_weights(folder / "w.safetensors", weights, metadata);

    Metadata read;
    const Weights back = load_weights(folder / "w.safetensors", &read);
    EXPECT_EQ(read, metadata);
    ASSERT_EQ(back.size(), weights.size());
    for (const auto& [name, tensor] : weights) {
        ASSERT_TRUE(back.contains(name)) << name;
        EXPECT_EQ(back.at(name).scalar_type(), tensor.scalar_type()) << name;
        EXPECT_TRUE(at::equal(back.at(name), tensor)) << name;
        EXPECT_FALSE(back.at(name).requires_grad()) << name;
    }
    save_weights(folder / "again.safetensors", back, metadata);
    EXPECT_EQ(read_file(folder / "w.safetensors"), read_file(folder / "again.safetensors"));
}

TEST(Weights, StayValidWhenTheFileIsReplaced) {
    const test::TemporaryFolder folder;
    save_weights(folder / "w.safetensors", {{"a", at::full({1000}, 1)}}, {});
    const Weights old = load_weights(folder / "w.safetensors");
    save_weights(folder / "w.safetensors", {{"b", at::full({3}, 2)}}, {});
    EXPECT_TRUE(at::equal(old.at("a"), at::full({1000}, 1)));
    EXPECT_THAT(load_weights(folder / "w.safetensors"), ElementsAre(Key("b")));
}

TEST(Weights, LoadsAHeaderOfOddLength) {
    const test::TemporaryFolder folder;
    save_weights(folder / "w.safetensors", {{"a", test::random_tensor({7}, 1)}}, {});
    std::string bytes = read_file(folder / "w.safetensors");
    std::uint64_t length = 0;
    std::memcpy(&length, bytes.data(), 8);
    for (int k = 0; k < 7; ++k) {
        bytes.insert(8 + length, " ");
        ++length;
        std::memcpy(bytes.data(), &length, 8);
        write_file_atomically(folder / "odd.safetensors", bytes);
        EXPECT_TRUE(at::equal(load_weights(folder / "odd.safetensors").at("a"), test::random_tensor({7}, 1))) << k;
    }
}

TEST(Weights, RefuseTypesThatTheFormatLacks) {
    const test::TemporaryFolder folder;
    EXPECT_THAT(([&] {
                    save_weights(folder / "w.safetensors", {{"strange", at::zeros({2}, at::kComplexFloat)}}, {});
                }),
                ThrowsMessage<Error>(HasSubstr("strange")));
    EXPECT_FALSE(std::filesystem::exists(folder / "w.safetensors"));
}

TEST(Weights, DamagedFilesAreRefusedOrReadButNeverCrash) {
    const test::TemporaryFolder folder;
    save_weights(folder / "w.safetensors", {{"a", test::random_tensor({2, 3}, 1)}, {"b", at::ones({5}, at::kLong)}},
                 {{"k", "v"}});
    const std::string whole = read_file(folder / "w.safetensors");
    const auto try_to_read = [&](const std::string& bytes) {
        test::write_text(folder / "bad.safetensors", bytes);
        try {
            for (const auto& [name, tensor] : load_weights(folder / "bad.safetensors"))
                (void)tensor.to(at::kDouble).sum().item<double>();  // touches every byte
            return true;
        } catch (const Error& error) {
            EXPECT_THAT(error.what(), HasSubstr("bad.safetensors"));
            return false;
        }
    };
    ASSERT_TRUE(try_to_read(whole));
    for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(try_to_read(whole.substr(0, size))) << size;
    EXPECT_FALSE(try_to_read(whole + "x"));
    Random random(RandomUse::test, {3});
    for (int k = 0; k < 400; ++k) {
        std::string bytes = whole;
        for (int flips = 0; flips <= k % 3; ++flips)
            bytes[random.below(bytes.size())] ^= static_cast<char>(1u << random.below(8));
        (void)try_to_read(bytes);
    }
}

TEST(Weights, AChangedDigitOfTheMetadataIsDamage) {
    const test::TemporaryFolder folder;
    const auto path = folder / "a.safetensors";
    save_weights(path, {{"a", at::ones({2})}}, {{"position", "{\"steps\": 120}"}});
    Metadata metadata;
    (void)load_weights(path, &metadata);
    EXPECT_EQ(metadata, (Metadata{{"position", "{\"steps\": 120}"}}));
    std::string bytes = read_file(path);
    const auto digit = bytes.find("120");
    ASSERT_NE(digit, std::string::npos);
    bytes[digit] = '3';
    write_file_atomically(path, bytes);
    EXPECT_THAT([&] { (void)load_weights(path); },
                ThrowsMessage<Error>(AllOf(HasSubstr(path.string()), HasSubstr("metadata"))));
}

TEST(CheckWeights, NamesEveryProblem) {
    const Weights found = {{"a", at::zeros({2, 3})}, {"extra", at::zeros({4})}, {"good", at::zeros({1})}};
    const Shapes expected = {{"a", {3, 2}}, {"gone", {}}, {"good", {1}}};
    EXPECT_THAT([&] { check_weights(found, expected, "here"); },
                ThrowsMessage<Error>(AllOf(HasSubstr("here"), HasSubstr("'a' has shape [2, 3], expected [3, 2]"),
                                           HasSubstr("'gone' [] is missing"), HasSubstr("'extra' [4] is not expected"),
                                           Not(HasSubstr("good")))));
    EXPECT_THROW(check_weights({}, {{"scalar", {}}}, "here"), Error);
    EXPECT_THROW(check_weights({{"scalar", at::zeros({1})}}, {{"scalar", {}}}, "here"), Error);
    EXPECT_NO_THROW(check_weights({{"scalar", at::scalar_tensor(1)}}, {{"scalar", {}}}, "here"));
}

TEST(CheckWeights, CheckpointsMayCarryBookkeeping) {
    const Weights found = {{"a", at::zeros({1})},
                           {"text_model.embeddings.position_ids", at::zeros({1, 9}, at::kLong)},
                           {"b.num_batches_tracked", at::scalar_tensor(3, at::kLong)}};
    EXPECT_NO_THROW(check_weights(found, {{"a", {1}}}, "here"));
}

TEST(CheckWeights, ManyProblemsAreCounted) {
    Shapes expected;
    for (int i = 0; i < 100; ++i) expected[text("layer", i)] = {i};
    EXPECT_THAT([&] { check_weights({}, expected, "here"); }, ThrowsMessage<Error>(HasSubstr("and 92 more")));
}

TEST(Weights, PrefixAndShapeText) {
    const Weights weights = {
        {"a.x", at::zeros({1})}, {"a.y.z", at::zeros({2})}, {"ab", at::zeros({3})}, {"b", at::zeros({4})}};
    EXPECT_THAT(with_prefix(weights, "a."), ElementsAre(Key("x"), Key("y.z")));
    EXPECT_THAT(with_prefix(weights, "c."), ElementsAre());
    EXPECT_EQ(shape_text({}), "[]");
    EXPECT_EQ(shape_text({7}), "[7]");
    EXPECT_EQ(shape_text({2, 0, 3}), "[2, 0, 3]");
}

}  // namespace
}  // namespace ltad
