// The search for the nearest centres, for vectors of KMEANS_WIDTH floats: included once for each width.
//
// Scores are sums in the order of the dimensions at every width, so that the bits are the same.
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "CKernels.h"

typedef float Eight __attribute__((ext_vector_type(8)));
typedef float Floats __attribute__((ext_vector_type(KMEANS_WIDTH)));
typedef int32_t Ints __attribute__((ext_vector_type(KMEANS_WIDTH)));
// The points that are handled side by side: two vectors.
#define LANES (2 * KMEANS_WIDTH)
#define INLINE static inline __attribute__((always_inline))

INLINE void load(Floats *to, const float *from) { memcpy(to, from, sizeof(Floats)); }

// Turns eight rows of eight floats into eight columns, `stride` floats apart.
INLINE void transpose(const float *const *rows, float *columns, ptrdiff_t stride) {
  Eight r[8], t[8], u[8];
  for (int i = 0; i < 8; i++) memcpy(&r[i], rows[i], sizeof(Eight));
  for (int i = 0; i < 8; i += 2) {
    t[i] = __builtin_shufflevector(r[i], r[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
    t[i + 1] = __builtin_shufflevector(r[i], r[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
  }
  for (int i = 0; i < 8; i += 4) {
    u[i] = __builtin_shufflevector(t[i], t[i + 2], 0, 1, 8, 9, 4, 5, 12, 13);
    u[i + 1] = __builtin_shufflevector(t[i], t[i + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    u[i + 2] = __builtin_shufflevector(t[i + 1], t[i + 3], 0, 1, 8, 9, 4, 5, 12, 13);
    u[i + 3] = __builtin_shufflevector(t[i + 1], t[i + 3], 2, 3, 10, 11, 6, 7, 14, 15);
  }
  for (int i = 0; i < 4; i++) {
    Eight low = __builtin_shufflevector(u[i], u[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    Eight high = __builtin_shufflevector(u[i], u[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    memcpy(columns + i * stride, &low, sizeof(Eight));
    memcpy(columns + (i + 4) * stride, &high, sizeof(Eight));
  }
}

// Lays out LANES points dimension by dimension; past the last point, it is repeated.
INLINE void pack(const float *points, ptrdiff_t dims, const int32_t *rows, ptrdiff_t first, ptrdiff_t count,
                 float *packed) {
  const float *starts[LANES];
  for (ptrdiff_t lane = 0; lane < LANES; lane++) {
    ptrdiff_t index = first + lane < count ? first + lane : count - 1;
    starts[lane] = points + (rows ? rows[index] : index) * dims;
  }
  ptrdiff_t d = 0;
  for (; d + 8 <= dims; d += 8) {
    for (int half = 0; half < LANES; half += 8) {
      const float *eight[8];
      for (int i = 0; i < 8; i++) eight[i] = starts[half + i] + d;
      transpose(eight, packed + d * LANES + half, LANES);
    }
  }
  for (; d < dims; d++)
    for (int lane = 0; lane < LANES; lane++) packed[d * LANES + lane] = starts[lane][d];
}

KMEANS_TARGET
void KMEANS_NEAREST_TWO(const float *points, ptrdiff_t dims, const int32_t *rows, ptrdiff_t count,
                          const float *centres, const float *offsets, ptrdiff_t groups, float *scratch,
                          int32_t *nearest, float *best, float *second) {
  for (ptrdiff_t first = 0; first < count; first += LANES) {
    pack(points, dims, rows, first, count, scratch);
    Floats low[2], next[2];
    Ints which[2];
    for (int h = 0; h < 2; h++) {
      low[h] = next[h] = (Floats)(INFINITY);
      which[h] = (Ints)(0);
    }
    for (ptrdiff_t group = 0; group < groups; group++) {
      const float *c = centres + group * dims * KMeansCentreGroup;
      Floats score[KMeansCentreGroup][2];
      for (int j = 0; j < KMeansCentreGroup; j++)
        score[j][0] = score[j][1] = (Floats)(offsets[group * KMeansCentreGroup + j]);
      for (ptrdiff_t d = 0; d < dims; d++) {
        Floats x0, x1;
        load(&x0, scratch + d * LANES);
        load(&x1, scratch + d * LANES + KMEANS_WIDTH);
        for (int j = 0; j < KMeansCentreGroup; j++) {
          score[j][0] += x0 * c[d * KMeansCentreGroup + j];
          score[j][1] += x1 * c[d * KMeansCentreGroup + j];
        }
      }
      for (int j = 0; j < KMeansCentreGroup; j++) {
        Ints number = (Ints)((int32_t)(group * KMeansCentreGroup + j));
        for (int h = 0; h < 2; h++) {
          Floats s = score[j][h];
          Floats higher = s < low[h] ? low[h] : s;
          which[h] = s < low[h] ? number : which[h];
          low[h] = s < low[h] ? s : low[h];
          next[h] = higher < next[h] ? higher : next[h];
        }
      }
    }
    ptrdiff_t left = count - first < LANES ? count - first : LANES;
    memcpy(nearest + first, which, left * sizeof(int32_t));
    memcpy(best + first, low, left * sizeof(float));
    memcpy(second + first, next, left * sizeof(float));
  }
}
