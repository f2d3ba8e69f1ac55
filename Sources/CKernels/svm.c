#include "svm.h"

#include <math.h>
#include <string.h>

#include "CKernels.h"

typedef float Floats __attribute__((ext_vector_type(8)));
typedef int32_t Ints __attribute__((ext_vector_type(8)));
typedef double Doubles __attribute__((ext_vector_type(8)));
typedef int64_t Longs __attribute__((ext_vector_type(8)));
#define LANES 8
#define INLINE static inline __attribute__((always_inline))

INLINE void load(Floats *to, const float *from) { memcpy(to, from, sizeof(Floats)); }

// e to the power of each lane, to two units in the last place; 0 below the normal range. Cephes' polynomial on
// [-ln 2 / 2, ln 2 / 2] after a split of ln 2 in two parts.
INLINE void exponential(Floats *value) {
  Floats x = *value;
  Ints vanishes = x < -87.0f;
  x = x < -87.0f ? (Floats)(-87.0f) : x;
  x = x > 88.0f ? (Floats)(88.0f) : x;
  // Adding and subtracting 1.5 * 2^23 rounds to a whole number.
  Floats turns = x * 1.44269504088896341f + 12582912.0f;
  Ints power = (Ints)turns - 0x4B400000;
  turns -= 12582912.0f;
  x -= turns * 0.693359375f;
  x -= turns * -2.12194440e-4f;
  Floats series = (Floats)(1.9875691500e-4f);
  series = series * x + 1.3981999507e-3f;
  series = series * x + 8.3334519073e-3f;
  series = series * x + 4.1665795894e-2f;
  series = series * x + 1.6666665459e-1f;
  series = series * x + 5.0000001201e-1f;
  series = series * (x * x) + x + 1.0f;
  series *= (Floats)((power + 127) << 23);
  *value = vanishes ? (Floats)(0) : series;
}

// The kernel value that belongs to each product.
INLINE void finish(Floats *product, int32_t kind, float factor, float constant, int32_t degree) {
  if (kind == SVMLinear) return;
  if (kind == SVMRadial) {
    *product = -(*product * factor);
    exponential(product);
    return;
  }
  Floats base = *product * factor + constant;
  if (kind == SVMPolynomial) {
    *product = (Floats)(1);
    for (int32_t power = 0; power < degree; power++) *product *= base;
  } else {
    for (int lane = 0; lane < LANES; lane++) (*product)[lane] = tanhf(base[lane]);
  }
}

// Products of so many points with so many vectors of a block; their sums are in registers.
INLINE void multiply(int points, int vectors, const float *t, ptrdiff_t dims, const float *x, int isRadial,
                     Floats sums[points][vectors]) {
  for (int i = 0; i < points; i++)
    for (int v = 0; v < vectors; v++) sums[i][v] = (Floats)(0);
  // Differences, not ‖x‖² + ‖t‖² − 2x·t, which would cancel for near points.
  for (ptrdiff_t d = 0; d < dims; d++) {
    Floats other[vectors];
    for (int v = 0; v < vectors; v++) load(&other[v], t + d * SVMLanes + v * LANES);
    for (int i = 0; i < points; i++)
      for (int v = 0; v < vectors; v++) {
        if (isRadial) {
          Floats difference = other[v] - x[i * dims + d];
          sums[i][v] += difference * difference;
        } else {
          sums[i][v] += other[v] * x[i * dims + d];
        }
      }
  }
}

CKERNELS_CLONES
void ckernels_svm_row(const float *table, ptrdiff_t dims, ptrdiff_t blocks, const float *x, int32_t kind,
                      float factor, float constant, int32_t degree, float *row) {
  for (ptrdiff_t block = 0; block < blocks; block++) {
    Floats sums[1][4];
    if (kind == SVMRadial)
      multiply(1, 4, table + block * dims * SVMLanes, dims, x, 1, sums);
    else
      multiply(1, 4, table + block * dims * SVMLanes, dims, x, 0, sums);
    for (int v = 0; v < 4; v++) finish(&sums[0][v], kind, factor, constant, degree);
    memcpy(row + block * SVMLanes, sums, sizeof(sums));
  }
}

INLINE void products(const float *table, ptrdiff_t dims, ptrdiff_t blocks, const float *x, ptrdiff_t count,
                     int isRadial, float *out, ptrdiff_t stride) {
  for (ptrdiff_t block = 0; block < blocks; block++) {
    const float *t = table + block * dims * SVMLanes;
    float *to = out + block * SVMLanes;
    ptrdiff_t i = 0;
    for (; i + 4 <= count; i += 4)
      for (int half = 0; half < 2; half++) {
        Floats sums[4][2];
        multiply(4, 2, t + 2 * half * LANES, dims, x + i * dims, isRadial, sums);
        for (int j = 0; j < 4; j++) memcpy(to + (i + j) * stride + 2 * half * LANES, sums[j], sizeof(sums[j]));
      }
    for (; i < count; i++) {
      Floats sums[1][4];
      multiply(1, 4, t, dims, x + i * dims, isRadial, sums);
      memcpy(to + i * stride, sums, sizeof(sums));
    }
  }
}

CKERNELS_CLONES
void ckernels_svm_products(const float *table, ptrdiff_t dims, ptrdiff_t blocks, const float *x, ptrdiff_t count,
                           int32_t isRadial, float *out, ptrdiff_t stride) {
  if (isRadial)
    products(table, dims, blocks, x, count, 1, out, stride);
  else
    products(table, dims, blocks, x, count, 0, out, stride);
}

CKERNELS_CLONES
void ckernels_svm_values(const float *products, ptrdiff_t count, int32_t kind, float factor, float constant,
                         int32_t degree, float *values) {
  ptrdiff_t t = 0;
  for (; t + LANES <= count; t += LANES) {
    Floats value;
    load(&value, products + t);
    finish(&value, kind, factor, constant, degree);
    memcpy(values + t, &value, sizeof(value));
  }
  if (t < count) {
    Floats value = (Floats)(0);
    memcpy(&value, products + t, (count - t) * sizeof(float));
    finish(&value, kind, factor, constant, degree);
    memcpy(values + t, &value, (count - t) * sizeof(float));
  }
}

CKERNELS_CLONES
SVMExtremes ckernels_svm_update(double *values, const float *up, const float *down, const float *rowI,
                                const float *rowJ, double step, ptrdiff_t count) {
  Doubles high = (Doubles)(-INFINITY), low = (Doubles)(INFINITY);
  Longs which = (Longs)(-1), number = {0, 1, 2, 3, 4, 5, 6, 7};
  ptrdiff_t t = 0;
  for (; t + LANES <= count; t += LANES, number += LANES) {
    Doubles f;
    Floats i, j, u, d;
    memcpy(&f, values + t, sizeof(f));
    load(&i, rowI + t);
    load(&j, rowJ + t);
    load(&u, up + t);
    load(&d, down + t);
    f -= __builtin_convertvector(i - j, Doubles) * step;
    memcpy(values + t, &f, sizeof(f));
    Doubles raised = f + __builtin_convertvector(u, Doubles);
    Doubles lowered = f + __builtin_convertvector(d, Doubles);
    which = raised > high ? number : which;
    high = raised > high ? raised : high;
    low = lowered < low ? lowered : low;
  }
  SVMExtremes result = {-1, -INFINITY, INFINITY};
  for (int lane = 0; lane < LANES; lane++) {
    if (high[lane] > result.highestValue ||
        (high[lane] == result.highestValue && which[lane] >= 0 && which[lane] < result.highest)) {
      result.highestValue = high[lane];
      result.highest = which[lane];
    }
    if (low[lane] < result.lowestValue) result.lowestValue = low[lane];
  }
  for (; t < count; t++) {
    values[t] -= (double)(rowI[t] - rowJ[t]) * step;
    if (values[t] + up[t] > result.highestValue) {
      result.highestValue = values[t] + up[t];
      result.highest = t;
    }
    if (values[t] + down[t] < result.lowestValue) result.lowestValue = values[t] + down[t];
  }
  return result;
}

CKERNELS_CLONES
int64_t ckernels_svm_partner(const double *values, const float *down, const float *rowI,
                             const float *diagonal, float diagonalI, double highest, ptrdiff_t count,
                             float *gain) {
  Floats most = (Floats)(0);
  Ints which = (Ints)(-1), number = {0, 1, 2, 3, 4, 5, 6, 7};
  ptrdiff_t t = 0;
  for (; t + LANES <= count; t += LANES, number += LANES) {
    Doubles f;
    Floats k, g, d;
    memcpy(&f, values + t, sizeof(f));
    load(&k, rowI + t);
    load(&g, diagonal + t);
    load(&d, down + t);
    Floats violation = __builtin_convertvector(highest - f, Floats) - d;
    violation = violation > 0 ? violation : (Floats)(0);
    Floats curvature = diagonalI + g - 2 * k;
    curvature = curvature > 1e-12f ? curvature : (Floats)(1e-12f);
    Floats promise = violation * violation / curvature;
    which = promise > most ? number : which;
    most = promise > most ? promise : most;
  }
  float best = 0;
  int64_t chosen = -1;
  for (int lane = 0; lane < LANES; lane++)
    if (most[lane] > best || (most[lane] == best && best > 0 && which[lane] < chosen)) {
      best = most[lane];
      chosen = which[lane];
    }
  for (; t < count; t++) {
    float violation = (float)(highest - values[t]) - down[t];
    if (!(violation > 0)) continue;
    float curvature = diagonalI + diagonal[t] - 2 * rowI[t];
    if (!(curvature > 1e-12f)) curvature = 1e-12f;
    float promise = violation * violation / curvature;
    if (promise > best) {
      best = promise;
      chosen = t;
    }
  }
  *gain = best;
  return chosen;
}

CKERNELS_CLONES
double ckernels_svm_dot(const float *row, const double *coefficients, ptrdiff_t count) {
  Doubles sums = (Doubles)(0);
  ptrdiff_t t = 0;
  for (; t + LANES <= count; t += LANES) {
    Floats k;
    Doubles c;
    load(&k, row + t);
    memcpy(&c, coefficients + t, sizeof(c));
    sums += __builtin_convertvector(k, Doubles) * c;
  }
  double total = ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
  for (; t < count; t++) total += row[t] * coefficients[t];
  return total;
}
