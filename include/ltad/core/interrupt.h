#pragma once

namespace ltad {

/// From now on the first Ctrl-C (SIGINT) or SIGTERM only asks the work to stop at the next step; a second one ends the
/// process at once.
void catch_interrupts();

/// Whether somebody asked. Long loops look at it between steps, save, and throw Interrupted.
[[nodiscard]] bool interrupt_requested();

}  // namespace ltad
