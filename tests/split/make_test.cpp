#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ltad/core/error.h"
#include "ltad/core/hash.h"
#include "ltad/data/dataset.h"
#include "ltad/split/split.h"

namespace ltad {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::ThrowsMessage;

using Counts = std::vector<std::pair<std::string, int>>;

/// Training pictures of the real data sets.
const Counts mvtec = {{"bottle", 209},   {"cable", 224},     {"capsule", 219},    {"carpet", 280}, {"grid", 264},
                      {"hazelnut", 391}, {"leather", 245},   {"metal_nut", 220},  {"pill", 267},   {"screw", 320},
                      {"tile", 230},     {"toothbrush", 60}, {"transistor", 213}, {"wood", 247},   {"zipper", 240}};
const Counts visa = {{"candle", 900}, {"capsules", 542},  {"cashew", 450},    {"chewinggum", 453},
                     {"fryum", 450},  {"macaroni1", 900}, {"macaroni2", 900}, {"pcb1", 904},
                     {"pcb2", 901},   {"pcb3", 905},      {"pcb4", 904},      {"pipe_fryum", 450}};
const Counts dagm = {{"Class1", 500}, {"Class10", 1000}, {"Class2", 500},  {"Class3", 500},  {"Class4", 500},
                     {"Class5", 500}, {"Class6", 500},   {"Class7", 1000}, {"Class8", 1000}, {"Class9", 1000}};

std::string number(int i) {
    const std::string digits = std::to_string(i);
    return std::string(4 - digits.size(), '0') + digits;
}

/// A data set that exists in memory only; every class has one good and two defective test pictures.
Dataset dataset_of(const Counts& counts) {
    Dataset dataset;
    dataset.root = "nowhere";
    for (const auto& [name, count] : counts) {
        for (int i = 0; i < count; ++i)
            dataset.train.push_back({name + "/train/good/" + number(i) + ".png", name, false, ""});
        for (int i = 0; i < 2; ++i)
            dataset.test.push_back(
                {name + "/test/bad/" + number(i) + ".png", name, true, name + "/m" + number(i) + ".png"});
        dataset.test.push_back({name + "/test/good/0000.png", name, false, ""});
    }
    const auto by_file = [](const Sample& a, const Sample& b) { return a.file < b.file; };
    std::sort(dataset.train.begin(), dataset.train.end(), by_file);
    std::sort(dataset.test.begin(), dataset.test.end(), by_file);
    return dataset;
}

SplitConfig config_of(const std::string& type, double imbalance, const std::string& order = "cardinality") {
    SplitConfig config;
    config.type = type;
    config.imbalance_factor = imbalance;
    config.class_order.kind = order;
    return config;
}

std::vector<std::string> names(const Split& split) {
    std::vector<std::string> out;
    for (const ClassSplit& c : split.classes) out.push_back(c.name);
    return out;
}

std::vector<std::int64_t> kept(const Split& split) {
    std::vector<std::int64_t> out;
    for (const ClassSplit& c : split.classes) out.push_back(c.kept);
    return out;
}

// A whole number of any length, enough of one to compare powers exactly.
class Whole {
public:
    Whole& operator*=(std::uint64_t factor) {
        std::uint64_t carry = 0;
        for (std::uint32_t& digit : digits_) {
            carry += digit * factor;
            digit = static_cast<std::uint32_t>(carry);
            carry >>= 32;
        }
        if (carry > 0) digits_.push_back(static_cast<std::uint32_t>(carry));
        return *this;
    }
    friend bool operator<=(const Whole& a, const Whole& b) {
        if (a.digits_.size() != b.digits_.size()) return a.digits_.size() < b.digits_.size();
        return !std::lexicographical_compare(b.digits_.rbegin(), b.digits_.rend(), a.digits_.rbegin(),
                                             a.digits_.rend());
    }

private:
    std::vector<std::uint32_t> digits_{1};
};

Whole power(std::uint64_t base, std::size_t exponent) {
    Whole out;
    for (std::size_t i = 0; i < exponent; ++i) out *= base;
    return out;
}

/// floor(n beta^(-i / last)), but at least 1, without a real number: the largest k with k^last beta^i <= n^last.
std::int64_t exact_exp(std::uint64_t n, std::uint64_t beta, std::size_t i, std::size_t last) {
    std::uint64_t k = 1;
    for (const Whole limit = power(n, last);; ++k) {
        Whole next = power(k + 1, last);
        for (std::size_t j = 0; j < i; ++j) next *= beta;
        if (!(next <= limit)) return static_cast<std::int64_t>(k);
    }
}

TEST(RequestedCounts, OfThePapersSettingsAreExact) {
    struct Setting {
        const Counts& counts;
        std::vector<std::uint64_t> factors;
    };
    int settings = 0;
    for (const auto& [counts, factors] :
         {Setting{mvtec, {100, 200}}, Setting{visa, {100, 200, 500}}, Setting{dagm, {50, 100, 200, 500}}})
        for (const std::uint64_t beta : factors) {
            std::vector<int> sizes;
            for (const auto& [name, count] : counts) sizes.push_back(count);
            std::sort(sizes.rbegin(), sizes.rend());
            const auto n = static_cast<std::uint64_t>(sizes.front());
            const std::size_t classes = sizes.size();
            for (const std::string type : {"exp", "step"}) {
                SCOPED_TRACE(text(counts.front().first, " ", type, " ", beta));
                ++settings;
                std::vector<std::int64_t> expected;
                for (std::size_t i = 0; i < classes; ++i)
                    expected.push_back(type == "exp" ? exact_exp(n, beta, i, classes - 1)
                                                     : static_cast<std::int64_t>(
                                                           i < classes / 2 ? n : std::max<std::uint64_t>(1, n / beta)));
                EXPECT_EQ(requested_counts(type, static_cast<double>(beta), static_cast<std::int64_t>(n), classes),
                          expected);

                const Split split = make_split(dataset_of(counts), config_of(type, static_cast<double>(beta)), 133);
                std::int64_t total = 0;
                ASSERT_EQ(split.classes.size(), classes);
                for (std::size_t i = 0; i < classes; ++i) {
                    const ClassSplit& c = split.classes[i];
                    EXPECT_EQ(c.available, sizes[i]);
                    EXPECT_EQ(c.requested, expected[i]);
                    EXPECT_EQ(c.kept, std::min<std::int64_t>(expected[i], sizes[i]));
                    EXPECT_EQ(c.group, i < classes / 2 ? Group::high : Group::low);
                    total += c.kept;
                }
                EXPECT_EQ(static_cast<std::int64_t>(split.train.size()), total);
            }
        }
    EXPECT_EQ(settings, 18);
}

// By hand: 391 * 100^(-i/14) = 391, 281.4, 202.5, 145.7, …, 3.91.
TEST(RequestedCounts, OfMvtecByHand) {
    EXPECT_THAT(requested_counts("exp", 100, 391, 15),
                ElementsAre(391, 281, 202, 145, 104, 75, 54, 39, 28, 20, 14, 10, 7, 5, 3));
    EXPECT_THAT(requested_counts("step", 100, 391, 15),
                ElementsAre(391, 391, 391, 391, 391, 391, 391, 3, 3, 3, 3, 3, 3, 3, 3));
}

TEST(RequestedCounts, WholeNumbersStayWhole) {
    // beta^(i/(C-1)) is whole: each is exactly on the edge of a floor.
    EXPECT_THAT(requested_counts("exp", 100, 1000, 3), ElementsAre(1000, 100, 10));
    EXPECT_THAT(requested_counts("exp", 1000, 5000, 4), ElementsAre(5000, 500, 50, 5));
    EXPECT_THAT(requested_counts("exp", 128, 256, 8), ElementsAre(256, 128, 64, 32, 16, 8, 4, 2));
    EXPECT_THAT(requested_counts("exp", 1024, 1024, 11), ElementsAre(1024, 512, 256, 128, 64, 32, 16, 8, 4, 2, 1));
    EXPECT_THAT(requested_counts("exp", 243, 729, 6), ElementsAre(729, 243, 81, 27, 9, 3));
    EXPECT_THAT(requested_counts("exp", 625, 625000, 5), ElementsAre(625000, 125000, 25000, 5000, 1000));
    for (std::int64_t base = 2; base <= 12; ++base)
        for (std::size_t classes = 2; classes <= 6; ++classes) {
            std::vector<std::int64_t> expected(classes, 7);
            for (std::size_t i = classes - 1; i-- > 0;) expected[i] = expected[i + 1] * base;
            const double beta = std::pow(static_cast<double>(base), static_cast<double>(classes - 1));
            EXPECT_EQ(requested_counts("exp", beta, expected[0], classes), expected) << base << " " << classes;
        }
    for (std::int64_t beta = 1; beta <= 300; ++beta) {
        EXPECT_EQ(requested_counts("step", static_cast<double>(beta), 3 * beta, 2).back(), 3);
        EXPECT_EQ(requested_counts("exp", static_cast<double>(beta), 3 * beta, 2).back(), 3);
    }
    EXPECT_EQ(requested_counts("step", 0.1 * 3 * 10, 9, 2).back(), 3);  // 3.0000000000000004
}

TEST(RequestedCounts, AreAtLeastOne) {
    EXPECT_THAT(requested_counts("step", 500, 20, 4), ElementsAre(20, 20, 1, 1));
    EXPECT_THAT(requested_counts("exp", 1e6, 10, 3), ElementsAre(10, 1, 1));
}

TEST(RequestedCounts, AFactorOfOneKeepsAll) {
    for (const char* type : {"exp", "step"}) EXPECT_THAT(requested_counts(type, 1, 42, 4), ElementsAre(42, 42, 42, 42));
}

TEST(RequestedCounts, OfFewClasses) {
    EXPECT_THAT(requested_counts("exp", 100, 50, 1), ElementsAre(50));
    EXPECT_THAT(requested_counts("step", 10, 50, 3), ElementsAre(50, 5, 5));  // the odd one is a minority class
    EXPECT_THAT(requested_counts("exp", 10, 50, 0), ElementsAre());
}

TEST(RequestedCounts, NameTheWrongFactorOrType) {
    for (const double beta :
         {0.0, 0.99, -5.0, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()})
        EXPECT_THAT([&] { (void)requested_counts("exp", beta, 10, 3); },
                    ThrowsMessage<UsageError>(
                        AllOf(HasSubstr("split.imbalance_factor"), HasSubstr(text(beta)), HasSubstr("from 1"))));
    EXPECT_THAT([] { (void)requested_counts("steps", 10, 10, 3); },
                ThrowsMessage<UsageError>(AllOf(HasSubstr("split.type"), HasSubstr("steps"), HasSubstr("exp"))));
}

TEST(MakeSplit, MvtecHasSevenHighAndEightLow) {
    const Split split = make_split(dataset_of(mvtec), config_of("exp", 100), 1);
    EXPECT_THAT(names(split),
                ElementsAre("hazelnut", "screw", "carpet", "pill", "grid", "wood", "leather", "zipper", "tile", "cable",
                            "metal_nut", "capsule", "transistor", "bottle", "toothbrush"));
    const auto high = std::count_if(split.classes.begin(), split.classes.end(),
                                    [](const ClassSplit& c) { return c.group == Group::high; });
    EXPECT_EQ(high, 7);
    EXPECT_EQ(split.classes.size() - static_cast<std::size_t>(high), 8u);
    EXPECT_EQ(name_of(Group::high), "high");
    EXPECT_EQ(name_of(Group::low), "low");
}

TEST(MakeSplit, EqualCardinalitiesAreOrderedByName) {
    EXPECT_THAT(names(make_split(dataset_of(visa), config_of("step", 100), 1)),
                ElementsAre("pcb3", "pcb1", "pcb4", "pcb2", "candle", "macaroni1", "macaroni2", "capsules",
                            "chewinggum", "cashew", "fryum", "pipe_fryum"));
    EXPECT_THAT(names(make_split(dataset_of(dagm), config_of("step", 100), 1)),  // bytewise: 10 before 7
                ElementsAre("Class10", "Class7", "Class8", "Class9", "Class1", "Class2", "Class3", "Class4", "Class5",
                            "Class6"));
}

TEST(MakeSplit, AlphabeticalOrderIsBytewise) {
    const Split split =
        make_split(dataset_of({{"b", 9}, {"B", 8}, {"a", 7}, {"_", 6}}), config_of("exp", 4, "alphabetical"), 1);
    EXPECT_THAT(names(split), ElementsAre("B", "_", "a", "b"));
}

TEST(MakeSplit, ReverseTurnsTheOrderRound) {
    for (const char* order : {"cardinality", "alphabetical"}) {
        SplitConfig config = config_of("step", 100, order);
        auto expected = names(make_split(dataset_of(mvtec), config, 1));
        std::reverse(expected.begin(), expected.end());
        config.reverse = true;
        const Split split = make_split(dataset_of(mvtec), config, 1);
        EXPECT_EQ(names(split), expected);
        EXPECT_TRUE(split.reverse);
        EXPECT_EQ(split.classes[6].group, Group::high);
        EXPECT_EQ(split.classes[7].group, Group::low);
        EXPECT_EQ(split.classes.back().kept, 3);  // the largest class is the smallest now
    }
}

TEST(MakeSplit, AListSetsTheOrder) {
    SplitConfig config = config_of("exp", 10, "list");
    config.class_order.names = {"b", "c", "a"};
    const Dataset dataset = dataset_of({{"a", 50}, {"b", 40}, {"c", 30}});
    const Split split = make_split(dataset, config, 1);
    EXPECT_THAT(names(split), ElementsAre("b", "c", "a"));
    EXPECT_THAT(kept(split), ElementsAre(40, 15, 5));  // 50, 15.8, 5, and no more than there are
    EXPECT_EQ(split.classes[0].requested, 50);         // N is the largest class's, wherever it stands
    config.reverse = true;
    EXPECT_THAT(names(make_split(dataset, config, 1)), ElementsAre("a", "c", "b"));
}

TEST(MakeSplit, NamesEveryMistakeOfAList) {
    SplitConfig config = config_of("exp", 10, "list");
    config.class_order.names = {"a", "a", "bottel"};
    EXPECT_THAT(
        [&] {
            (void)make_split(dataset_of({{"a", 5}, {"bottle", 4}}), config, 1);
        },
        ThrowsMessage<UsageError>(AllOf(HasSubstr("split.class_order"), HasSubstr("'a' is listed twice"),
                                        HasSubstr("'bottel' is not in the data set"),
                                        HasSubstr("'bottle' is missing"))));
    config.class_order.names = {"a"};
    EXPECT_THAT(
        [&] {
            (void)make_split(dataset_of({{"a", 5}, {"bottle", 4}}), config, 1);
        },
        ThrowsMessage<UsageError>(AllOf(HasSubstr("'bottle' is missing"), Not(HasSubstr("'a' is")))));
}

TEST(MakeSplit, NamesTheWrongFactorOrType) {
    EXPECT_THAT([] { (void)make_split(dataset_of(dagm), config_of("exp", 0), 1); },
                ThrowsMessage<UsageError>(HasSubstr("imbalance_factor")));
    EXPECT_THAT([] { (void)make_split(dataset_of(dagm), config_of("log", 10), 1); },
                ThrowsMessage<UsageError>(HasSubstr("split.type")));
}

TEST(MakeSplit, DrawsWithoutRepetitionFromTheClassItself) {
    const Dataset dataset = dataset_of(mvtec);
    std::set<std::string> available;
    for (const Sample& s : dataset.train) available.insert(s.file);
    for (const char* type : {"exp", "step"}) {
        const Split split = make_split(dataset, config_of(type, 100), 7);
        std::set<std::string> files;
        std::map<std::string, std::int64_t> counts;
        for (const Sample& s : split.train) {
            EXPECT_TRUE(available.contains(s.file)) << s.file;
            EXPECT_TRUE(files.insert(s.file).second) << s.file << " twice";
            EXPECT_FALSE(s.defective);
            EXPECT_TRUE(s.file.starts_with(s.class_name + "/"));
            ++counts[s.class_name];
        }
        for (const ClassSplit& c : split.classes) EXPECT_EQ(counts[c.name], c.kept) << c.name;
        EXPECT_TRUE(std::is_sorted(split.train.begin(), split.train.end(),
                                   [](const Sample& a, const Sample& b) { return a.file < b.file; }));
    }
}

TEST(MakeSplit, LeavesTheTestSetAlone) {
    const Dataset dataset = dataset_of(visa);
    for (const std::int64_t seed : {1, 2})
        EXPECT_EQ(make_split(dataset, config_of("exp", 500), seed).test, dataset.test);
}

TEST(MakeSplit, FollowsFromTheSeedAlone) {
    const Dataset dataset = dataset_of(mvtec);
    const Split one = make_split(dataset, config_of("exp", 100), 133);
    EXPECT_EQ(one.train, make_split(dataset, config_of("exp", 100), 133).train);
    const Split other = make_split(dataset, config_of("exp", 100), 134);
    EXPECT_NE(one.train, other.train);
    EXPECT_EQ(kept(one), kept(other));
    EXPECT_EQ(other.seed, 134);
    EXPECT_EQ(one.type, "exp");
    EXPECT_EQ(one.imbalance_factor, 100);
}

// Frozen: the same data set and seed must give these pictures on every machine and in every later version, or results
// could no longer be compared. Only a change of the format version may change these figures.
TEST(MakeSplit, TheDrawIsFrozen) {
    const auto digest = [](const Counts& counts, const char* type, double beta, std::int64_t seed) {
        return sha256(format_sample_list(make_split(dataset_of(counts), config_of(type, beta), seed).train));
    };
    EXPECT_EQ(digest(mvtec, "exp", 100, 133), "3c1c9301305bc94c3298861ce92b5c7a702ba6bc0955b62ab3e2b6c676406a69");
    EXPECT_EQ(digest(mvtec, "step", 100, 133), "25c44de7405ca443aeefe4d129d21b37ce23e214fe47bbd2a747b24fbf121139");
    EXPECT_EQ(digest(visa, "exp", 500, 0), "2b86eabafb888aa66712101741c1597f5e1f54aaa62180c5fd1189bf29646d72");
    EXPECT_EQ(digest(dagm, "step", 50, 1), "4519d7efdd623e59d2a1266b3d4273b083fbf2c6238a26e245fa4922dad4487c");
}

// Each picture is as likely as any other: of 40 pictures 10 are kept, in 400 draws each about 100 times
// (deviation 8.7).
TEST(MakeSplit, DrawsEveryPictureEquallyOften) {
    const Dataset dataset = dataset_of({{"a", 40}, {"b", 40}});
    std::map<std::string, int> times;
    for (std::int64_t seed = 0; seed < 400; ++seed)
        for (const Sample& s : make_split(dataset, config_of("step", 4), seed).train)
            if (s.class_name == "b") ++times[s.file];
    EXPECT_EQ(times.size(), 40u);
    for (const auto& [file, count] : times) EXPECT_NEAR(count, 100, 40) << file;
}

TEST(MakeSplit, ClassesDoNotDrawAlike) {
    const Dataset dataset = dataset_of({{"a", 200}, {"b", 100}, {"c", 100}});
    std::map<std::string, std::set<std::string>> drawn;
    for (const Sample& s : make_split(dataset, config_of("step", 10), 5).train)
        drawn[s.class_name].insert(s.file.substr(s.file.rfind('/')));
    ASSERT_EQ(drawn["b"].size(), 20u);
    ASSERT_EQ(drawn["c"].size(), 20u);
    EXPECT_NE(drawn["b"], drawn["c"]);
}

std::string warnings_of(const std::function<void()>& work) {
    testing::internal::CaptureStderr();
    work();
    return testing::internal::GetCapturedStderr();
}

TEST(MakeSplit, WarnsWhereTheFactorLeavesLessThanOnePicture) {
    const Dataset dataset = dataset_of({{"a", 40}, {"b", 30}});
    EXPECT_THAT(
        warnings_of([&] { EXPECT_THAT(kept(make_split(dataset, config_of("step", 41), 1)), ElementsAre(40, 1)); }),
        AllOf(HasSubstr("40 pictures"), HasSubstr("41")));
    EXPECT_EQ(
        warnings_of([&] { EXPECT_THAT(kept(make_split(dataset, config_of("step", 40), 1)), ElementsAre(40, 1)); }), "");
}

TEST(MakeSplit, SaysThatOneClassHasNoTail) {
    EXPECT_THAT(warnings_of([] {
                    EXPECT_THAT(kept(make_split(dataset_of({{"only", 9}}), config_of("exp", 3), 1)), ElementsAre(9));
                }),
                HasSubstr("'only' is the only class"));
}

TEST(ImportSplit, GroupsByTheCountsOfTheLists) {
    const Dataset lists = dataset_of({{"a", 3}, {"b", 90}, {"c", 5}, {"d", 40}, {"e", 20}});
    const Split split = import_split(lists);
    EXPECT_EQ(split.type, "import");
    EXPECT_THAT(names(split), ElementsAre("b", "d", "e", "c", "a"));
    EXPECT_THAT(kept(split), ElementsAre(90, 40, 20, 5, 3));
    for (std::size_t i = 0; i < 5; ++i) {
        EXPECT_EQ(split.classes[i].group, i < 2 ? Group::high : Group::low);
        EXPECT_EQ(split.classes[i].available, split.classes[i].kept);
    }
    EXPECT_EQ(split.train, lists.train);
    EXPECT_EQ(split.test, lists.test);
}

TEST(ImportSplit, WarnsOfATieBetweenHighAndLow) {
    std::vector<std::string> order;
    EXPECT_THAT(warnings_of([&] {
                    order = names(import_split(dataset_of({{"z", 9}, {"y", 4}, {"x", 4}, {"w", 1}})));
                }),
                AllOf(HasSubstr("High and Low"), HasSubstr("4")));
    EXPECT_THAT(order, ElementsAre("z", "x", "y", "w"));
    // A tie on one side decides nothing.
    EXPECT_EQ(warnings_of([] { (void)import_split(dataset_of({{"z", 9}, {"y", 9}, {"x", 4}, {"w", 4}})); }), "");
}

}  // namespace
}  // namespace ltad
