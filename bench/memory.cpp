#include "memory.h"

#include <fstream>
#include <string>

namespace ltad::bench {
namespace {

double status(const std::string& key) {
    std::ifstream file("/proc/self/status");
    std::string name;
    while (file >> name) {
        double kib = 0;
        if (name == key + ":" && file >> kib) return kib / 1024;
        std::getline(file, name);
    }
    return 0;
}

}  // namespace

double anonymous_memory() { return status("RssAnon"); }

double peak_memory() { return status("VmHWM"); }

// See proc(5): 5 sets the peak back to what is resident now.
void forget_peak_memory() { std::ofstream("/proc/self/clear_refs") << 5; }

}  // namespace ltad::bench
