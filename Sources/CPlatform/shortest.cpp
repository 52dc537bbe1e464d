// Doubles from and to decimal digits by the C++ standard library (<charconv>, C++17): the shortest digits are those of
// Python's repr and Swift's description, and both ways cost a fraction of theirs.
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

extern "C" int cplatform_parse_double(const char *text, size_t count, double *value) {
#ifdef __cpp_lib_to_chars
    auto result = std::from_chars(text, text + count, *value);
    return result.ec == std::errc() && result.ptr == text + count;
#else
    return 0;
#endif
}
