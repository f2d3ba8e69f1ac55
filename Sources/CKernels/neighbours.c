#include "CKernels.h"
#include "neighbours.h"
#include <string.h>

// The same bits on every machine: no clone may fuse what another does not.
#pragma clang fp contract(off)

typedef double Rows __attribute__((ext_vector_type(NEIGHBOUR_LEAF_ROWS)));

CKERNELS_CLONES
void neighbour_leaf_distances(const double *query, const double *leaf, int64_t column_count, double *distances) {
  Rows sums = (Rows)(0.0);
  for (int64_t column = 0; column < column_count; column++) {
    Rows values;
    memcpy(&values, leaf + column * NEIGHBOUR_LEAF_ROWS, sizeof values);
    const Rows differences = query[column] - values;
    sums += differences * differences;
  }
  memcpy(distances, &sums, sizeof sums);
}

typedef double Columns __attribute__((ext_vector_type(NEIGHBOUR_BOX_COLUMNS)));

static inline __attribute__((always_inline)) double box_distance(const double *query, const double *box,
                                                                 int64_t column_count) {
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

CKERNELS_CLONES
void neighbour_box_distances(const double *query, const double *boxes, int64_t padded_column_count,
                             double *distances) {
  distances[0] = box_distance(query, boxes, padded_column_count);
  distances[1] = box_distance(query, boxes + 2 * padded_column_count, padded_column_count);
}
