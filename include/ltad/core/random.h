#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace ltad {

/// What a stream of random numbers is for. Part of its key, so that two uses never share numbers.
enum class RandomUse : std::uint64_t {
    split = 1,
    synth = 2,
    init = 3,
    epoch_order = 4,
    latent = 5,        ///< the VAE's ε
    feature_kind = 6,  ///< real or synthetic
    jitter = 7,
    dropout = 8,
    held_out = 9,
    captions = 10,
    coreset = 11,
    test = 100,
};

/// FNV-1a of a name, for use in a stream's key ("bottle" → 64 bits); stable across machines.
[[nodiscard]] std::uint64_t random_key(std::string_view name);

/// A stream of random numbers that is a pure function of its key: Philox4x32-10 (Salmon et al., "Parallel random
/// numbers: as easy as 1, 2, 3", SC 2011) run in counter mode. Own distributions, since std:: ones differ between
/// libraries. Integers and uniforms are the same on every machine; normals use libm's log, sin and cos.
class Random {
public:
    /// The key: what the numbers are for, then any words that identify the draw, e.g. {seed, epoch, image}.
    Random(RandomUse use, std::initializer_list<std::uint64_t> words);

    std::uint32_t next_u32();
    std::uint64_t next_u64();
    /// Uniform in [0, 1), 53 bits.
    double uniform();
    double uniform(double low, double high) { return low + (high - low) * uniform(); }
    /// Unbiased integer in [0, bound). Throws Error when bound is 0.
    std::uint64_t below(std::uint64_t bound);
    /// Standard normal (Box-Muller).
    double normal();
    bool chance(double probability) { return uniform() < probability; }

    /// Fills with standard normals (single-precision Box-Muller).
    void fill_normal(std::span<float> out);

    /// Fisher-Yates, from the last element down.
    template <typename T>
    void shuffle(std::vector<T>& items) {
        for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
    }

private:
    void refill();

    std::array<std::uint32_t, 2> key_;
    std::array<std::uint32_t, 4> counter_;
    std::array<std::uint32_t, 4> block_{};
    unsigned used_ = 4;
};

/// One Philox4x32-10 block, exposed for its published test vectors.
[[nodiscard]] std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                                      std::array<std::uint32_t, 2> key);

}  // namespace ltad
