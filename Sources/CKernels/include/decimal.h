// Reads plain decimal numbers: 31, -0.25, 6.02214076. Inlined into the loops that read tables, which spend most
// of their time here.
#ifndef APUS_CKERNELS_DECIMAL_H
#define APUS_CKERNELS_DECIMAL_H

#include <float.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// digits × 10^exponent, correctly rounded, for exponents that a double or an extended double takes in one
/// rounding; false where only a longer calculation can tell.
///
/// Clinger's fast path: below 2^53 and up to 10^22 both factors are exact doubles. Beyond, the x87 format holds
/// 64 bits and 10^27 exactly, so one operation rounds to 64 bits, and rounding that to 53 gives the right double
/// unless the 64 bits end halfway between two doubles.
static inline bool ckernels_scale_decimal(uint64_t digits, int exponent, double *_Nonnull value) {
  static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                  1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  if (digits <= (1ull << 53) && exponent >= -22 && exponent <= 22) {
    *value = exponent < 0 ? (double)digits / powers[-exponent] : (double)digits * powers[exponent];
    return true;
  }
#if LDBL_MANT_DIG == 64
  static const long double long_powers[] = {
    1e0L,  1e1L,  1e2L,  1e3L,  1e4L,  1e5L,  1e6L,  1e7L,  1e8L,  1e9L,  1e10L, 1e11L, 1e12L, 1e13L,
    1e14L, 1e15L, 1e16L, 1e17L, 1e18L, 1e19L, 1e20L, 1e21L, 1e22L, 1e23L, 1e24L, 1e25L, 1e26L, 1e27L};
  if (exponent >= -27 && exponent <= 27) {
    long double product =
      exponent < 0 ? (long double)digits / long_powers[-exponent] : (long double)digits * long_powers[exponent];
    uint64_t mantissa;
    __builtin_memcpy(&mantissa, &product, sizeof mantissa);
    if ((mantissa & 0x7ff) == 0x400) return false;
    *value = (double)product;
    return true;
  }
#endif
  return false;
}

/// Appends the digits at *text to a number, eight at a time, and moves *text past them.
///
/// Eight bytes are taken as one word: each digit less '0' in its byte. Bytes that are no digits are found at once,
/// the digits before them are moved to the top, and three multiplications add them up (Langdale and Lemire,
/// "Parsing gigabytes of JSON per second", 2019). Long fractions differ in length, so a loop over single digits
/// would be mispredicted once a cell; for whole parts and fractions of one digit the loop is the faster way.
static inline uint64_t ckernels_append_digits(const uint8_t *_Nonnull *_Nonnull text, uint64_t digits) {
  static const uint32_t powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
  while (true) {
    uint64_t word;
    __builtin_memcpy(&word, *text, sizeof word);
    word ^= 0x3030303030303030;
    uint64_t others = ((word + 0x7676767676767676) | word) & 0x8080808080808080;
    int count = others == 0 ? 8 : __builtin_ctzll(others) >> 3;
    int half = 4 * (8 - count);
    word = word << half << half;
    word = word * 10 + (word >> 8);
    word = ((word & 0x000000FF000000FF) * 0x000F424000000064 +
            ((word >> 16) & 0x000000FF000000FF) * 0x0000271000000001) >>
           32;
    digits = digits * powers[count] + word;
    *text += count;
    if (count < 8) return digits;
  }
}

/// Reads an optional minus sign, digits and an optional point among them.
///
/// Returns the first byte after the number, or NULL where there is no plain number or it is too long for the
/// fast path. After the last byte that is not part of a number, seven more must be readable.
__attribute__((always_inline)) static inline const uint8_t *_Nullable ckernels_read_decimal(const uint8_t *_Nonnull text, double *_Nonnull value) {
  const uint8_t *next = text;
  bool negative = *next == '-';
  if (negative) next++;
  const uint8_t *first = next;
  uint64_t digits = 0;
  unsigned digit;
  while ((digit = (unsigned)*next - '0') < 10) {
    digits = digits * 10 + digit;
    next++;
  }
  ptrdiff_t count = next - first;
  ptrdiff_t decimals = 0;
  if (*next == '.') {
    const uint8_t *point = next++;
    if ((digit = (unsigned)*next - '0') < 10) {
      digits = digits * 10 + digit;
      next++;
      if ((unsigned)*next - '0' < 10) digits = ckernels_append_digits(&next, digits);
    }
    decimals = next - point - 1;
    count += decimals;
  }
  // Nineteen digits always fit in 64 bits.
  if (count == 0 || count > 19) return NULL;
  double magnitude;
  if (decimals == 0) {
    magnitude = (double)digits;
  } else if (!ckernels_scale_decimal(digits, (int)-decimals, &magnitude)) {
    return NULL;
  }
  *value = negative ? -magnitude : magnitude;
  return next;
}

#endif
