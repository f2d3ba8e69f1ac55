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

/// Reads an optional minus sign, digits and an optional point among them.
///
/// Returns the first byte after the number, or NULL where there is no plain number or it is too long for the
/// fast path. The text must end with a byte that is none of these.
static inline const uint8_t *_Nullable ckernels_read_decimal(const uint8_t *_Nonnull text, double *_Nonnull value) {
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
    while ((digit = (unsigned)*next - '0') < 10) {
      digits = digits * 10 + digit;
      next++;
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
