#include "neighbours.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "CKernels.h"

// The same bits on every machine: no clone may fuse what another does not.
#pragma clang fp contract(off)

#define INLINE static inline __attribute__((always_inline))

typedef float Rows __attribute__((ext_vector_type(NEIGHBOUR_LEAF_ROWS)));
typedef float Columns __attribute__((ext_vector_type(NEIGHBOUR_MOST_COLUMNS)));

// The rows of a leaf, one a bit, that may be within a squared distance.
INLINE uint32_t rows_within(float limit, const float *query, const float *leaf, int64_t column_count) {
  Rows sums = (Rows)(0.0f);
  for (int64_t column = 0; column < column_count; column++) {
    Rows values;
    memcpy(&values, leaf + column * NEIGHBOUR_LEAF_ROWS, sizeof values);
    const Rows differences = query[column] - values;
    sums += differences * differences;
  }
  float squares[NEIGHBOUR_LEAF_ROWS];
  memcpy(squares, &sums, sizeof squares);
  uint32_t within = 0;
  for (int row = 0; row < NEIGHBOUR_LEAF_ROWS; row++) within |= (uint32_t) !(squares[row] > limit) << row;
  return within;
}

INLINE float box_distance(const float *scaled, const float *box) {
  Columns query, low, high;
  memcpy(&query, scaled, sizeof query);
  memcpy(&low, box, sizeof low);
  memcpy(&high, box + NEIGHBOUR_MOST_COLUMNS, sizeof high);
  const Columns below = low - query, above = query - high;
  const Columns most = below > above ? below : above;
  const Columns outside = most > 0.0f ? most : (Columns)(0.0f);
  const Columns squares = outside * outside;
  // Halves upon halves: a chain of sixteen additions would take longer than all that is before it.
  typedef float Eight __attribute__((ext_vector_type(8)));
  typedef float Four __attribute__((ext_vector_type(4)));
  const Eight eight = squares.lo + squares.hi;
  const Four four = eight.lo + eight.hi;
  return (four[0] + four[2]) + (four[1] + four[3]);
}

INLINE double exact_distance(const double *query, const double *point, int64_t column_count) {
  double sum = 0;
  for (int64_t column = 0; column < column_count; column++) {
    const double difference = query[column] - point[column];
    sum += difference * difference;
  }
  return sum;
}

INLINE int is_nearer(neighbour one, neighbour other) {
  return one.squared_distance < other.squared_distance ||
         (one.squared_distance == other.squared_distance && one.row < other.row);
}

// Puts a row in the place of the first of a heap, which has the farthest first, and then where it belongs.
INLINE void replace_first(neighbour new, neighbour *heap, int64_t count) {
  int64_t place = 0;
  for (int64_t child; (child = 2 * place + 1) < count; place = child) {
    child += child + 1 < count && is_nearer(heap[child], heap[child + 1]);
    if (!is_nearer(new, heap[child])) break;
    heap[place] = heap[child];
  }
  heap[place] = new;
}

INLINE void insert(neighbour new, neighbour *heap, int64_t count) {
  int64_t place = count;
  for (; place > 0 && is_nearer(heap[(place - 1) / 2], new); place = (place - 1) / 2)
    heap[place] = heap[(place - 1) / 2];
  heap[place] = new;
}

// What single precision may say of a row, or of a box around it, that is no farther away than a squared distance.
//
// Rounding to single precision moves a point by at most `error`, all columns together; the sum of squares is off by a few
// roundings a column.
INLINE float single_limit(double squared_distance, double scale, double error, int64_t column_count) {
  const double distance = sqrt(squared_distance) * scale * (1 + 1e-12) + error;
  return (float)(distance * distance * (1 + (double)(column_count + 8) * FLT_EPSILON)) + FLT_MIN;
}

CKERNELS_CLONES
int64_t neighbour_next_candidate(const float *products, const float *lowered, int64_t start, int64_t count,
                                 float limit) {
  enum { lanes = 16 };
  int64_t place = start;
  for (; place + lanes <= count; place += lanes) {
    int found = 0;
    for (int lane = 0; lane < lanes; lane++) found |= !(products[place + lane] + lowered[place + lane] > limit);
    if (found) break;
  }
  while (place < count && products[place] + lowered[place] > limit) place++;
  return place;
}

CKERNELS_CLONES
void neighbour_corners(const float *rows, int64_t row_count, float *corners) {
  Columns low, high;
  memcpy(&low, rows, sizeof low);
  high = low;
  for (int64_t row = 1; row < row_count; row++) {
    Columns values;
    memcpy(&values, rows + row * NEIGHBOUR_MOST_COLUMNS, sizeof values);
    low = values < low ? values : low;
    high = values > high ? values : high;
  }
  memcpy(corners, &low, sizeof low);
  memcpy(corners + NEIGHBOUR_MOST_COLUMNS, &high, sizeof high);
}

CKERNELS_CLONES
int64_t neighbour_search(const neighbour_tree *tree, const double *query, int64_t wanted, neighbour *nearest) {
  const int64_t p = tree->column_count, depth = tree->depth;
  float scaled[NEIGHBOUR_MOST_COLUMNS] = {0};
  // Rows lie within 1 of the origin in each column.
  double squares = (double)p;
  for (int64_t column = 0; column < p; column++) {
    const double value = (query[column] - tree->shift[column]) * tree->scale;
    scaled[column] = (float)value;
    squares += value * value;
  }
  const double error = 2 * sqrt(squares) * FLT_EPSILON + FLT_MIN;
  struct {
    int64_t box, level;
    float distance;
  } waiting[NEIGHBOUR_MOST_HALVINGS + 1];
  int64_t waiting_count = 0, count = 0, compared = 0, box = 0, level = 0;
  // By the distance of the farthest row so far, once there are enough.
  float limit = INFINITY;
  while (1) {
    // Down to a leaf, by the nearer box of two.
    while (level < depth) {
      level++;
      box *= 2;
      const float *boxes = tree->corners + (((int64_t)1 << level) + box) * 2 * NEIGHBOUR_MOST_COLUMNS;
      const float left = box_distance(scaled, boxes);
      const float right = box_distance(scaled, boxes + 2 * NEIGHBOUR_MOST_COLUMNS);
      const int64_t is_right = right < left;
      const float farther = is_right ? left : right;
      waiting[waiting_count].box = box + 1 - is_right;
      waiting[waiting_count].level = level;
      waiting[waiting_count].distance = farther;
      waiting_count += !(farther > limit);
      box += is_right;
    }
    const int64_t start = (tree->row_count * box) >> depth, end = (tree->row_count * (box + 1)) >> depth;
    uint32_t within = rows_within(limit, scaled, tree->leaves + box * p * NEIGHBOUR_LEAF_ROWS, p);
    within &= (uint32_t)(((uint64_t)1 << (end - start)) - 1);
    for (; within; within &= within - 1) {
      const int64_t row = start + __builtin_ctz(within);
      const neighbour found = {tree->rows[row], exact_distance(query, tree->points + row * p, p)};
      if (count < wanted) {
        insert(found, nearest, count++);
      } else if (is_nearer(found, nearest[0])) {
        replace_first(found, nearest, count);
      } else {
        continue;
      }
      if (count == wanted) limit = single_limit(nearest[0].squared_distance, tree->scale, error, p);
    }
    compared += end - start;
    // Back to the box that was left out last, if it is near enough by now.
    do waiting_count--;
    while (waiting_count >= 0 && waiting[waiting_count].distance > limit);
    if (waiting_count < 0) break;
    box = waiting[waiting_count].box;
    level = waiting[waiting_count].level;
  }
  // The farthest goes to the end, again and again.
  for (int64_t last = count - 1; last > 0; last--) {
    const neighbour farthest = nearest[0];
    replace_first(nearest[last], nearest, last);
    nearest[last] = farthest;
  }
  return compared;
}
