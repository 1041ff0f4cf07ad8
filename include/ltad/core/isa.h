#pragma once

#include <string_view>

namespace ltad {

/// Sets of vector instructions that loops and products of ours are compiled for, each with those before it: plain is
/// what every x86-64 processor has (and all that other processors get), avx2 AVX2 with FMA, avx512 AVX-512 with its F,
/// BW, CD, DQ and VL parts.
enum class Isa { plain, avx2, avx512 };

/// The set in use: the processor's largest, or what the environment's LTAD_ISA asks for, by which a machine tests what
/// others run. LTAD_ISA rules what is ours and LibTorch's block kernel; LibTorch's operators listen to
/// ATEN_CPU_CAPABILITY, oneDNN to ONEDNN_MAX_CPU_ISA, MKL to MKL_ENABLE_INSTRUCTIONS.
[[nodiscard]] Isa isa() noexcept;

/// "plain", "avx2" or "avx512".
[[nodiscard]] std::string_view name_of(Isa isa);

/// Throws UsageError when LTAD_ISA is none of the three names, or asks for more than the processor has.
void check_isa();

}  // namespace ltad
