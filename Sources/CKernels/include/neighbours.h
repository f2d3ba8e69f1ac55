// Searches for nearest neighbours in a k-d tree.
#ifndef APUS_NEIGHBOURS_H
#define APUS_NEIGHBOURS_H

#include <stdint.h>

// The rows of a leaf: its columns have so many elements each, also where it has fewer rows.
#define NEIGHBOUR_LEAF_ROWS 16

// Corners of boxes, and queries, have so many elements or a multiple: those after the last column are zero.
#define NEIGHBOUR_BOX_COLUMNS 8

// The most halvings above a leaf.
#define NEIGHBOUR_MOST_HALVINGS 62

// A row and its squared distance from a query.
typedef struct {
  int64_t row;
  double squared_distance;
} neighbour;

// A balanced tree: box `i` of a level holds boxes `2i` and `2i + 1` of the next one, and begins with row
// `(row_count * i) >> level`.
typedef struct {
  int64_t row_count, column_count, padded_column_count;
  // The number of halvings above the leaves.
  int64_t depth;
  // The rows, leaf after leaf, of each the first column, then the second, and so on.
  const double *leaves;
  // Where each of them stands among the stored rows.
  const int32_t *rows;
  // The lowest corner of each box and its highest, level after level from the second place on.
  const double *corners;
} neighbour_tree;

// Writes the `wanted` rows that are nearest to a query, at most as many as there are, in no order; of two at the same
// distance, the lower row is nearer. Returns how many rows were compared with the query. Distances are summed up in the
// order of the columns, to the bit as those of a row alone.
int64_t neighbour_search(const neighbour_tree *tree, const double *query, int64_t wanted, neighbour *nearest);

#endif
