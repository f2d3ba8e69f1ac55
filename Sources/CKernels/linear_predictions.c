#include "CKernels.h"

#include <string.h>

#if defined(__clang__)
// The sums of a row are in one order, whichever rows stand beside it.
#pragma clang fp reassociate(off) contract(fast)
#endif

typedef double Doubles __attribute__((ext_vector_type(4)));

#define LOAD(place) \
  ({ \
    Doubles loaded; \
    memcpy(&loaded, (place), sizeof loaded); \
    loaded; \
  })

CKERNELS_CLONES
int ckernels_linear_predictions(long rows, long columns, const double *restrict x, const double *restrict w,
                                double b, double *restrict out) {
  Doubles check = (Doubles)(0);
  long i = 0;
  // Four rows at a time, whose sums across a vector are then made together.
  for (; i + 4 <= rows; i += 4, x += 4 * columns) {
    Doubles sums[4];
    for (int r = 0; r < 4; r++) sums[r] = (Doubles)(0);
    long j = 0;
    for (; j + 4 <= columns; j += 4) {
      Doubles right = LOAD(w + j);
      for (int r = 0; r < 4; r++) sums[r] += LOAD(x + r * columns + j) * right;
    }
    Doubles first = __builtin_shufflevector(sums[0], sums[1], 0, 4, 2, 6) +
                    __builtin_shufflevector(sums[0], sums[1], 1, 5, 3, 7);
    Doubles second = __builtin_shufflevector(sums[2], sums[3], 0, 4, 2, 6) +
                     __builtin_shufflevector(sums[2], sums[3], 1, 5, 3, 7);
    Doubles total = __builtin_shufflevector(first, second, 0, 1, 4, 5) +
                    __builtin_shufflevector(first, second, 2, 3, 6, 7);
    for (; j < columns; j++) {
      Doubles column = {x[j], x[columns + j], x[2 * columns + j], x[3 * columns + j]};
      total += column * w[j];
    }
    total += b;
    memcpy(out + i, &total, sizeof total);
    check += 0 * total;
  }
  for (; i < rows; i++, x += columns) {
    Doubles sums = (Doubles)(0);
    long j = 0;
    for (; j + 4 <= columns; j += 4) sums += LOAD(x + j) * LOAD(w + j);
    double total = (sums.x + sums.y) + (sums.z + sums.w);
    for (; j < columns; j++) total += x[j] * w[j];
    total += b;
    out[i] = total;
    check += 0 * total;
  }
  return (check.x + check.y) + (check.z + check.w) == 0;
}
