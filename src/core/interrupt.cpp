#include "ltad/core/interrupt.h"

#include <csignal>

#include "ltad/core/error.h"

namespace ltad {
namespace {

volatile std::sig_atomic_t requested = 0;

}  // namespace

void catch_interrupts() {
    struct sigaction action {};
    action.sa_handler = [](int) { requested = 1; };
    // The second signal finds the default action again; no SA_RESTART, so that waits end.
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
    // A terminal that closes asks, too; but not whom nohup has told to stay.
    struct sigaction before {};
    if (sigaction(SIGHUP, nullptr, &before) == 0 && before.sa_handler != SIG_IGN) sigaction(SIGHUP, &action, nullptr);
    // A reader that has gone away, or a file over its allowed size, is a failed write with a message, no silent end.
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);
}

bool interrupt_requested() { return requested != 0; }

void stop_if_interrupted(const char* words) {
    if (interrupt_requested()) throw Interrupted(words);
}

}  // namespace ltad
