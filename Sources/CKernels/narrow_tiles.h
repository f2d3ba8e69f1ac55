// Products of narrow matrices, written once for both precisions and two widths of vectors. Whoever includes this says
// what a number is (Scalar), how many make a vector (Vector, lanes), how many rows make a tile that is so many vectors
// wide (NARROW_HEIGHT), what the two functions are called (NARROW_SCORES, NARROW_GRADIENT), and for which instruction
// sets they are compiled (NARROW_TARGET). Each number is a sum in the order of the columns or rows, whatever the tiles.

#include <string.h>

#if defined(__clang__)
#pragma clang fp reassociate(off) contract(fast)
#endif

enum { tallest = 8, widest = 3 };

// The width of the next tile where so many vectors are left: no tile of one beside others, which would wait for its
// few sums.
static inline long widthOfTile(long left) { return left == 4 ? 2 : left < 3 ? left : 3; }

static inline __attribute__((always_inline)) void scoreTile(int rows, int vectors, long columns, const Scalar *x,
                                                            const Scalar *w, long stride, Scalar *out) {
  Vector sums[tallest][widest];
  for (int r = 0; r < rows; r++)
    for (int v = 0; v < vectors; v++) sums[r][v] = (Vector)(0);
  for (long j = 0; j < columns; j++, w += stride) {
    Vector right[widest];
    for (int v = 0; v < vectors; v++) memcpy(&right[v], w + lanes * v, sizeof(Vector));
    for (int r = 0; r < rows; r++)
      for (int v = 0; v < vectors; v++) sums[r][v] += x[r * columns + j] * right[v];
  }
  for (int r = 0; r < rows; r++)
    for (int v = 0; v < vectors; v++) memcpy(out + r * stride + lanes * v, &sums[r][v], sizeof(Vector));
}

static inline __attribute__((always_inline)) void scoreStrip(int vectors, long rows, long columns, const Scalar *x,
                                                             const Scalar *w, long stride, Scalar *out) {
  const int height = (int)NARROW_HEIGHT(vectors);
  long i = 0;
  for (; i + height <= rows; i += height)
    scoreTile(height, vectors, columns, x + i * columns, w, stride, out + i * stride);
  for (; i < rows; i++) scoreTile(1, vectors, columns, x + i * columns, w, stride, out + i * stride);
}

NARROW_TARGET
void NARROW_SCORES(long rows, long columns, long stride, const Scalar *restrict x, const Scalar *restrict w,
                   Scalar *restrict out) {
  for (long v = 0, width; v < stride / lanes; v += width) {
    width = widthOfTile(stride / lanes - v);
    if (width == 3) scoreStrip(3, rows, columns, x, w + lanes * v, stride, out + lanes * v);
    else if (width == 2) scoreStrip(2, rows, columns, x, w + lanes * v, stride, out + lanes * v);
    else scoreStrip(1, rows, columns, x, w + lanes * v, stride, out + lanes * v);
  }
}

static inline __attribute__((always_inline)) void gradientTile(int height, int vectors, long rows, long columns,
                                                               const Scalar *x, const Scalar *r, long stride,
                                                               Scalar *out) {
  Vector sums[tallest][widest];
  for (int j = 0; j < height; j++)
    for (int v = 0; v < vectors; v++) memcpy(&sums[j][v], out + j * stride + lanes * v, sizeof(Vector));
  for (long i = 0; i < rows; i++, r += stride, x += columns) {
    Vector right[widest];
    for (int v = 0; v < vectors; v++) memcpy(&right[v], r + lanes * v, sizeof(Vector));
    for (int j = 0; j < height; j++)
      for (int v = 0; v < vectors; v++) sums[j][v] += x[j] * right[v];
  }
  for (int j = 0; j < height; j++)
    for (int v = 0; v < vectors; v++) memcpy(out + j * stride + lanes * v, &sums[j][v], sizeof(Vector));
}

static inline __attribute__((always_inline)) void gradientStrip(int vectors, long rows, long columns,
                                                                const Scalar *x, const Scalar *r, long stride,
                                                                Scalar *out) {
  const int height = (int)NARROW_HEIGHT(vectors);
  long j = 0;
  for (; j + height <= columns; j += height)
    gradientTile(height, vectors, rows, columns, x + j, r, stride, out + j * stride);
  for (; j < columns; j++) gradientTile(1, vectors, rows, columns, x + j, r, stride, out + j * stride);
}

NARROW_TARGET
void NARROW_GRADIENT(long rows, long columns, long stride, const Scalar *restrict x, const Scalar *restrict r,
                     Scalar *restrict out) {
  // Rows whose features are read from the cache as often as there are tiles.
  enum { block = 64 };
  for (long i = 0; i < rows; i += block, x += block * columns, r += block * stride) {
    long count = rows - i < block ? rows - i : block;
    for (long v = 0, width; v < stride / lanes; v += width) {
      width = widthOfTile(stride / lanes - v);
      if (width == 3) gradientStrip(3, count, columns, x, r + lanes * v, stride, out + lanes * v);
      else if (width == 2) gradientStrip(2, count, columns, x, r + lanes * v, stride, out + lanes * v);
      else gradientStrip(1, count, columns, x, r + lanes * v, stride, out + lanes * v);
    }
  }
}
