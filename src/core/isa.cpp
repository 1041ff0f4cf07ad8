#include "ltad/core/isa.h"

#include <array>
#include <cstdlib>
#include <optional>
#include <string>

#include "ltad/core/error.h"

namespace ltad {
namespace {

constexpr std::array all = {Isa::plain, Isa::avx2, Isa::avx512};

Isa best() {
#if defined(__x86_64__) && defined(__GNUC__)
    __builtin_cpu_init();
    const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                          __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
    const bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                            __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                            __builtin_cpu_supports("avx512vl");
    return has_avx2 && has_avx512 ? Isa::avx512 : has_avx2 ? Isa::avx2 : Isa::plain;
#else
    return Isa::plain;
#endif
}

/// What LTAD_ISA says, where it is set.
const char* wish() {
    const char* const value = std::getenv("LTAD_ISA");
    return value == nullptr || *value == '\0' ? nullptr : value;
}

std::optional<Isa> isa_named(std::string_view name) {
    for (const Isa isa : all)
        if (name_of(isa) == name) return isa;
    return std::nullopt;
}

/// One that cannot be had is refused by check_isa, and not followed by what runs before that.
Isa chosen() {
    const auto wished = wish() == nullptr ? std::nullopt : isa_named(wish());
    return wished && *wished <= best() ? *wished : best();
}

}  // namespace

Isa isa() noexcept {
    static const Isa in_use = chosen();
    return in_use;
}

std::string_view name_of(Isa isa) {
    constexpr std::array<std::string_view, all.size()> names = {"plain", "avx2", "avx512"};
    return names[static_cast<std::size_t>(isa)];
}

void check_isa() {
    if (wish() == nullptr) return;
    const auto wished = isa_named(wish());
    if (!wished) throw UsageError(text("LTAD_ISA: '", wish(), "' is none of plain, avx2, avx512"));
    if (*wished > best())
        throw UsageError(
            text("LTAD_ISA: this processor has no ", wish(), ", at most ", name_of(best()), " can be asked for"));
}

}  // namespace ltad
