// The shortest decimal digits of a double, from the C++ standard library (std::to_chars, C++17): the same
// digits as Python's repr and Swift's description, at a fraction of their cost.
#include <charconv>
#include <cstdlib>
#include <cstring>

extern "C" {
#include "cplatform.h"
}

extern "C" int cplatform_shortest_digits(double value, char digits[20], int *exponent) {
    char text[64];
    auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific).ptr;
    *end = 0;
    int count = 0;
    const char *p = text;
    if (*p == '-') ++p;
    for (; *p && *p != 'e'; ++p)
        if (*p != '.') digits[count++] = *p;
    *exponent = (*p == 'e' ? std::atoi(p + 1) : 0) + 1;
    while (count > 1 && digits[count - 1] == '0') --count;
    return count;
}
