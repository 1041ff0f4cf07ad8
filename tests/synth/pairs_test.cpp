#include "ltad/synth/pairs.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <map>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ltad/core/error.h"
#include "ltad/synth/picture.h"

namespace ltad {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsSubsetOf;
using testing::SizeIs;
using testing::ThrowsMessage;

constexpr std::array sides = {PairSide::training, PairSide::held_out};

PairKey key_of(std::int64_t index, PairSide side = PairSide::training, int size = 64, std::int64_t seed = 0) {
    return {.seed = seed, .side = side, .index = index, .size = size};
}

/// The first pairs of a side, small: for what does not depend on the size.
const std::vector<CaptionedPicture>& first_pairs(PairSide side) {
    static std::map<PairSide, std::vector<CaptionedPicture>> drawn;
    auto& pairs = drawn[side];
    while (pairs.size() < 4000) pairs.push_back(draw_pair(key_of(static_cast<std::int64_t>(pairs.size()), side, 16)));
    return pairs;
}

/// Without regular expressions, which would take seconds over all captions.
std::set<std::string> words_of(std::string phrase) {
    std::replace(phrase.begin(), phrase.end(), '-', ' ');
    std::istringstream in(phrase);
    return {std::istream_iterator<std::string>(in), std::istream_iterator<std::string>()};
}

/// Lower-case words with one space or hyphen between them.
bool is_phrase(const std::string& text) {
    bool letter = false;
    for (const char c : text) {
        const bool gap = c == ' ' || c == '-';
        if (gap ? !letter : c < 'a' || c > 'z') return false;
        letter = !gap;
    }
    return letter;
}

bool is_vowel(char c) { return std::string("aeiou").find(c) != std::string::npos; }

bool articles_fit(const std::string& text) {
    const std::string padded = " " + text + " ";
    for (const std::string article : {" a ", " an "})
        for (std::size_t at = padded.find(article); at != std::string::npos; at = padded.find(article, at + 1))
            if (is_vowel(padded.at(at + article.size())) != (article == " an ")) return false;
    return true;
}

/// All that the generated data set shows: the names of its classes and of their defects.
std::set<std::string> demo_words() {
    std::set<std::string> words;
    const auto names = synth_class_names();
    words.insert(names.begin(), names.end());
    for (std::size_t c = 0; c < names.size(); ++c)
        for (const std::string& kind : synth_defect_kinds(c)) words.insert(kind);
    return words;
}

double share(const std::vector<CaptionedPicture>& pairs, const auto& holds) {
    return static_cast<double>(std::count_if(pairs.begin(), pairs.end(), holds)) / static_cast<double>(pairs.size());
}

std::string with_article(const std::string& noun) { return (is_vowel(noun.front()) ? "an " : "a ") + noun; }

bool is_grey(const Image& image) {
    for (std::size_t i = 0; i < image.pixels.size(); i += 3)
        if (image.pixels[i] != image.pixels[i + 1] || image.pixels[i] != image.pixels[i + 2]) return false;
    return true;
}

/// The part of the pixels that differ by more than `levels`.
double changed(const Image& a, const Image& b, int levels) {
    double count = 0;
    for (std::size_t i = 0; i < a.pixels.size(); i += 3) {
        int largest = 0;
        for (std::size_t c = i; c < i + 3; ++c) largest = std::max(largest, std::abs(a.pixels[c] - b.pixels[c]));
        count += largest > levels ? 1 : 0;
    }
    return count / static_cast<double>(a.pixels.size() / 3);
}

std::array<double, 3> mean_colour(const Image& image) {
    std::array<double, 3> mean{};
    for (std::size_t i = 0; i < image.pixels.size(); ++i) mean[i % 3] += image.pixels[i];
    for (double& m : mean) m /= static_cast<double>(image.pixels.size() / 3);
    return mean;
}

TEST(PairGrammar, HasManySubjectsAndKindsOfDefect) {
    EXPECT_THAT(pair_subjects(PairSide::training), SizeIs(testing::Ge(80u)));
    EXPECT_THAT(pair_subjects(PairSide::held_out), SizeIs(AllOf(testing::Ge(15u), testing::Le(20u))));
    EXPECT_THAT(pair_defects(PairSide::training), SizeIs(testing::Ge(24u)));
    for (const PairSide side : sides) {
        for (const auto& list : {pair_subjects(side), pair_defects(side)}) {
            EXPECT_EQ(std::set(list.begin(), list.end()).size(), list.size()) << "named twice";
            for (const std::string& name : list) EXPECT_TRUE(is_phrase(name)) << name;
        }
        std::set<std::string> possible;
        for (std::size_t s = 0; s < pair_subjects(side).size(); ++s) {
            const auto kinds = pair_defects(side, s);
            EXPECT_GE(kinds.size(), 2u) << pair_subjects(side)[s];
            possible.insert(kinds.begin(), kinds.end());
        }
        EXPECT_THAT(possible, testing::UnorderedElementsAreArray(pair_defects(side)));
    }
}

TEST(PairGrammar, TheSidesShareNeitherSubjectsNorKinds) {
    const auto disjoint = [](const std::vector<std::string>& a, const std::vector<std::string>& b) {
        for (const std::string& name : a) EXPECT_THAT(b, testing::Not(Contains(name)));
    };
    disjoint(pair_subjects(PairSide::training), pair_subjects(PairSide::held_out));
    disjoint(pair_defects(PairSide::training), pair_defects(PairSide::held_out));
}

// What makes the demo's classes and defects unseen: not even a word of theirs occurs among the training subjects.
TEST(PairGrammar, TrainingKnowsNoWordOfTheGeneratedDataSet) {
    for (const auto& list : {pair_subjects(PairSide::training), pair_defects(PairSide::training)})
        for (const std::string& name : list)
            for (const std::string& word : words_of(name)) EXPECT_THAT(demo_words(), testing::Not(Contains(word)));
}

TEST(PairGrammar, TrainingCaptionsNameNothingThatIsHeldOut) {
    std::set<std::string> forbidden = demo_words();
    for (const auto& list : {pair_subjects(PairSide::held_out), pair_defects(PairSide::held_out)})
        forbidden.insert(list.begin(), list.end());
    ASSERT_THAT(forbidden,
                AllOf(Contains("scratch"), Contains("woven"), Contains("woven fabric"), Contains("missing")));
    for (const CaptionedPicture& pair : first_pairs(PairSide::training)) {
        // Between spaces, and without a plural or other ending that would hide a word.
        for (const std::string& name : forbidden)
            ASSERT_EQ((" " + pair.caption).find(" " + name), std::string::npos) << pair.caption << ": " << name;
    }
}

TEST(PairGrammar, TheHeldOutSideHoldsTheGeneratedDataSetsKindsOfDamage) {
    EXPECT_THAT((std::vector<std::string>{"crack", "pit", "scratch", "stain"}),
                IsSubsetOf(pair_defects(PairSide::held_out)));
}

TEST(PairGrammar, NamesTheUnknown) {
    EXPECT_THAT([] { (void)draw_pair_of(key_of(0), 9999); },
                ThrowsMessage<Error>(AllOf(HasSubstr("9999"), HasSubstr("subject"))));
    EXPECT_THAT([] { (void)pair_defects(PairSide::held_out, 77); }, ThrowsMessage<Error>(HasSubstr("77")));
    const std::string subject = pair_subjects(PairSide::training)[0];
    EXPECT_THAT([] { (void)draw_pair_of(key_of(0), 0, "mouse bite"); },
                ThrowsMessage<Error>(AllOf(HasSubstr("'mouse bite'"), HasSubstr(subject))));
    EXPECT_THAT([] { (void)draw_pair_of(key_of(0), 0, "scratch"); }, ThrowsMessage<Error>(HasSubstr("'scratch'")))
        << "a kind of the other side";
    EXPECT_THAT([] { (void)draw_pair(key_of(0, PairSide::training, 0)); }, ThrowsMessage<Error>(HasSubstr("16")));
}

TEST(PairCaptions, AreWellFormed) {
    for (const PairSide side : sides) {
        const auto subjects = pair_subjects(side);
        for (const CaptionedPicture& pair : first_pairs(side)) {
            ASSERT_TRUE(is_phrase(pair.caption)) << pair.caption;
            ASSERT_TRUE(articles_fit(pair.caption)) << pair.caption;
            ASSERT_THAT(pair.caption, AnyOf(testing::StartsWith("a "), testing::StartsWith("an ")));
            ASSERT_THAT(pair.caption, HasSubstr(pair.subject));
            ASSERT_TRUE(std::any_of(subjects.begin(), subjects.end(), [&](const std::string& name) {
                return pair.subject == name || pair.subject.ends_with(" " + name);
            })) << pair.subject;
        }
    }
}

TEST(PairCaptions, SayWhetherThereIsADefect) {
    const std::set<std::string> bad = {"broken", "damaged", "defective", "flawed", "abnormal", "faulty"};
    for (const PairSide side : sides) {
        for (const CaptionedPicture& pair : first_pairs(side)) {
            bool told = pair.caption.find(" with ") != std::string::npos;
            for (const std::string& word : words_of(pair.caption)) told = told || bad.contains(word);
            ASSERT_EQ(told, !pair.defect.empty()) << pair.caption;
        }
    }
}

TEST(PairCaptions, TakeTheFormsThatTheModelComparesOftenEnough) {
    for (const PairSide side : sides) {
        std::vector<CaptionedPicture> good;
        std::vector<CaptionedPicture> bad;
        for (const CaptionedPicture& pair : first_pairs(side)) (pair.defect.empty() ? good : bad).push_back(pair);
        EXPECT_NEAR(static_cast<double>(bad.size()) / 4000, 0.5, 0.04);
        EXPECT_NEAR(share(good, [](const auto& p) { return p.caption == with_article(p.subject); }), 0.4, 0.05);
        EXPECT_NEAR(share(bad, [](const auto& p) { return p.caption == "a broken " + p.subject; }), 0.41, 0.05);
        EXPECT_GT(share(bad, [](const auto& p) { return p.caption.find(" with ") != std::string::npos; }), 0.2);
        std::set<std::string> different;
        for (const CaptionedPicture& pair : first_pairs(side)) different.insert(pair.caption);
        EXPECT_GT(different.size(), side == PairSide::training ? 2500u : 900u);
    }
}

TEST(PairCaptions, ColourWordsAreRight) {
    // Surfaces of one colour all over, seen in colour.
    const auto subjects = pair_subjects(PairSide::training);
    const auto index =
        static_cast<std::size_t>(std::find(subjects.begin(), subjects.end(), "painted panel") - subjects.begin());
    ASSERT_LT(index, subjects.size());
    std::map<std::string, int> seen;
    for (std::int64_t i = 0; i < 400; ++i) {
        const CaptionedPicture pair = draw_pair_of(key_of(i, PairSide::training, 24), index);
        if (pair.subject == subjects[index]) continue;
        const std::string colour = pair.subject.substr(0, pair.subject.size() - subjects[index].size() - 1);
        ++seen[colour];
        const auto [r, g, b] = mean_colour(pair.image);
        const double high = std::max({r, g, b});
        const double low = std::min({r, g, b});
        const std::map<std::string, bool> looks = {{"red", r > 1.4 * std::max(g, b)},
                                                   {"green", g > 1.25 * std::max(r, b)},
                                                   {"blue", b > 1.25 * std::max(r, g)},
                                                   {"yellow", std::min(r, g) > 1.4 * b},
                                                   {"pink", r > 1.1 * b && b > 1.02 * g},
                                                   {"white", low > 175},
                                                   {"black", high < 90},
                                                   {"grey", high - low < 25}};
        if (looks.contains(colour)) {
            EXPECT_TRUE(looks.at(colour)) << colour << ": " << r << " " << g << " " << b;
        }
        EXPECT_FALSE(is_grey(pair.image)) << "a colour is named that nobody can see";
    }
    EXPECT_THAT(seen, AllOf(SizeIs(testing::Ge(12u)), Contains(testing::Key("red")), Contains(testing::Key("blue"))));
}

TEST(PairPictures, FollowFromTheirKeyAlone) {
    for (const PairSide side : sides) {
        for (std::int64_t i = 0; i < 30; ++i) {
            const CaptionedPicture one = draw_pair(key_of(i, side));
            const CaptionedPicture again = draw_pair(key_of(i, side));
            EXPECT_EQ(one.image.pixels, again.image.pixels);
            EXPECT_EQ(one.caption, again.caption);
            EXPECT_NE(one.image.pixels, draw_pair(key_of(i + 1, side)).image.pixels) << "another index";
            EXPECT_NE(one.image.pixels, draw_pair(key_of(i, side, 64, 1)).image.pixels) << "another seed";
        }
    }
    EXPECT_NE(draw_pair(key_of(3)).image.pixels, draw_pair(key_of(3, PairSide::held_out)).image.pixels);
}

TEST(PairPictures, HaveTheSizeThatIsAskedForAndOneCaptionForAll) {
    for (const int size : {16, 33, 224}) {
        const CaptionedPicture pair = draw_pair(key_of(5, PairSide::training, size));
        EXPECT_EQ(pair.image.width, size);
        EXPECT_EQ(pair.image.height, size);
        EXPECT_EQ(pair.image.pixels.size(), static_cast<std::size_t>(size) * static_cast<std::size_t>(size) * 3);
        EXPECT_EQ(pair.caption, draw_pair(key_of(5)).caption);
    }
}

TEST(PairPictures, ShowEverySubjectAndEveryKind) {
    for (const PairSide side : sides) {
        std::set<std::string> subjects;
        std::set<std::string> kinds;
        const auto known = pair_subjects(side);
        for (const CaptionedPicture& pair : first_pairs(side)) {
            kinds.insert(pair.defect);
            for (const std::string& name : known)
                if (pair.subject == name || pair.subject.ends_with(" " + name)) subjects.insert(name);
        }
        EXPECT_EQ(subjects.size(), known.size());
        EXPECT_EQ(kinds.size(), pair_defects(side).size() + 1) << "with the good ones'";
    }
}

TEST(PairPictures, ShowTheirDefects) {
    for (const PairSide side : sides) {
        const auto subjects = pair_subjects(side);
        for (std::size_t s = 0; s < subjects.size(); ++s) {
            const auto kinds = pair_defects(side, s);
            const bool is_object = std::find(kinds.begin(), kinds.end(), "broken-off piece") != kinds.end();
            for (const std::string& kind : kinds) {
                for (std::int64_t i = 0; i < 2; ++i) {
                    const PairKey key = key_of(i, side, 80);
                    const CaptionedPicture bad = draw_pair_of(key, s, kind);
                    EXPECT_EQ(bad.defect, kind);
                    const double part = changed(draw_pair_of(key, s).image, bad.image, 20);
                    EXPECT_GT(part, kinds.front() == "open trace" ? 0.0003 : 0.0005)
                        << subjects[s] << " with " << kind << ", index " << i;
                    // An object may have to be of another material, and then differs all over.
                    if (!is_object) {
                        EXPECT_LT(part, 0.5) << subjects[s] << " with " << kind << ", index " << i;
                    }
                }
            }
        }
    }
}

// Or a model would tell good from defective by everything else.
TEST(PairPictures, TheSameSurfaceGoodAndDefectiveDiffersOnlyInTheDefect) {
    for (std::size_t s = 0; s < 60; s += 7) {
        const PairKey key = key_of(1, PairSide::training, 96);
        EXPECT_LT(changed(draw_pair_of(key, s).image, draw_pair_of(key, s, "spot").image, 0), 0.5);
    }
}

TEST(PairPictures, SpecimensOfASubjectDiffer) {
    for (const PairSide side : sides) {
        for (std::size_t s = 0; s < pair_subjects(side).size(); ++s) {
            const Image a = draw_pair_of(key_of(0, side), s).image;
            const Image b = draw_pair_of(key_of(1, side), s).image;
            EXPECT_GT(changed(a, b, 8), 0.15) << pair_subjects(side)[s];
        }
    }
}

TEST(PairPictures, ComeInColourInGreyAndInTwoTones) {
    int grey = 0;
    int two_tones = 0;
    constexpr int count = 300;
    for (std::int64_t i = 0; i < count; ++i) {
        const Image image = draw_pair(key_of(i)).image;
        double between = 0;
        for (const std::uint8_t value : image.pixels) between += value > 70 && value < 190 ? 1 : 0;
        if (!is_grey(image)) continue;
        ++grey;
        if (between < 0.35 * static_cast<double>(image.pixels.size())) ++two_tones;
    }
    EXPECT_GT(grey, count / 4);
    EXPECT_LT(grey, count * 3 / 5);
    EXPECT_GT(two_tones, count / 12);
}

}  // namespace
}  // namespace ltad
