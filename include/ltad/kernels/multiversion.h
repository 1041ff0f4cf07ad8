#pragma once

#include "ltad/core/isa.h"
#include "ltad/kernels/simd.h"

// LTAD_MULTIVERSION(result, name, (parameters)) { … } defines a callable `name` whose loops, plain C++ that the
// compiler turns into vector code, are compiled for every instruction set of core/isa.h; a call runs those for isa().
// The compiler's own target_clones would choose by the processor alone, and leave no way to test what others run.
#define LTAD_MULTIVERSION(result, name, parameters) \
    LTAD_INLINE result name##_loops parameters;     \
    constexpr Multiversion<&name##_loops> name{};   \
    LTAD_INLINE result name##_loops parameters

namespace ltad {

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)

/// Of isa(), for less than a call.
inline const Isa isa_of_loops = isa();

template <auto loops, typename Signature = decltype(loops)>
class Multiversion;

template <auto loops, typename Result, typename... Parameters>
class Multiversion<loops, Result (*)(Parameters...)> {
public:
    Result operator()(Parameters... parameters) const {
        switch (isa_of_loops) {
            case Isa::avx512:
                return for_avx512(parameters...);
            case Isa::avx2:
                return for_avx2(parameters...);
            default:
                return for_any(parameters...);
        }
    }

private:
    // `loops` is inlined into each, and so compiled with its instructions.
    __attribute__((noinline, target("arch=x86-64-v4"))) static Result for_avx512(Parameters... parameters) {
        return loops(parameters...);
    }
    __attribute__((noinline, target("arch=x86-64-v3"))) static Result for_avx2(Parameters... parameters) {
        return loops(parameters...);
    }
    __attribute__((noinline)) static Result for_any(Parameters... parameters) { return loops(parameters...); }
};

#else

template <auto loops>
class Multiversion {
public:
    template <typename... Arguments>
    auto operator()(Arguments&&... arguments) const {
        return loops(static_cast<Arguments&&>(arguments)...);
    }
};

#endif

}  // namespace ltad
