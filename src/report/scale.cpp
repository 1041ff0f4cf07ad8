#include "scale.h"

#include <algorithm>
#include <cmath>

#include "markup.h"

namespace ltad {
namespace {

/// 1, 2, 2.5 or 5 times a power of ten, the smallest that divides `length` into at most `count` parts.
double nice_step(double length, int count) {
    const double rough = length / std::max(count, 1);
    const double power = std::pow(10, std::floor(std::log10(rough)));
    for (const double factor : {1.0, 2.0, 2.5, 5.0})
        if (factor * power >= rough * (1 - 1e-9)) return factor * power;
    return 10 * power;
}

}  // namespace

std::vector<double> nice_ticks(double low, double high, int count) {
    if (!(low < high) || !std::isfinite(high - low)) return {};
    const double step = nice_step(high - low, count);
    const double last = std::floor(high / step + 1e-6);
    std::vector<double> ticks;
    // `+ 0.0` turns −0 into 0.
    for (double i = std::ceil(low / step - 1e-6); i <= last; ++i) ticks.push_back(i * step + 0.0);
    return ticks;
}

double Scale::operator()(double value) const {
    const auto position = [this](double v) { return log ? std::log(v) : v; };
    const double share = (position(value) - position(range.low)) / (position(range.high) - position(range.low));
    return from + share * (to - from);
}

ChartRange range_of(std::span<const double> values, bool log) {
    ChartRange range{INFINITY, -INFINITY};
    for (const double value : values) {
        if (!std::isfinite(value)) continue;
        range.low = std::min(range.low, value);
        range.high = std::max(range.high, value);
    }
    if (range.low > range.high) return {0, 1};
    if (range.low < range.high) return range;
    if (log) return {range.low / 2, range.high * 2};
    const double around = range.low == 0 ? 1 : std::abs(range.low) / 10;
    return {range.low - around, range.high + around};
}

ChartRange widened(const ChartRange& range, int count) {
    const double step = nice_step(range.high - range.low, count);
    return {std::floor(range.low / step + 1e-6) * step, std::ceil(range.high / step - 1e-6) * step};
}

std::vector<double> ticks_of(const ChartRange& range, bool log, int count) {
    if (!log) return nice_ticks(range.low, range.high, count);
    const double decades = std::log10(range.high / range.low);
    const double every = std::max(1.0, std::ceil(decades / count));
    std::vector<double> ticks;
    for (double power = std::floor(std::log10(range.low)); power <= std::log10(range.high); power += every)
        for (const double factor : {1.0, 2.0, 5.0}) {
            const double tick = factor * std::pow(10, power);
            if (factor > 1 && decades * 3 > count) continue;
            if (tick >= range.low * (1 - 1e-9) && tick <= range.high * (1 + 1e-9)) ticks.push_back(tick);
        }
    return ticks;
}

std::vector<std::string> tick_labels(const std::vector<double>& ticks) {
    std::vector<std::string> labels;
    const bool even = ticks.size() < 3 ||
                      std::abs((ticks[2] - ticks[1]) - (ticks[1] - ticks[0])) < 1e-6 * std::abs(ticks[1] - ticks[0]);
    const double step = ticks.size() < 2 ? 1 : ticks[1] - ticks[0];
    const double largest = ticks.empty() ? 0 : std::max(std::abs(ticks.front()), std::abs(ticks.back()));
    int decimals = 0;
    while (decimals < 6 && std::abs(step * std::pow(10, decimals) - std::round(step * std::pow(10, decimals))) > 1e-6)
        ++decimals;
    const bool plain = even && ticks.size() > 1 && decimals < 6 && largest < 1e6;
    for (const double tick : ticks) labels.push_back(plain ? fixed(tick, decimals) : brief(tick));
    return labels;
}

}  // namespace ltad
