#include "CKernels.h"

#include <math.h>
#include <string.h>

#if defined(__clang__)
#pragma clang fp reassociate(on) contract(fast)
#endif

CKERNELS_CLONES
void ckernels_shifted_rows(long rows, long columns, const double *restrict x, const double *restrict shift,
                           const double *restrict y, double yShift, const double *restrict scale,
                           double *restrict out) {
  for (long i = 0; i < rows; i++) {
    double s = scale ? scale[i] : 1;
    for (long j = 0; j < columns; j++) out[j] = s * (x[j] - shift[j]);
    x += columns;
    out += columns;
    if (y) *out++ = s * (y[i] - yShift);
    *out++ = s;
  }
}

typedef double Doubles __attribute__((ext_vector_type(4)));

// Adds the products of 4 columns with 4 or 8 others over some rows to the sums. Eight accumulators are as many as
// compilers keep in sixteen registers beside what is read; with twelve they spill, which takes twice the time.
static inline __attribute__((always_inline)) void gramTile(long rows, long stride, const double *z, long i, long j,
                                                           int vectors, double *sums) {
  Doubles accumulated[4][2];
  for (int a = 0; a < 4; a++)
    for (int v = 0; v < vectors; v++) accumulated[a][v] = (Doubles)(0);
  for (long r = 0; r < rows; r++, z += stride) {
    Doubles right[2];
    for (int v = 0; v < vectors; v++) memcpy(&right[v], z + j + 4 * v, sizeof(Doubles));
    for (int a = 0; a < 4; a++)
      for (int v = 0; v < vectors; v++) accumulated[a][v] += z[i + a] * right[v];
  }
  for (int a = 0; a < 4; a++)
    for (int v = 0; v < vectors; v++) {
      double *place = sums + (i + a) * stride + j + 4 * v;
      Doubles sum;
      memcpy(&sum, place, sizeof sum);
      sum += accumulated[a][v];
      memcpy(place, &sum, sizeof sum);
    }
}

CKERNELS_CLONES
void ckernels_narrow_gram(long rows, long columns, long width, const double *restrict x,
                          const double *restrict shift, const double *restrict y, double yShift,
                          const double *restrict scale, double *restrict out, long outStride) {
  enum { widest = 64, chunk = 3072 };
  // Rows of a whole number of vectors, few enough for the first-level cache.
  double z[chunk], sums[widest * widest];
  long stride = (columns + 2 + 3) / 4 * 4, size = (width + 3) / 4 * 4;
  long height = chunk / stride;
  memset(sums, 0, size * stride * sizeof(double));
  for (long first = 0; first < rows; first += height) {
    long count = rows - first < height ? rows - first : height;
    for (long r = 0; r < count; r++, x += columns) {
      double *row = z + r * stride;
      double s = scale ? scale[first + r] : 1;
      for (long j = 0; j < columns; j++) row[j] = s * (x[j] - shift[j]);
      long j = columns;
      if (y) row[j++] = s * (y[first + r] - yShift);
      row[j++] = s;
      while (j < stride) row[j++] = 0;
    }
    for (long i = 0; i < size; i += 4) {
      long j = 0;
      for (; j + 4 <= i; j += 8) gramTile(count, stride, z, i, j, 2, sums);
      if (j <= i) gramTile(count, stride, z, i, j, 1, sums);
    }
  }
  for (long i = 0; i < width; i++) memcpy(out + i * outStride, sums + i * stride, (i + 1) * sizeof(double));
}

// e^x for x ≤ 0 (and down to 0 for very negative x), within 2 units in the last place: x = k·ln 2 + r, Taylor's
// series for e^r, k into the exponent. Branch-free, so that loops over it are vectorised.
static inline double exponential(double x) {
#if defined(__clang__)
// (a + b) − b must stay as it is written.
#pragma clang fp reassociate(off)
#endif
  const double shifter = 0x1.8p52;
  x = x < -708.0 ? -708.0 : x;
  double shifted = x * 0x1.71547652b82fep0 + shifter;
  double k = shifted - shifter;
  double r = x - k * 0x1.62e42fefa39efp-1;
  r -= k * 0x1.abc9e3b39803fp-56;
  double e = 1.0 / 479001600;
  e = e * r + 1.0 / 39916800;
  e = e * r + 1.0 / 3628800;
  e = e * r + 1.0 / 362880;
  e = e * r + 1.0 / 40320;
  e = e * r + 1.0 / 5040;
  e = e * r + 1.0 / 720;
  e = e * r + 1.0 / 120;
  e = e * r + 1.0 / 24;
  e = e * r + 1.0 / 6;
  e = e * r + 0.5;
  e = e * r + 1;
  e = e * r + 1;
  uint64_t bits;
  memcpy(&bits, &shifted, 8);
  bits = (bits + 1023) << 52;
  double power;
  memcpy(&power, &bits, 8);
  return e * power;
}

// log(1 + e) for e in [0, 1]: 2·artanh(e / (2 + e)) by its series, exact for small e too.
static inline double logOnePlus(double e) {
  double s = e / (2 + e);
  double t = s * s;
  double sum = 1.0 / 31;
  sum = sum * t + 1.0 / 29;
  sum = sum * t + 1.0 / 27;
  sum = sum * t + 1.0 / 25;
  sum = sum * t + 1.0 / 23;
  sum = sum * t + 1.0 / 21;
  sum = sum * t + 1.0 / 19;
  sum = sum * t + 1.0 / 17;
  sum = sum * t + 1.0 / 15;
  sum = sum * t + 1.0 / 13;
  sum = sum * t + 1.0 / 11;
  sum = sum * t + 1.0 / 9;
  sum = sum * t + 1.0 / 7;
  sum = sum * t + 1.0 / 5;
  sum = sum * t + 1.0 / 3;
  sum = sum * t + 1;
  return 2 * s * sum;
}

static inline double larger(double a, double b) { return a > b ? a : b; }

// Adds the offsets and subtracts each row's largest score, so that no exponential overflows.
static inline void shiftScores(long rows, long classes, double *restrict scores, long stride,
                               const double *restrict offset) {
  for (long i = 0; i < rows; i++) {
    double *row = scores + i * stride;
    // Four chains of comparisons, because each waits for the one before it.
    double a = -INFINITY, b = a, c = a, d = a;
    long j = 0;
    for (long e = 0; e < classes; e++) row[e] += offset[e];
    for (; j + 4 <= classes; j += 4) {
      a = larger(row[j], a);
      b = larger(row[j + 1], b);
      c = larger(row[j + 2], c);
      d = larger(row[j + 3], d);
    }
    for (; j < classes; j++) a = larger(row[j], a);
    double largest = larger(larger(a, b), larger(c, d));
    for (long e = 0; e < classes; e++) row[e] -= largest;
  }
}

CKERNELS_CLONES
double ckernels_softmax_residuals(long rows, long classes, double *restrict scores, long stride,
                                  const double *restrict offset, const int32_t *restrict labels,
                                  const double *restrict weights, double *restrict columnSums) {
  double loss = 0;
  shiftScores(rows, classes, scores, stride, offset);
  for (long i = 0; i < rows; i++) loss -= (weights ? weights[i] : 1) * scores[i * stride + labels[i]];
  // Over the gaps too: one long loop is faster than a short one a row.
  for (long e = 0; e < rows * stride; e++) scores[e] = exponential(scores[e]);
  for (long i = 0; i < rows; i++) {
    double *row = scores + i * stride;
    double weight = weights ? weights[i] : 1;
    double sum = 0;
    for (long c = 0; c < classes; c++) sum += row[c];
    loss += weight * log(sum);
    double factor = weight / sum;
    for (long c = 0; c < classes; c++) row[c] *= factor;
    row[labels[i]] -= weight;
    for (long c = 0; c < classes; c++) columnSums[c] += row[c];
  }
  return loss;
}

// One loop with weights and one without: a choice inside the loop would keep it from being vectorised.
static inline __attribute__((always_inline)) double logisticResiduals(
    long rows, double *restrict scores, double offset, const int32_t *restrict labels,
    const double *restrict weights, int weighted, double *restrict sum) {
  double loss = 0, total = 0;
  for (long i = 0; i < rows; i++) {
    double z = scores[i] + offset;
    double y = labels[i];
    double weight = weighted ? weights[i] : 1;
    double small = exponential(-fabs(z));
    double inverse = 1 / (1 + small);
    double probability = z < 0 ? small * inverse : inverse;
    // −log p(y): what the sign of z takes from the likelihood, and the part that both signs share.
    double linear = (z > 0 ? z : 0) - y * z;
    loss += weight * (logOnePlus(small) + linear);
    double residual = weight * (probability - y);
    scores[i] = residual;
    total += residual;
  }
  *sum += total;
  return loss;
}

CKERNELS_CLONES
double ckernels_logistic_residuals(long rows, double *restrict scores, double offset,
                                   const int32_t *restrict labels, const double *restrict weights,
                                   double *restrict sum) {
  return weights ? logisticResiduals(rows, scores, offset, labels, weights, 1, sum)
                 : logisticResiduals(rows, scores, offset, labels, weights, 0, sum);
}

CKERNELS_CLONES
void ckernels_softmax(long rows, long classes, double *restrict scores, const double *restrict offset) {
  shiftScores(rows, classes, scores, classes, offset);
  for (long e = 0; e < rows * classes; e++) scores[e] = exponential(scores[e]);
  for (long i = 0; i < rows; i++) {
    double *row = scores + i * classes;
    double sum = 0;
    for (long c = 0; c < classes; c++) sum += row[c];
    double factor = 1 / sum;
    for (long c = 0; c < classes; c++) row[c] *= factor;
  }
}

CKERNELS_CLONES
void ckernels_sigmoid(long rows, double *restrict scores, double offset) {
  for (long i = 0; i < rows; i++) {
    double z = scores[i] + offset;
    double small = exponential(-fabs(z));
    double inverse = 1 / (1 + small);
    scores[i] = z < 0 ? small * inverse : inverse;
  }
}

CKERNELS_CLONES
int ckernels_all_finite(const double *x, long count) {
  // An exponent of all ones marks what is not a finite number; as integers such bits are the largest.
  const int64_t mask = 0x7FF0000000000000;
  int64_t found = 0;
  for (long i = 0; i < count; i++) {
    int64_t bits;
    memcpy(&bits, x + i, sizeof bits);
    found |= (bits & mask) == mask;
  }
  return found == 0;
}
