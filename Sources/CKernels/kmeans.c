#include "kmeans.h"

#include <math.h>
#include <string.h>

#include "CKernels.h"
#include "wide_vectors.h"

#define KMEANS_WIDTH 8
#define KMEANS_NEAREST_TWO nearest_two
#define KMEANS_TARGET CKERNELS_CLONES static
#include "kmeans_tiles.h"

void ckernels_nearest_two(const float *points, ptrdiff_t dims, const int32_t *rows, ptrdiff_t count,
                          const float *centres, const float *offsets, ptrdiff_t groups, float *scratch,
                          int32_t *nearest, float *best, float *second) {
#ifdef CKERNELS_WIDE
  if (ckernels_has_wide_vectors()) {
    wide_nearest_two(points, dims, rows, count, centres, offsets, groups, scratch, nearest, best, second);
    return;
  }
#endif
  nearest_two(points, dims, rows, count, centres, offsets, groups, scratch, nearest, best, second);
}

CKERNELS_CLONES
double ckernels_kmeans_reach(const double *x, ptrdiff_t rows, ptrdiff_t dims, const double *shift) {
  // Eight maxima side by side where a row is that long: one alone would wait for itself.
  double reach = 0;
  for (ptrdiff_t i = 0; i < rows; i++, x += dims) {
    double most[8] = {0};
    ptrdiff_t d = 0;
    for (; d + 8 <= dims; d += 8)
      for (int lane = 0; lane < 8; lane++) {
        double size = fabs(x[d + lane] - shift[d + lane]);
        most[lane] = size > most[lane] ? size : most[lane];
      }
    for (; d < dims; d++) {
      double size = fabs(x[d] - shift[d]);
      most[0] = size > most[0] ? size : most[0];
    }
    for (int lane = 0; lane < 8; lane++) reach = most[lane] > reach ? most[lane] : reach;
  }
  return reach;
}

CKERNELS_CLONES
void ckernels_kmeans_scale(const double *restrict x, ptrdiff_t rows, ptrdiff_t dims,
                           const double *restrict shift, double scale, float *restrict points,
                           float *restrict squaredNorms) {
  for (ptrdiff_t i = 0; i < rows; i++) {
    double norms[4] = {0};
    ptrdiff_t d = 0;
    for (; d + 4 <= dims; d += 4)
      for (int lane = 0; lane < 4; lane++) {
        double value = (x[d + lane] - shift[d + lane]) * scale;
        norms[lane] += value * value;
        points[d + lane] = (float)value;
      }
    for (; d < dims; d++) {
      double value = (x[d] - shift[d]) * scale;
      norms[0] += value * value;
      points[d] = (float)value;
    }
    squaredNorms[i] = (float)((norms[0] + norms[1]) + (norms[2] + norms[3]));
    x += dims;
    points += dims;
  }
}

CKERNELS_CLONES
void ckernels_kmeans_move(const double *restrict row, ptrdiff_t dims, const double *restrict shift, double weight,
                          double *restrict gains, double *restrict losses) {
  if (losses) {
    for (ptrdiff_t d = 0; d < dims; d++) {
      double value = (row[d] - shift[d]) * weight;
      gains[d] += value;
      losses[d] -= value;
    }
  } else {
    for (ptrdiff_t d = 0; d < dims; d++) gains[d] += (row[d] - shift[d]) * weight;
  }
}

CKERNELS_CLONES
ptrdiff_t ckernels_kmeans_bounds(const int32_t *restrict rows, ptrdiff_t count, const int32_t *restrict nearest,
                                 const int32_t *restrict labels, const float *restrict squaredNorms,
                                 const float *restrict pointErrors, const float *restrict centreErrors,
                                 float *restrict best, float *restrict second, float *restrict upper,
                                 float *restrict lower, int32_t *restrict open) {
  // Bounds are widened by more than the rounding of the operations that make them.
  const float up = 1 + 1e-6f, down = 1 - 1e-6f;
  for (ptrdiff_t i = 0; i < count; i++) {
    float norm = squaredNorms[rows[i]], error = pointErrors[rows[i]];
    float above = norm + 2 * best[i] + 2 * centreErrors[nearest[i]] + error;
    float below = norm + 2 * second[i] - error;
    // Where these cannot be told apart, a negative bound says so.
    best[i] = sqrtf(above > 0 ? above : 0) * up;
    second[i] = above < below ? sqrtf(below > 0 ? below : 0) * down : -1;
  }
  ptrdiff_t found = 0;
  for (ptrdiff_t i = 0; i < count; i++) {
    int32_t row = rows[i];
    upper[row] = best[i];
    lower[row] = second[i];
    open[found] = (int32_t)i;
    found += (second[i] < 0) | (nearest[i] != labels[row]);
  }
  return found;
}

CKERNELS_CLONES
ptrdiff_t ckernels_kmeans_active(const float *points, ptrdiff_t dims, ptrdiff_t count, const int32_t *labels,
                                 float *upper, float *lower, const float *moves, const float *othersMove,
                                 const float *apart, const float *centres, const float *errors,
                                 const float *pointErrors, int32_t *rows) {
  // Every bound is widened by more than the rounding of the operation that made it.
  const float up = 1 + 1e-6f, down = 1 - 1e-6f;
  ptrdiff_t suspects = 0;
  for (ptrdiff_t i = 0; i < count; i++) {
    int32_t label = labels[i];
    float u = (upper[i] + moves[label]) * up;
    float l = lower[i] - othersMove[label];
    l = l > 0 ? l * down : 0;
    upper[i] = u;
    lower[i] = l;
    float limit = l > apart[label] ? l : apart[label];
    rows[suspects] = (int32_t)i;
    suspects += !(u < limit);
  }
  ptrdiff_t active = 0;
  for (ptrdiff_t s = 0; s < suspects; s++) {
    int32_t i = rows[s], label = labels[i];
    const float *x = points + i * dims, *c = centres + label * dims;
    Floats sums = (Floats)(0);
    ptrdiff_t d = 0;
    for (; d + KMEANS_WIDTH <= dims; d += KMEANS_WIDTH) {
      Floats a, b;
      load(&a, x + d);
      load(&b, c + d);
      a -= b;
      sums += a * a;
    }
    float square = ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
    for (; d < dims; d++) square += (x[d] - c[d]) * (x[d] - c[d]);
    float u = sqrtf(square + errors[label] + pointErrors[i]) * up;
    u = u < upper[i] ? u : upper[i];
    upper[i] = u;
    float limit = lower[i] > apart[label] ? lower[i] : apart[label];
    rows[active] = i;
    active += !(u < limit);
  }
  return active;
}

CKERNELS_CLONES
void ckernels_kmeans_candidates(const float *points, ptrdiff_t dims, ptrdiff_t count, const float *candidates,
                                ptrdiff_t candidateCount, const float *closest, const float *weights,
                                float *shrunk, ptrdiff_t stride, float *scratch, double *potentials) {
  Floats sums[32][2];
  memset(sums, 0, sizeof(sums));
  for (ptrdiff_t first = 0; first < count; first += LANES) {
    pack(points, dims, NULL, first, count, scratch);
    ptrdiff_t left = count - first < LANES ? count - first : LANES;
    Floats near[2], weight[2];
    memset(near, 0, sizeof(near));
    memset(weight, 0, sizeof(weight));
    memcpy(near, closest + first, left * sizeof(float));
    if (weights) {
      memcpy(weight, weights + first, left * sizeof(float));
    } else {
      float *ones = (float *)weight;
      for (ptrdiff_t lane = 0; lane < left; lane++) ones[lane] = 1;
    }
    for (ptrdiff_t k = 0; k < candidateCount; k++) {
      const float *c = candidates + k * dims;
      Floats square[2] = {(Floats)(0), (Floats)(0)};
      for (ptrdiff_t d = 0; d < dims; d++) {
        Floats x0, x1;
        load(&x0, scratch + d * LANES);
        load(&x1, scratch + d * LANES + KMEANS_WIDTH);
        x0 -= c[d];
        x1 -= c[d];
        square[0] += x0 * x0;
        square[1] += x1 * x1;
      }
      for (int h = 0; h < 2; h++) {
        square[h] = square[h] < near[h] ? square[h] : near[h];
        sums[k][h] += square[h] * weight[h];
      }
      memcpy(shrunk + k * stride + first, square, left * sizeof(float));
    }
  }
  for (ptrdiff_t k = 0; k < candidateCount; k++) {
    double total = 0;
    for (int lane = 0; lane < KMEANS_WIDTH; lane++) total += (double)sums[k][0][lane] + (double)sums[k][1][lane];
    potentials[k] = total;
  }
}
