#pragma once

#include <cstdint>

namespace ltad {

/// A dropout mask as a function of a key: value i of the stream is kept when its 16 bits of a keyed hash of i reach
/// p · 65536. Nothing is stored, backward passes draw the same mask again, and it does not depend on threads.
class DropoutMask {
public:
    /// Keeps everything.
    DropoutMask() = default;
    /// p in [0, 1), rounded to 1 / 65536.
    DropoutMask(std::uint64_t key, double p);

    [[nodiscard]] bool active() const { return threshold_ != 0; }
    /// What kept values are multiplied with: 1 / (1 − p).
    [[nodiscard]] float kept() const { return kept_; }
    [[nodiscard]] std::uint64_t key() const { return key_; }
    [[nodiscard]] double p() const { return threshold_ / 65536.0; }

    /// x[i] is multiplied by factor `first` + i of the stream, 0 or kept().
    void apply(float* x, std::int64_t first, std::int64_t count) const;
    /// out[i] = factor `first` + i.
    void factors(float* out, std::int64_t first, std::int64_t count) const;

private:
    std::uint64_t key_ = 0;
    std::uint32_t threshold_ = 0;
    float kept_ = 1;
};

}  // namespace ltad
