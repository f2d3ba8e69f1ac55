// Searches for nearest neighbours in a k-d tree.
#ifndef APUS_NEIGHBOURS_H
#define APUS_NEIGHBOURS_H

#include <stdint.h>

// The rows of a leaf: its columns have so many elements each, also where it has fewer rows.
#define NEIGHBOUR_LEAF_ROWS 32

// The most columns. Corners of boxes, and rows while the tree is built, have so many elements: those after the last column
// are zero.
#define NEIGHBOUR_MOST_COLUMNS 16

// The most halvings above a leaf.
#define NEIGHBOUR_MOST_HALVINGS 62

// A row and its squared distance from a query.
typedef struct {
  int64_t row;
  double squared_distance;
} neighbour;

// A balanced tree: box `i` of a level holds boxes `2i` and `2i + 1` of the next one, and begins with row
// `(row_count * i) >> level`.
//
// What decides whether rows are looked at is kept in single precision, at half the memory, as (x − shift)·scale with all
// of the rows between −1 and 1.
typedef struct {
  int64_t row_count, column_count;
  // The number of halvings above the leaves.
  int64_t depth;
  // The rows, in the order of the leaves.
  const double *points;
  // Where each of them stands among the stored rows.
  const int32_t *rows;
  const double *shift;
  double scale;
  // The rows scaled, leaf after leaf, of each the first column, then the second, and so on.
  const float *leaves;
  // The lowest corner of each box and its highest, scaled, level after level from the second place on.
  const float *corners;
} neighbour_tree;

// The first place from `start` on where `products + lowered` is no higher than a limit, or not a number; `count` where there
// is none.
int64_t neighbour_next_candidate(const float *products, const float *lowered, int64_t start, int64_t count,
                                 float limit);

// Writes the lowest corner of the box around rows, and then the highest.
void neighbour_corners(const float *rows, int64_t row_count, float *corners);

// Writes the `wanted` rows that are nearest to a query, at most as many as there are, the nearest first; of two at the same
// distance, the lower row is nearer. Returns how many rows were compared with the query. Distances are summed up in the
// order of the columns, to the bit as those of a comparison with every row.
int64_t neighbour_search(const neighbour_tree *tree, const double *query, int64_t wanted, neighbour *nearest);

#endif
