#include "ltad/synth/picture.h"

#include <algorithm>
#include <numeric>

#include "ltad/core/error.h"
#include "ltad/synth/defects.h"
#include "ltad/synth/products.h"

namespace ltad {
namespace {

std::vector<Product> all_products() {
    std::vector<Product> all(surfaces().begin(), surfaces().end());
    // Surfaces and things in turn, so that a data set of few classes has some of both.
    for (std::size_t i = 0; i < things().size(); ++i)
        all.insert(all.begin() + static_cast<std::ptrdiff_t>(3 * i + 2), things()[i]);
    return all;
}

const Product& product(std::size_t index) {
    static const std::vector<Product> all = all_products();
    if (index >= all.size()) fail("synth: there are ", all.size(), " classes, number ", index, " was asked for");
    return all[index];
}

enum class Stage : std::uint64_t { specimen = 1, defect = 2, camera = 3 };

Random random_for(const SynthKey& key, Stage stage, std::uint64_t kind = 0, std::uint64_t attempt = 0) {
    return Random(RandomUse::synth, {static_cast<std::uint64_t>(key.seed), random_key(product(key.class_index).name),
                                     random_key(key.part), static_cast<std::uint64_t>(key.index),
                                     static_cast<std::uint64_t>(stage), kind, attempt});
}

Canvas draw_specimen(const SynthKey& key, std::uint64_t kind, const Spot* fault) {
    Canvas canvas(key.size);
    Random random = random_for(key, Stage::specimen, kind);
    product(key.class_index).draw(canvas, random, fault);
    return canvas;
}

/// A place on the product, and how hard the defect is to see.
Spot draw_spot(const Canvas& good, Random& random) {
    Spot spot;
    spot.reach = static_cast<float>(random.uniform(0.04, 0.13));
    spot.strength = static_cast<float>(random.uniform(0.3, 1.0));
    for (int i = 0; i < 1000; ++i) {
        spot.at = {static_cast<float>(random.uniform(0.1, 0.9)), static_cast<float>(random.uniform(0.1, 0.9))};
        if (good.has_part(spot.at)) return spot;
    }
    fail("synth: no place for a defect was found");
}

}  // namespace

std::vector<std::string> synth_class_names() {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < surfaces().size() + things().size(); ++i) names.emplace_back(product(i).name);
    return names;
}

std::vector<std::string> synth_defect_kinds(std::size_t class_index) {
    std::vector<std::string> kinds(damage_kinds.begin(), damage_kinds.end());
    kinds.emplace_back(product(class_index).own_fault);
    std::sort(kinds.begin(), kinds.end());
    return kinds;
}

SynthPicture draw_good(const SynthKey& key) {
    const Canvas canvas = draw_specimen(key, 0, nullptr);
    Random camera = random_for(key, Stage::camera);
    return {canvas.photograph(camera), canvas.difference(canvas)};
}

SynthPicture draw_defective(const SynthKey& key, std::string_view kind) {
    const std::uint64_t kind_key = random_key(kind);
    const Canvas good = draw_specimen(key, kind_key, nullptr);
    constexpr std::uint64_t attempts = 50;
    // Some spots change nothing (bare laminate, a place without a stroke): another is drawn.
    for (std::uint64_t attempt = 0; attempt < attempts; ++attempt) {
        Random random = random_for(key, Stage::defect, kind_key, attempt);
        const Spot spot = draw_spot(good, random);
        Canvas bad = good;
        if (kind == product(key.class_index).own_fault)
            bad = draw_specimen(key, kind_key, &spot);
        else
            damage(bad, kind, spot, random);
        Mask mask = bad.difference(good);
        const auto area = std::accumulate(mask.pixels.begin(), mask.pixels.end(), 0L);
        const long enough = std::max(12L, static_cast<long>(key.size) * key.size / 1000);
        if (area < enough) continue;
        Random camera = random_for(key, Stage::camera, kind_key);
        return {bad.photograph(camera), std::move(mask)};
    }
    fail("synth: no visible defect of kind '", kind, "' came out in ", attempts, " attempts");
}

}  // namespace ltad
