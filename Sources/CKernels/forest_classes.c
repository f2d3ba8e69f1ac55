#include "CKernels.h"
#include "ForestKernels.h"
#include "forest_order.h"
#include <math.h>
#include <string.h>

#pragma clang fp contract(off)

// Gini: the decrease of the weighted impurity is Σ L²/L + Σ R²/R − Σ T²/T over the classes' weights on the
// left, on the right and in all. Squares of whole counts are exact in doubles up to 2^53, so it does not
// matter in which order or by which path they are summed.

typedef struct {
  double total_weight;
  double parent_term;
  int32_t total_rows;
  forest_leaf_limits limits;
} gini_node;

static inline void offer(const gini_node *node, double left, double left_squares, double right_squares,
                         int32_t left_rows, int32_t code, int32_t missing_left, forest_split *best) {
  const double right = node->total_weight - left;
  if (left < node->limits.weight || right < node->limits.weight) return;
  if (left_rows < node->limits.rows || node->total_rows - left_rows < node->limits.rows) return;
  const double score = left_squares / left + right_squares / right - node->parent_term;
  const double decrease = score > 0 ? score : 0;
  if (decrease > best->decrease) {
    best->decrease = decrease;
    best->last_left = code;
    best->missing_left = missing_left;
  }
}

// Sweeps over rows in sorted order; starts with the missing values on the left if asked.
static inline void sweep_counts(const uint64_t *order, int64_t first, int64_t end, const int32_t *classes,
                                const int32_t *counts, int32_t *left_counts, const int32_t *totals,
                                int64_t left, int64_t left_squares, int64_t right_squares, int32_t left_rows,
                                int32_t missing_left, const gini_node *node, forest_split *best) {
  for (int64_t j = first; j < end; j++) {
    const uint64_t key = order[j];
    const uint32_t row = (uint32_t)key;
    const int32_t c = classes[row];
    const int64_t n = counts[row];
    const int64_t here = left_counts[c];
    left_squares += n * (2 * here + n);
    right_squares -= n * (2 * (totals[c] - here) - n);
    left_counts[c] = (int32_t)(here + n);
    left += n;
    left_rows++;
    if (j + 1 < end && key >> 32 == order[j + 1] >> 32) continue;
    offer(node, (double)left, (double)left_squares, (double)right_squares, left_rows, (int32_t)(key >> 32),
          missing_left, best);
  }
}

static void gini_rows(const uint16_t *codes, int64_t count, int32_t lowest, int32_t highest,
                      const int32_t *classes, const int32_t *counts, const int32_t *totals,
                      int32_t class_count, double total_squares, int32_t missing_code,
                      const gini_node *node, const forest_scratch *scratch, forest_split *best) {
  forest_sort(codes, count, lowest, highest, scratch);
  const uint64_t *order = scratch->order;
  int32_t *left_counts = scratch->class_cells;
  memset(left_counts, 0, (size_t)class_count * sizeof(int32_t));
  const int64_t total = (int64_t)total_squares;
  int64_t known = count;
  if (highest == missing_code) {
    while (known > 0 && (int32_t)(order[known - 1] >> 32) == missing_code) known--;
  }
  sweep_counts(order, 0, known, classes, counts, left_counts, totals, 0, 0, total, 0,
               known < count ? 0 : -1, node, best);
  if (known == count) return;
  memset(left_counts, 0, (size_t)class_count * sizeof(int32_t));
  int64_t left = 0, left_squares = 0, right_squares = total;
  for (int64_t j = known; j < count; j++) {
    const uint32_t row = (uint32_t)order[j];
    const int64_t n = counts[row], here = left_counts[classes[row]];
    left_squares += n * (2 * here + n);
    right_squares -= n * (2 * (totals[classes[row]] - here) - n);
    left_counts[classes[row]] = (int32_t)(here + n);
    left += n;
  }
  sweep_counts(order, 0, known, classes, counts, left_counts, totals, left, left_squares, right_squares,
               (int32_t)(count - known), 1, node, best);
}

// Tables of more than four classes have rows of whole vectors, padded with classes of no rows.
static inline int64_t class_stride(int32_t class_count) {
  return class_count <= 4 ? class_count : (class_count + 7) / 8 * 8;
}

typedef int32_t Ints __attribute__((ext_vector_type(8)));

static inline int32_t lane_sum(const Ints *lanes) {
  int32_t sum = 0;
  for (int lane = 0; lane < 8; lane++) sum += (*lanes)[lane];
  return sum;
}

// Sweeps over a padded table of counts whose squares stay below 2^31; `weights` has the count of each cell.
static inline __attribute__((always_inline)) void sweep_padded_cells(
    const int32_t *restrict cells, int64_t width, int32_t lowest, const int32_t *restrict totals, int64_t stride,
    int32_t *restrict left_counts, const int32_t *rows, const int32_t *weights, int32_t left_rows, int32_t left,
    int32_t missing_left, const gini_node *node, forest_split *best) {
  for (int64_t j = 0; j < width; j++) {
    if (rows[j] == 0) continue;
    const int32_t *restrict cell = cells + j * stride;
    Ints left_squares = (Ints)(0), right_squares = (Ints)(0);
    for (int64_t c = 0; c < stride; c += 8) {
      Ints here, added, all;
      memcpy(&here, left_counts + c, sizeof here);
      memcpy(&added, cell + c, sizeof added);
      memcpy(&all, totals + c, sizeof all);
      here += added;
      memcpy(left_counts + c, &here, sizeof here);
      left_squares += here * here;
      all -= here;
      right_squares += all * all;
    }
    left += weights[j];
    left_rows += rows[j];
    offer(node, (double)left, (double)lane_sum(&left_squares), (double)lane_sum(&right_squares), left_rows,
          (int32_t)j + lowest, missing_left, best);
  }
}

// Squares of counts that may pass 2^31 in sum are added as doubles, others as integers.
#define SWEEP_CELLS(NAME, NUMBER)                                                                            \
  static inline void NAME(const int32_t *restrict cells, int64_t width, int32_t lowest,                      \
                          const int32_t *restrict totals, int64_t class_count, int32_t *restrict left_counts, \
                          const int32_t *rows, int32_t left_rows, int32_t missing_left,                      \
                          const gini_node *node, forest_split *best) {                                       \
    _Pragma("clang fp reassociate(on)") /* exact: whole numbers below 2^53 */                                \
    int32_t running_rows = left_rows;                                                                        \
    for (int64_t j = 0; j < width; j++) {                                                                    \
      if (rows[j] == 0) continue;                                                                            \
      const int32_t *restrict cell = cells + j * class_count;                                                \
      NUMBER left_squares = 0, right_squares = 0;                                                            \
      int32_t left = 0;                                                                                      \
      for (int64_t c = 0; c < class_count; c++) {                                                            \
        const int32_t here = left_counts[c] + cell[c];                                                       \
        left_counts[c] = here;                                                                               \
        const NUMBER l = (NUMBER)here, r = (NUMBER)(totals[c] - here);                                       \
        left += here;                                                                                        \
        left_squares += l * l;                                                                               \
        right_squares += r * r;                                                                              \
      }                                                                                                      \
      running_rows += rows[j];                                                                               \
      offer(node, (double)left, (double)left_squares, (double)right_squares, running_rows,                   \
            (int32_t)j + lowest, missing_left, best);                                                        \
    }                                                                                                        \
  }

SWEEP_CELLS(sweep_cells_whole, int32_t)
SWEEP_CELLS(sweep_cells_double, double)

CKERNELS_CLONES
static void gini_cells(const uint16_t *codes, int64_t count, int32_t lowest, int32_t highest,
                       const int32_t *classes, const int32_t *counts, const int32_t *totals,
                       int32_t class_count, int32_t missing_code, const gini_node *node,
                       const forest_scratch *scratch, forest_split *best) {
  const int64_t width = highest - lowest + 1;
  const int64_t stride = class_stride(class_count);
  int32_t *cells = scratch->class_cells + stride;
  int32_t *left_counts = scratch->class_cells;
  int32_t *rows = scratch->cell_rows;
  int32_t *weights = (int32_t *)scratch->scores;
  memset(left_counts, 0, (size_t)(stride * (width + 1)) * sizeof(int32_t));
  memset(rows, 0, (size_t)width * sizeof(int32_t));
  memset(weights, 0, (size_t)width * sizeof(int32_t));
  for (int64_t i = 0; i < count; i++) {
    const int64_t cell = codes[i] - lowest;
    cells[cell * stride + classes[i]] += counts[i];
    rows[cell]++;
    weights[cell] += counts[i];
  }
  const int has_missing = highest == missing_code;
  const int64_t known = has_missing ? width - 1 : width;
  const int is_small = node->total_weight <= 46340;
  for (int32_t missing_left = has_missing ? 0 : -1; missing_left <= (has_missing ? 1 : -1); missing_left++) {
    int32_t left_rows = 0, left = 0;
    if (missing_left == 1) {
      memcpy(left_counts, cells + known * stride, (size_t)stride * sizeof(int32_t));
      left_rows = rows[known];
      left = weights[known];
    }
    if (is_small && stride % 8 == 0) {
      sweep_padded_cells(cells, known, lowest, totals, stride, left_counts, rows, weights, left_rows, left,
                         missing_left, node, best);
    } else if (is_small) {
      sweep_cells_whole(cells, known, lowest, totals, stride, left_counts, rows, left_rows, missing_left, node,
                        best);
    } else {
      sweep_cells_double(cells, known, lowest, totals, stride, left_counts, rows, left_rows, missing_left,
                         node, best);
    }
  }
}

// Splits between two codes, such as the sides of a threshold: the left one's rows are all there is to count.
CKERNELS_CLONES
static void gini_sides(const uint16_t *codes, int64_t count, int32_t lowest, const int32_t *classes,
                       const int32_t *counts, const int32_t *totals, int32_t class_count, const gini_node *node,
                       const forest_scratch *scratch, forest_split *best) {
  int32_t *restrict left_counts = scratch->class_cells;
  memset(left_counts, 0, (size_t)class_count * sizeof(int32_t));
  int32_t left_rows = 0;
  for (int64_t i = 0; i < count; i++) {
    // All bits on the left, none on the right; a comparison would become a branch that nobody can predict.
    const int32_t left_mask = (int32_t)codes[i] - lowest - 1;
    left_counts[classes[i]] += counts[i] & left_mask;
    left_rows -= left_mask;
  }
  int64_t left = 0, left_squares = 0, right_squares = 0;
  for (int32_t c = 0; c < class_count; c++) {
    const int64_t here = left_counts[c], there = totals[c] - left_counts[c];
    left += here;
    left_squares += here * here;
    right_squares += there * there;
  }
  offer(node, (double)left, (double)left_squares, (double)right_squares, left_rows, lowest, -1, best);
}

void forest_gini_split(const uint16_t *codes, int64_t count, int32_t lowest, int32_t highest,
                       const int32_t *classes, const int32_t *counts, const int32_t *totals,
                       int32_t class_count, double total_weight, double total_squares, int32_t missing_code,
                       forest_leaf_limits limits, const forest_scratch *scratch, forest_split *best) {
  best->decrease = -1;
  best->missing_left = -1;
  best->last_left = 0;
  const gini_node node = {total_weight, total_squares / total_weight, (int32_t)count, limits};
  const int64_t width = highest - lowest + 1;
  if (width == 2 && highest != missing_code) {
    gini_sides(codes, count, lowest, classes, counts, totals, class_count, &node, scratch, best);
    return;
  }
  // A sweep over rows costs about eight times as much an element as one over a table of counts.
  if (width * class_count <= 8 * count && (width + 1) * class_stride(class_count) <= scratch->class_cell_capacity) {
    gini_cells(codes, count, lowest, highest, classes, counts, totals, class_count, missing_code, &node,
               scratch, best);
  } else {
    gini_rows(codes, count, lowest, highest, classes, counts, totals, class_count, total_squares,
              missing_code, &node, scratch, best);
  }
}

// Weighted classes: the terms are w² for Gini and w·log2(w) for entropy, kept per class and renewed for the
// class that a row moves.

typedef struct {
  int criterion;
  double total_weight;
  double parent_score;
  int32_t total_rows;
  forest_leaf_limits limits;
} weighted_node;

static inline double class_term(int criterion, double weight) {
  if (criterion == 0) return weight * weight;
  return weight > 0 ? weight * log2(weight) : 0;
}

static inline double side_score(int criterion, double terms, double weight) {
  return criterion == 0 ? terms / weight : terms - class_term(1, weight);
}

static inline void move_left(int criterion, int32_t c, double weight, const double *totals, double *left,
                             double *terms, int32_t class_count, double *left_terms, double *right_terms) {
  const double here = left[c] + weight;
  left[c] = here;
  const double left_term = class_term(criterion, here);
  const double right_term = class_term(criterion, totals[c] - here);
  *left_terms += left_term - terms[c];
  *right_terms += right_term - terms[class_count + c];
  terms[c] = left_term;
  terms[class_count + c] = right_term;
}

static void sweep_weighted(const uint64_t *order, int64_t known, int64_t count, int missing_left,
                           const int32_t *classes, const double *weights, const double *totals,
                           int32_t class_count, const weighted_node *node, const forest_scratch *scratch,
                           forest_split *best) {
  double *left = scratch->class_left, *terms = scratch->class_terms;
  double left_terms = 0, right_terms = 0, left_weight = 0;
  for (int32_t c = 0; c < class_count; c++) {
    left[c] = 0;
    terms[c] = 0;
    terms[class_count + c] = class_term(node->criterion, totals[c]);
    right_terms += terms[class_count + c];
  }
  int32_t left_rows = 0;
  if (missing_left == 1) {
    for (int64_t j = known; j < count; j++) {
      const uint32_t row = (uint32_t)order[j];
      move_left(node->criterion, classes[row], weights[row], totals, left, terms, class_count, &left_terms,
                &right_terms);
      left_weight += weights[row];
      left_rows++;
    }
  }
  for (int64_t j = 0; j < known; j++) {
    const uint64_t key = order[j];
    const uint32_t row = (uint32_t)key;
    move_left(node->criterion, classes[row], weights[row], totals, left, terms, class_count, &left_terms,
              &right_terms);
    left_weight += weights[row];
    left_rows++;
    if (j + 1 < known && key >> 32 == order[j + 1] >> 32) continue;
    const double right_weight = node->total_weight - left_weight;
    if (left_weight < node->limits.weight || right_weight < node->limits.weight) continue;
    if (left_rows < node->limits.rows || node->total_rows - left_rows < node->limits.rows) continue;
    const double score = side_score(node->criterion, left_terms, left_weight) +
                         side_score(node->criterion, right_terms, right_weight) - node->parent_score;
    const double decrease = score > 0 ? score : 0;
    if (decrease > best->decrease) {
      best->decrease = decrease;
      best->last_left = (int32_t)(key >> 32);
      best->missing_left = missing_left;
    }
  }
}

void forest_weighted_class_split(int criterion, const uint16_t *codes, int64_t count, int32_t lowest,
                                 int32_t highest, const int32_t *classes, const double *weights,
                                 const double *totals, int32_t class_count, double total_weight,
                                 int32_t missing_code, forest_leaf_limits limits,
                                 const forest_scratch *scratch, forest_split *best) {
  best->decrease = -1;
  best->missing_left = -1;
  best->last_left = 0;
  double parent_terms = 0;
  for (int32_t c = 0; c < class_count; c++) parent_terms += class_term(criterion, totals[c]);
  const weighted_node node = {criterion, total_weight, side_score(criterion, parent_terms, total_weight),
                              (int32_t)count, limits};
  forest_sort(codes, count, lowest, highest, scratch);
  int64_t known = count;
  if (highest == missing_code) {
    while (known > 0 && (int32_t)(scratch->order[known - 1] >> 32) == missing_code) known--;
  }
  sweep_weighted(scratch->order, known, count, known < count ? 0 : -1, classes, weights, totals, class_count,
                 &node, scratch, best);
  if (known < count) {
    sweep_weighted(scratch->order, known, count, 1, classes, weights, totals, class_count, &node, scratch,
                   best);
  }
}
