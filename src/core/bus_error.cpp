#include "ltad/core/bus_error.h"

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <mutex>

#include <unistd.h>

#include "ltad/core/visible.h"

namespace ltad {
namespace {

constexpr std::size_t longest_path = 512;

/// A mapping. Never freed, since a signal handler walks over them, but used again: `begin` is null while it is free.
struct Mapping {
    std::atomic<const char*> begin{nullptr};
    std::atomic<std::size_t> size{0};
    char path[longest_path] = {};  ///< as it is shown
    Mapping* next = nullptr;
};

std::atomic<Mapping*> mappings{nullptr};
std::mutex guard;  // of those who change them

const Mapping* mapping_of(const char* address) {
    for (const Mapping* m = mappings.load(); m != nullptr; m = m->next) {
        const char* const begin = m->begin.load();
        if (begin != nullptr && address >= begin && address < begin + m->size.load()) return m;
    }
    return nullptr;
}

void say(const char* words) {
    // Nothing else can be done where it fails.
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, words, std::strlen(words));
}

/// Calls only what POSIX allows in a handler.
void end_with_words(int signal, siginfo_t* info, void*) {
    const bool by_a_page = info->si_code > 0;  // and not by kill(2)
    const Mapping* const mapping = by_a_page ? mapping_of(static_cast<const char*>(info->si_addr)) : nullptr;
    if (mapping == nullptr) {  // ends the process as it would have without us
        std::signal(signal, SIG_DFL);
        std::raise(signal);
        return;
    }
    say("error: ");
    say(mapping->path);
    say(": a part of it cannot be read any more: another program has shortened it, or its disk fails; call again\n");
    ::_exit(1);
}

}  // namespace

void name_unreadable_mappings() {
    struct sigaction action {};
    action.sa_sigaction = end_with_words;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGBUS, &action, nullptr);
}

void remember_mapping(const void* begin, std::size_t size, const std::string& path) {
    const std::lock_guard lock(guard);
    Mapping* place = mappings.load();
    while (place != nullptr && place->begin.load() != nullptr) place = place->next;
    const bool is_new = place == nullptr;
    if (is_new) place = new Mapping;
    std::snprintf(place->path, longest_path, "%s", visible(path).c_str());
    place->size = size;
    place->begin = static_cast<const char*>(begin);
    if (!is_new) return;
    place->next = mappings.load();
    mappings = place;
}

void forget_mapping(const void* begin) {
    const std::lock_guard lock(guard);
    for (Mapping* m = mappings.load(); m != nullptr; m = m->next)
        if (m->begin.load() == begin) m->begin = nullptr;
}

}  // namespace ltad
