#pragma once

namespace ltad {

/// From now on the first Ctrl-C (SIGINT), SIGTERM or SIGHUP (a terminal that closes) only asks the work to stop at the
/// next step; a second one ends the process at once. A SIGHUP that is ignored already, as under nohup, stays so.
void catch_interrupts();

/// Whether somebody asked. Long loops look at it between steps, save, and throw Interrupted.
[[nodiscard]] bool interrupt_requested();

/// Throws Interrupted with these words where somebody asked: for long loops that have nothing to save.
void stop_if_interrupted(const char* words);

}  // namespace ltad
