#pragma once

namespace ltad::bench {

// Of this process, from /proc/self/status, in MiB; 0 where there is none.

/// Anonymous pages now: what the program itself holds. Mapped files are not among them, which the system may drop.
[[nodiscard]] double anonymous_memory();

/// Highest resident memory since the start or since forget_peak_memory; mapped files included.
[[nodiscard]] double peak_memory();
void forget_peak_memory();

}  // namespace ltad::bench
