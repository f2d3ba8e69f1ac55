#include "CKernels.h"

#include <string.h>

#if defined(__clang__)
#pragma clang fp reassociate(off) contract(fast)
#endif

typedef double Doubles __attribute__((ext_vector_type(4)));

// At most nine accumulators: with twelve, compilers spill some of them, which takes twice the time.
enum { tallest = 4, widest = 3 };

// The number of rows of a tile that is so many vectors wide.
static inline long heightOfTile(long vectors) { return vectors == 3 ? 3 : 4; }

// The width of the next tile where so many vectors are left: no tile of one beside others, which would wait for its
// few sums.
static inline long widthOfTile(long left) { return left == 4 ? 2 : left < 3 ? left : 3; }

static inline __attribute__((always_inline)) void scoreTile(int rows, int vectors, long columns, const double *x,
                                                            const double *w, long stride, double *out) {
  Doubles sums[tallest][widest];
  for (int r = 0; r < rows; r++)
    for (int v = 0; v < vectors; v++) sums[r][v] = (Doubles)(0);
  for (long j = 0; j < columns; j++, w += stride) {
    Doubles right[widest];
    for (int v = 0; v < vectors; v++) memcpy(&right[v], w + 4 * v, sizeof(Doubles));
    for (int r = 0; r < rows; r++)
      for (int v = 0; v < vectors; v++) sums[r][v] += x[r * columns + j] * right[v];
  }
  for (int r = 0; r < rows; r++)
    for (int v = 0; v < vectors; v++) memcpy(out + r * stride + 4 * v, &sums[r][v], sizeof(Doubles));
}

static inline __attribute__((always_inline)) void scoreStrip(int vectors, long rows, long columns, const double *x,
                                                             const double *w, long stride, double *out) {
  const int height = (int)heightOfTile(vectors);
  long i = 0;
  for (; i + height <= rows; i += height)
    scoreTile(height, vectors, columns, x + i * columns, w, stride, out + i * stride);
  for (; i < rows; i++) scoreTile(1, vectors, columns, x + i * columns, w, stride, out + i * stride);
}

CKERNELS_CLONES
void ckernels_narrow_scores(long rows, long columns, long stride, const double *restrict x,
                            const double *restrict w, double *restrict out) {
  for (long v = 0, width; v < stride / 4; v += width) {
    width = widthOfTile(stride / 4 - v);
    if (width == 3) scoreStrip(3, rows, columns, x, w + 4 * v, stride, out + 4 * v);
    else if (width == 2) scoreStrip(2, rows, columns, x, w + 4 * v, stride, out + 4 * v);
    else scoreStrip(1, rows, columns, x, w + 4 * v, stride, out + 4 * v);
  }
}

static inline __attribute__((always_inline)) void gradientTile(int height, int vectors, long rows, long columns,
                                                               const double *x, const double *r, long stride,
                                                               double *out) {
  Doubles sums[tallest][widest];
  for (int j = 0; j < height; j++)
    for (int v = 0; v < vectors; v++) memcpy(&sums[j][v], out + j * stride + 4 * v, sizeof(Doubles));
  for (long i = 0; i < rows; i++, r += stride, x += columns) {
    Doubles right[widest];
    for (int v = 0; v < vectors; v++) memcpy(&right[v], r + 4 * v, sizeof(Doubles));
    for (int j = 0; j < height; j++)
      for (int v = 0; v < vectors; v++) sums[j][v] += x[j] * right[v];
  }
  for (int j = 0; j < height; j++)
    for (int v = 0; v < vectors; v++) memcpy(out + j * stride + 4 * v, &sums[j][v], sizeof(Doubles));
}

static inline __attribute__((always_inline)) void gradientStrip(int vectors, long rows, long columns,
                                                                const double *x, const double *r, long stride,
                                                                double *out) {
  const int height = (int)heightOfTile(vectors);
  long j = 0;
  for (; j + height <= columns; j += height)
    gradientTile(height, vectors, rows, columns, x + j, r, stride, out + j * stride);
  for (; j < columns; j++) gradientTile(1, vectors, rows, columns, x + j, r, stride, out + j * stride);
}

CKERNELS_CLONES
void ckernels_narrow_gradient(long rows, long columns, long stride, const double *restrict x,
                              const double *restrict r, double *restrict out) {
  // Rows whose features are read from the cache as often as there are tiles.
  enum { block = 64 };
  for (long i = 0; i < rows; i += block, x += block * columns, r += block * stride) {
    long count = rows - i < block ? rows - i : block;
    for (long v = 0, width; v < stride / 4; v += width) {
      width = widthOfTile(stride / 4 - v);
      if (width == 3) gradientStrip(3, count, columns, x, r + 4 * v, stride, out + 4 * v);
      else if (width == 2) gradientStrip(2, count, columns, x, r + 4 * v, stride, out + 4 * v);
      else gradientStrip(1, count, columns, x, r + 4 * v, stride, out + 4 * v);
    }
  }
}
