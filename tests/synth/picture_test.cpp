#include "ltad/synth/picture.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ltad/core/error.h"
#include "ltad/core/random.h"
#include "ltad/synth/defects.h"
#include "ltad/synth/products.h"

namespace ltad {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::HasSubstr;
using testing::SizeIs;
using testing::ThrowsMessage;

constexpr int side = 64;

SynthKey key_of(std::size_t class_index, std::int64_t index = 0, std::int64_t seed = 0,
                std::string_view part = "test") {
    return {.class_index = class_index, .seed = seed, .part = part, .index = index, .size = side};
}

std::size_t area(const Mask& mask) {
    return static_cast<std::size_t>(std::count(mask.pixels.begin(), mask.pixels.end(), 1));
}

/// Mean brightness of the pixels that `which` picks by index.
template <typename Which>
double brightness(const Image& image, Which which) {
    double sum = 0;
    double count = 0;
    for (std::size_t i = 0; i < image.pixels.size() / 3; ++i)
        if (which(i)) {
            sum += image.pixels[3 * i] + image.pixels[3 * i + 1] + image.pixels[3 * i + 2];
            count += 3;
        }
    return sum / std::max(count, 1.0);
}

/// The largest difference of a colour value at pixel i.
int difference(const Image& a, const Image& b, std::size_t i) {
    int largest = 0;
    for (std::size_t c = 0; c < 3; ++c)
        largest = std::max(largest, std::abs(a.pixels[3 * i + c] - b.pixels[3 * i + c]));
    return largest;
}

TEST(SynthClasses, AreTwelveOfDifferentNamesWithFiveKindsEach) {
    const auto names = synth_class_names();
    EXPECT_THAT(names, SizeIs(12));
    EXPECT_EQ(std::set(names.begin(), names.end()).size(), 12u);
    for (std::size_t c = 0; c < names.size(); ++c) {
        const auto kinds = synth_defect_kinds(c);
        EXPECT_EQ(std::set(kinds.begin(), kinds.end()).size(), 5u) << names[c];
        for (const char* common : {"crack", "pit", "scratch", "stain"})
            EXPECT_THAT(kinds, Contains(common)) << names[c];
        EXPECT_TRUE(std::is_sorted(kinds.begin(), kinds.end()));
    }
}

TEST(SynthClasses, NameTheUnknownClassOrKind) {
    EXPECT_THAT([] { (void)draw_good(key_of(12)); },
                ThrowsMessage<Error>(AllOf(HasSubstr("12 classes"), HasSubstr("synth"))));
    EXPECT_THAT([] { (void)synth_defect_kinds(99); }, ThrowsMessage<Error>(HasSubstr("99")));
    EXPECT_THAT([] { (void)draw_defective(key_of(0), "rust"); }, ThrowsMessage<Error>(HasSubstr("'rust'")));
}

TEST(SynthPicture, GoodOnesHaveTheirSizeAndAnEmptyMask) {
    for (std::size_t c = 0; c < 12; ++c) {
        const SynthPicture picture = draw_good(key_of(c));
        EXPECT_EQ(picture.image.width, side);
        EXPECT_EQ(picture.image.height, side);
        EXPECT_EQ(picture.image.pixels.size(), static_cast<std::size_t>(side * side * 3));
        EXPECT_EQ(picture.mask.width, side);
        EXPECT_THAT(picture.mask.pixels, AllOf(SizeIs(side * side), Each(0)));
        const auto [low, high] = std::minmax_element(picture.image.pixels.begin(), picture.image.pixels.end());
        EXPECT_GT(*high - *low, 40) << synth_class_names()[c] << " has hardly any texture";
    }
}

TEST(SynthPicture, FollowsFromItsKeyAlone) {
    for (std::size_t c = 0; c < 12; ++c) {
        const Image one = draw_good(key_of(c, 3, 5)).image;
        EXPECT_EQ(one.pixels, draw_good(key_of(c, 3, 5)).image.pixels);
        EXPECT_NE(one.pixels, draw_good(key_of(c, 3, 6)).image.pixels) << "another seed";
        EXPECT_NE(one.pixels, draw_good(key_of(c, 4, 5)).image.pixels) << "another index";
        EXPECT_NE(one.pixels, draw_good(key_of(c, 3, 5, "train")).image.pixels) << "another part";
        EXPECT_NE(one.pixels, draw_good(key_of((c + 1) % 12, 3, 5)).image.pixels) << "another class";
        const auto kinds = synth_defect_kinds(c);
        const SynthPicture bad = draw_defective(key_of(c, 3, 5), kinds[1]);
        const SynthPicture again = draw_defective(key_of(c, 3, 5), kinds[1]);
        EXPECT_EQ(bad.image.pixels, again.image.pixels);
        EXPECT_EQ(bad.mask.pixels, again.mask.pixels);
        EXPECT_NE(bad.mask.pixels, draw_defective(key_of(c, 3, 6), kinds[1]).mask.pixels) << "another seed";
        EXPECT_NE(bad.mask.pixels, draw_defective(key_of(c, 3, 5), kinds[2]).mask.pixels) << "another kind";
        EXPECT_NE(bad.image.pixels, one.pixels);
    }
}

// Or a class would be learned from nothing but copies: no two specimens of a class lie the same way.
TEST(SynthPicture, SpecimensDifferByMoreThanNoise) {
    for (std::size_t c = 0; c < 12; ++c) {
        const Image a = draw_good(key_of(c, 0)).image;
        const Image b = draw_good(key_of(c, 1)).image;
        double sum = 0;
        for (std::size_t i = 0; i < a.pixels.size(); ++i) sum += std::abs(a.pixels[i] - b.pixels[i]);
        EXPECT_GT(sum / static_cast<double>(a.pixels.size()), 5) << synth_class_names()[c];
    }
}

TEST(SynthPicture, MasksAreNeitherEmptyNorAllOver) {
    for (std::size_t c = 0; c < 12; ++c)
        for (const std::string& kind : synth_defect_kinds(c))
            for (std::int64_t i = 0; i < 4; ++i) {
                const SynthPicture picture = draw_defective(key_of(c, i), kind);
                SCOPED_TRACE(text(synth_class_names()[c], " ", kind, " ", i));
                EXPECT_EQ(picture.mask.pixels.size(), static_cast<std::size_t>(side * side));
                EXPECT_THAT(picture.mask.pixels, Each(testing::Le(1)));
                EXPECT_GE(static_cast<double>(area(picture.mask)), 0.001 * side * side);
                EXPECT_LE(static_cast<double>(area(picture.mask)), 0.25 * side * side);
            }
}

TEST(SynthPicture, AnySizeHasTheSameRules) {
    for (const int size : {32, 33, 100}) {
        SynthKey key = key_of(3);
        key.size = size;
        const SynthPicture picture = draw_defective(key, "stain");
        EXPECT_EQ(picture.image.width, size);
        EXPECT_EQ(picture.image.pixels.size(), static_cast<std::size_t>(size * size * 3));
        EXPECT_GT(area(picture.mask), 0u);
    }
}

// A crack is dark wherever it is: the pixels under the mask are darker than those just beside it. A mask that is
// turned, shifted or another picture's would not have that.
TEST(SynthPicture, TheMaskLiesWhereTheCrackIs) {
    int darker = 0;
    int pictures = 0;
    for (std::size_t c = 0; c < 12; ++c)
        for (std::int64_t i = 0; i < 6; ++i) {
            const auto [image, mask] = draw_defective(key_of(c, i), "crack");
            const auto marked = [&](std::size_t p) { return mask.pixels[p] != 0; };
            const auto beside = [&](std::size_t p) {
                if (marked(p)) return false;
                const int x = static_cast<int>(p) % side;
                const int y = static_cast<int>(p) / side;
                for (int dy = -3; dy <= 3; ++dy)
                    for (int dx = -3; dx <= 3; ++dx)
                        if (x + dx >= 0 && x + dx < side && y + dy >= 0 && y + dy < side &&
                            marked(static_cast<std::size_t>((y + dy) * side + x + dx)))
                            return true;
                return false;
            };
            ++pictures;
            darker += brightness(image, marked) < brightness(image, beside) - 5 ? 1 : 0;
        }
    // Not all: dark laminate and punched holes lie beside some. Masks turned by a quarter pass in a fifth of them.
    EXPECT_GE(darker, pictures * 3 / 4) << "of " << pictures;
}

/// All products with the names under which they are known.
std::vector<Product> products() {
    std::vector<Product> all(surfaces().begin(), surfaces().end());
    all.insert(all.end(), things().begin(), things().end());
    return all;
}

/// Photographs of the same specimen, good and with a fault, by the same camera noise, and the mask between them.
struct Pair {
    Image good, bad;
    Mask mask;
};

Pair photograph(const Canvas& good, const Canvas& bad, std::uint64_t number) {
    Random camera(RandomUse::test, {30, number});
    Random same = camera;
    return {good.photograph(camera), bad.photograph(same), bad.difference(good)};
}

/// Under the mask something visible; outside it nothing but what the mask's threshold (0.025 of full scale, 6.4 levels)
/// lets through, with up to 11 % of light and rounding on top.
void expect_change_under_mask_alone(const Pair& pair) {
    int outside = 0;
    double inside = 0;  // the mean, as a saturated pixel (white on white) may hide its change
    for (std::size_t i = 0; i < pair.mask.pixels.size(); ++i) {
        const int change = difference(pair.good, pair.bad, i);
        if (pair.mask.pixels[i] != 0)
            inside += change;
        else
            outside = std::max(outside, change);
    }
    EXPECT_LE(outside, 8);
    EXPECT_GE(inside, 6.0 * static_cast<double>(area(pair.mask)));
}

TEST(SynthProducts, TheOwnFaultChangesTheSpecimenUnderTheMaskAlone) {
    for (const Product& product : products()) {
        SCOPED_TRACE(product.name);
        std::size_t changed = 0;
        for (std::uint64_t i = 0; i < 8; ++i) {
            Random random(RandomUse::test, {31, i, random_key(product.name)});
            const Spot spot{.at = {0.35f + 0.04f * static_cast<float>(i), 0.6f - 0.05f * static_cast<float>(i)},
                            .reach = 0.1f,
                            .strength = 0.9f};
            Random same = random;
            Canvas good(side);
            Canvas bad(side);
            product.draw(good, random, nullptr);
            product.draw(bad, same, &spot);
            const Pair pair = photograph(good, bad, i);
            expect_change_under_mask_alone(pair);
            changed += area(pair.mask);
            EXPECT_LE(area(pair.mask), static_cast<std::size_t>(side * side / 4));
        }
        EXPECT_GT(changed, 8u * 12u);  // a spot may miss (bare laminate), most do not
    }
}

TEST(SynthProducts, DamageChangesTheProductUnderTheMaskAlone) {
    for (const Product& product : products())
        for (const std::string_view kind : damage_kinds) {
            SCOPED_TRACE(text(product.name, " ", kind));
            Random random(RandomUse::test, {32, random_key(product.name), random_key(kind)});
            Canvas good(side);
            product.draw(good, random, nullptr);
            Canvas bad = good;
            damage(bad, kind, {.at = {0.5f, 0.28f}, .reach = 0.12f, .strength = 1.0f}, random);
            const Pair pair = photograph(good, bad, 1);
            expect_change_under_mask_alone(pair);
            EXPECT_GT(area(pair.mask), 0u);
            for (int y = 0; y < side; ++y)  // on the product only, never on the belt behind it
                for (int x = 0; x < side; ++x)
                    if (pair.mask.pixels[static_cast<std::size_t>(y * side + x)] != 0) {
                        const Point middle{(static_cast<float>(x) + 0.5f) / side,
                                           (static_cast<float>(y) + 0.5f) / side};
                        const float pixel = 1.0f / side;
                        EXPECT_TRUE(good.has_part(middle) || good.has_part({middle.x + pixel, middle.y}) ||
                                    good.has_part({middle.x - pixel, middle.y}) ||
                                    good.has_part({middle.x, middle.y + pixel}) ||
                                    good.has_part({middle.x, middle.y - pixel}))
                            << x << ", " << y;
                    }
        }
}

// Two photographs of one specimen differ by light and noise: the same everywhere, and small.
TEST(SynthProducts, TheCameraAddsLittleNoise) {
    for (const Product& product : products()) {
        Random random(RandomUse::test, {33, random_key(product.name)});
        Canvas canvas(side);
        product.draw(canvas, random, nullptr);
        Random one(RandomUse::test, {34, 1});
        Random two(RandomUse::test, {34, 2});
        const Image a = canvas.photograph(one);
        const Image b = canvas.photograph(two);
        EXPECT_NE(a.pixels, b.pixels);
        double sum = 0;
        for (std::size_t i = 0; i < a.pixels.size(); ++i) sum += std::abs(a.pixels[i] - b.pixels[i]);
        EXPECT_LT(sum / static_cast<double>(a.pixels.size()), 25) << product.name;  // light alone: up to 12 % of 200
        EXPECT_EQ(area(canvas.difference(canvas)), 0u);
    }
}

TEST(SynthProducts, DamageNamesTheUnknownKind) {
    Canvas canvas(side);
    Random random(RandomUse::test, {35});
    EXPECT_THAT([&] { damage(canvas, "rust", {}, random); }, ThrowsMessage<Error>(HasSubstr("'rust'")));
}

}  // namespace
}  // namespace ltad
