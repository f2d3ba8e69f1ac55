#include "neighbours.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "CKernels.h"

// The same bits on every machine: no clone may fuse what another does not.
#pragma clang fp contract(off)

#define INLINE static inline __attribute__((always_inline))

typedef double Rows __attribute__((ext_vector_type(NEIGHBOUR_LEAF_ROWS)));
typedef double Columns __attribute__((ext_vector_type(NEIGHBOUR_BOX_COLUMNS)));

INLINE void leaf_distances(const double *query, const double *leaf, int64_t column_count, double *distances) {
  Rows sums = (Rows)(0.0);
  for (int64_t column = 0; column < column_count; column++) {
    Rows values;
    memcpy(&values, leaf + column * NEIGHBOUR_LEAF_ROWS, sizeof values);
    const Rows differences = query[column] - values;
    sums += differences * differences;
  }
  memcpy(distances, &sums, sizeof sums);
}

INLINE double box_distance(const double *query, const double *box, int64_t column_count) {
  Columns sums = (Columns)(0.0);
  for (int64_t column = 0; column < column_count; column += NEIGHBOUR_BOX_COLUMNS) {
    Columns values, low, high;
    memcpy(&values, query + column, sizeof values);
    memcpy(&low, box + column, sizeof low);
    memcpy(&high, box + column_count + column, sizeof high);
    const Columns outside =
        __builtin_elementwise_max(__builtin_elementwise_max(low - values, values - high), (Columns)(0.0));
    sums += outside * outside;
  }
  // Halves upon halves: a chain of eight additions would take longer than all that is before it.
  const double pairs[4] = {sums[0] + sums[4], sums[1] + sums[5], sums[2] + sums[6], sums[3] + sums[7]};
  return (pairs[0] + pairs[2]) + (pairs[1] + pairs[3]);
}

INLINE int is_nearer(neighbour one, neighbour other) {
  return one.squared_distance < other.squared_distance ||
         (one.squared_distance == other.squared_distance && one.row < other.row);
}

// Takes a row into a heap that has the farthest first; the heap has `count` rows of the `wanted`.
INLINE int64_t offer(neighbour new, int64_t wanted, int64_t count, neighbour *heap) {
  if (count < wanted) {
    int64_t place = count;
    for (; place > 0 && is_nearer(heap[(place - 1) / 2], new); place = (place - 1) / 2)
      heap[place] = heap[(place - 1) / 2];
    heap[place] = new;
    return count + 1;
  }
  if (!is_nearer(new, heap[0])) return count;
  int64_t place = 0;
  for (int64_t child; (child = 2 * place + 1) < count; place = child) {
    child += child + 1 < count && is_nearer(heap[child], heap[child + 1]);
    if (!is_nearer(new, heap[child])) break;
    heap[place] = heap[child];
  }
  heap[place] = new;
  return count;
}

CKERNELS_CLONES
int64_t neighbour_search(const neighbour_tree *tree, const double *query, int64_t wanted, neighbour *nearest) {
  const int64_t p = tree->column_count, padded = tree->padded_column_count, depth = tree->depth;
  // A box is as far away as rounding lets it be; a row in it may be a little nearer.
  const double margin = 1 - (double)(8 * (p + 4)) * DBL_EPSILON;
  struct {
    int64_t box, level;
    double distance;
  } waiting[NEIGHBOUR_MOST_HALVINGS + 1];
  int64_t waiting_count = 0, count = 0, compared = 0, box = 0, level = 0;
  // The distance of the farthest row so far, once there are enough.
  double limit = INFINITY;
  while (1) {
    // Down to a leaf, by the nearer box of two.
    while (level < depth) {
      level++;
      box *= 2;
      const double *boxes = tree->corners + (((int64_t)1 << level) + box) * 2 * padded;
      const double left = box_distance(query, boxes, padded);
      const double right = box_distance(query, boxes + 2 * padded, padded);
      const int64_t is_right = right < left;
      const double farther = is_right ? left : right;
      waiting[waiting_count].box = box + 1 - is_right;
      waiting[waiting_count].level = level;
      waiting[waiting_count].distance = farther;
      waiting_count += !(farther * margin > limit);
      box += is_right;
    }
    const int64_t start = (tree->row_count * box) >> depth, end = (tree->row_count * (box + 1)) >> depth;
    double distances[NEIGHBOUR_LEAF_ROWS];
    leaf_distances(query, tree->leaves + box * p * NEIGHBOUR_LEAF_ROWS, p, distances);
    uint32_t near = 0;
    for (int row = 0; row < NEIGHBOUR_LEAF_ROWS; row++) near |= (uint32_t)!(distances[row] > limit) << row;
    near &= ((uint32_t)1 << (end - start)) - 1;
    for (; near; near &= near - 1) {
      const int row = __builtin_ctz(near);
      const neighbour found = {tree->rows[start + row], distances[row]};
      count = offer(found, wanted, count, nearest);
      if (count == wanted) limit = nearest[0].squared_distance;
    }
    compared += end - start;
    // Back to the box that was left out last, if it is near enough by now.
    do {
      if (waiting_count == 0) return compared;
      waiting_count--;
    } while (waiting[waiting_count].distance * margin > limit);
    box = waiting[waiting_count].box;
    level = waiting[waiting_count].level;
  }
}
