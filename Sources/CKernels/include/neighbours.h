// Kernels of searches for nearest neighbours.
#ifndef APUS_NEIGHBOURS_H
#define APUS_NEIGHBOURS_H

#include <stdint.h>

// The rows of a leaf: its columns have so many elements each, also where it has fewer rows.
#define NEIGHBOUR_LEAF_ROWS 16

// Squared distances of a query from the rows of a leaf, which stands column after column. Each is summed up in the order
// of the columns, to the bit as one row alone.
void neighbour_leaf_distances(const double *query, const double *leaf, int64_t column_count, double *distances);

// Corners of boxes, and queries, have so many elements or a multiple: those after the last column are zero.
#define NEIGHBOUR_BOX_COLUMNS 8

// Squared distances of a query from two boxes that follow each other, each its lowest corner and then its highest.
void neighbour_box_distances(const double *query, const double *boxes, int64_t padded_column_count,
                             double *distances);

#endif
