// Kernels of decision trees: search for splits over small integer codes, partition of rows, traversal.
//
// A feature's values are codes: positions of bins in ascending order, with the code after the last one for a
// missing value. Sums are whole numbers wherever they are added up (class counts, targets in fixed point), so
// that they do not depend on the order of the rows; every function gives the same bits on every machine.
#ifndef APUS_FOREST_KERNELS_H
#define APUS_FOREST_KERNELS_H

#include <stdint.h>

// The best split of a node on one feature.
typedef struct {
  double decrease;      // weighted impurity decrease; negative when no split is allowed
  int32_t last_left;    // the largest code that occurs in the node and goes left
  int32_t missing_left; // 1 when missing values go left, 0 when right, -1 when the node has none
} forest_split;

// What a split must leave on either side.
typedef struct {
  int32_t rows;  // at least this many rows
  double weight; // at least this much weight; above zero
} forest_leaf_limits;

// Room for the search; every array has `capacity` elements, the codes' range or the node's rows at most.
typedef struct {
  int64_t *cell_sums;
  double *cell_weights;
  int32_t *cell_rows;
  double *sums;
  double *weights;
  double *class_left;    // one element a class
  double *class_terms;   // two elements a class
  int64_t *scores;
  uint64_t *order;
  uint64_t *order_buffer;
  int32_t *class_cells; // `class_cell_capacity` elements
  int64_t class_cell_capacity;
} forest_scratch;

// Copies the codes of a node's rows and finds the lowest and the highest; returns lowest << 16 | highest.
uint32_t forest_gather_codes_8(const uint8_t *column, const uint32_t *rows, int64_t count, uint16_t *codes);
uint32_t forest_gather_codes_16(const uint16_t *column, const uint32_t *rows, int64_t count, uint16_t *codes);

// Replaces codes by 0 for those that go left, up to `last_left`, and 1 for the others; missing ones (of a negative
// code, none) go left where `missing_left` is not 0.
void forest_mark_sides(uint16_t *codes, int64_t count, int32_t last_left, int32_t missing_code, int32_t missing_left);

// Which codes go left: those up to `last_left` and `also_left` (negative for none), or, where `table` is not
// NULL, those whose byte in it is not 0.
typedef struct {
  int32_t last_left;
  int32_t also_left;
  const uint8_t *table;
} forest_sides;

// Moves the rows that go left to the front, keeping the order on both sides; returns how many. `buffer` has
// room for `count` rows; `first_right` receives the lowest code that goes right.
int64_t forest_partition_8(const uint8_t *column, uint32_t *rows, int64_t count, forest_sides sides,
                           uint32_t *buffer, int32_t *first_right);
int64_t forest_partition_16(const uint16_t *column, uint32_t *rows, int64_t count, forest_sides sides,
                            uint32_t *buffer, int32_t *first_right);

// A row's share of a sum of targets.
typedef struct {
  int64_t sum;   // target times weight, in fixed point
  double weight;
} forest_share;

// Copies the shares of a node's rows and adds them up; returns whether all targets are equal.
int32_t forest_gather_shares(const forest_share *shares, const int64_t *targets, const uint32_t *rows,
                             int64_t count, int64_t *sums, double *weights, forest_share *total);

// Copies classes and counts of a node's rows and adds the counts up, `totals` first cleared; returns the
// number of classes that occur, 2 standing for more.
int32_t forest_gather_counts(const int32_t *all_classes, const int32_t *all_counts, const uint32_t *rows,
                             int64_t count, int32_t *classes, int32_t *counts, int32_t *totals,
                             int32_t class_count, int64_t *total, double *squares);

// Splits that lower the squared error (criterion 0) or the Poisson deviance (criterion 1) most. `sums` are
// targets times weights in fixed point; `missing_code` is negative for a feature without missing values. Of `codes`
// 32 can be read, however few there are.
void forest_regression_split(int criterion, const uint16_t *codes, int64_t count, int32_t lowest,
                             int32_t highest, const int64_t *sums, const double *weights, double total_sum,
                             double total_weight, int32_t missing_code, forest_leaf_limits limits,
                             const forest_scratch *scratch, forest_split *best);

// Splits that lower the Gini impurity of whole counts most. `totals` has one count a class and zeros up to the
// next multiple of eight.
void forest_gini_split(const uint16_t *codes, int64_t count, int32_t lowest, int32_t highest,
                       const int32_t *classes, const int32_t *counts, const int32_t *totals,
                       int32_t class_count, double total_weight, double total_squares, int32_t missing_code,
                       forest_leaf_limits limits, const forest_scratch *scratch, forest_split *best);

// Splits that lower the Gini impurity (criterion 0) or the entropy (criterion 1) of weighted classes most.
void forest_weighted_class_split(int criterion, const uint16_t *codes, int64_t count, int32_t lowest,
                                 int32_t highest, const int32_t *classes, const double *weights,
                                 const double *totals, int32_t class_count, double total_weight,
                                 int32_t missing_code, forest_leaf_limits limits,
                                 const forest_scratch *scratch, forest_split *best);

// Sorts the positions 0 ..< count by code, equal codes in order; each element of scratch->order is then
// code << 32 | position.
void forest_sort_codes(const uint16_t *codes, int64_t count, int32_t lowest, int32_t highest,
                       const forest_scratch *scratch);

// How a tree's nodes are packed into 64 bits, from the lowest: whether the node is split (1 bit), whether the
// split is categorical (1), the distance to the right child (`offset_bits`; the left child is the next node),
// the slot of the row's codes that is compared (`slot_bits`), and, in the bits left, the largest code that
// goes left, the number of the set of categories that do, or a leaf's value. All but the last are 0 in a leaf.
typedef struct {
  int32_t offset_bits;
  int32_t slot_bits;
} forest_layout;

// The number of 64-bit words in a set of categories.
#define FOREST_SET_WORDS 5

// Writes the codes of one feature for `count` rows, `stride` values apart: the number of boundaries below the
// value. A feature has two slots, which differ for a missing value: it goes right in the first, left in the
// second. Rows of codes are `slot_count` long.
void forest_encode_8(const double *values, int64_t stride, int64_t count, const double *boundaries,
                     int64_t boundary_count, uint8_t *codes, int64_t slot_count);
void forest_encode_16(const double *values, int64_t stride, int64_t count, const double *boundaries,
                      int64_t boundary_count, uint16_t *codes, int64_t slot_count);
void forest_encode_32(const double *values, int64_t stride, int64_t count, const double *boundaries,
                      int64_t boundary_count, uint32_t *codes, int64_t slot_count);

// Finds the value of each row's leaf; `sets` is NULL for a tree without categorical splits.
void forest_leaves_8(const uint64_t *nodes, forest_layout layout, const uint64_t *sets, const uint8_t *codes,
                     int64_t slot_count, int64_t count, uint64_t *leaves);
void forest_leaves_16(const uint64_t *nodes, forest_layout layout, const uint64_t *sets,
                      const uint16_t *codes, int64_t slot_count, int64_t count, uint64_t *leaves);
void forest_leaves_32(const uint64_t *nodes, forest_layout layout, const uint64_t *sets,
                      const uint32_t *codes, int64_t slot_count, int64_t count, uint64_t *leaves);

// Adds a tree's votes to `votes` (`count` × `class_count`): a leaf value below `class_count` is a pure leaf's
// class, others number the rows of `shares`. Rows whose byte in `skipped` is not 0 are left out; NULL for none.
void forest_add_votes(const uint64_t *leaves, int64_t count, int64_t class_count, const double *shares,
                      const uint8_t *skipped, double *votes);

// Adds a tree's leaf values to `totals`, leaving out rows as above.
void forest_add_values(const uint64_t *leaves, int64_t count, const double *values, const uint8_t *skipped,
                       double *totals);

#endif
