#include "CKernels.h"
#include "ForestKernels.h"
#include "forest_order.h"
#include <math.h>
#include <string.h>

// The same bits on every machine: no clone may fuse what another does not.
#pragma clang fp contract(off)

// Inlined into every clone, so that each is compiled for its instruction set.
#define INLINE static inline __attribute__((always_inline))

// Up to this many rows, ranks by counting beat cells.
#define SMALL_NODE 32
// The widest range of codes whose keys fit the ranks' 16 bits.
#define SMALL_RANGE 1000

// Running totals at the positions between a node's rows or cells, where a split could be. A weight of zero
// marks positions that cannot: before the first row, or between equal codes.
typedef struct {
  const double *sums;
  const double *weights;
  const int32_t *rows; // NULL when position j leaves j + 1 rows on the left
  int64_t count;
  int64_t known_count; // positions before the missing values
  double missing_sum, missing_weight;
  int32_t missing_rows;
  double total_sum, total_weight;
  int32_t total_rows;
} split_positions;

// Scores are kept as the bits of doubles: non-negative ones compare as integers, which vectorise.
static inline int64_t score_bits(double score) {
  int64_t bits;
  memcpy(&bits, &score, sizeof bits);
  return bits;
}

static inline double score_value(int64_t bits) {
  double score;
  memcpy(&score, &bits, sizeof score);
  return score;
}

static inline double log_term(double sum, double weight) {
  return sum > 0 ? sum * log(sum / weight) : -INFINITY;
}

// The first best of the first `count` positions, or -1; the missing values go left where they are given.
INLINE int64_t best_position(int criterion, const split_positions *all, int64_t count,
                                    double missing_sum, double missing_weight, int32_t missing_rows,
                                    forest_leaf_limits limits, int64_t *restrict scores,
                                    double *best_score) {
  const double *restrict sums = all->sums, *restrict weights = all->weights;
  const double total_sum = all->total_sum, total_weight = all->total_weight;
  const double mean = total_sum / total_weight;
  if (criterion == 0) {
    for (int64_t j = 0; j < count; j++) {
      const double left = weights[j] + missing_weight;
      const double right = total_weight - left;
      const double shift = sums[j] + missing_sum - mean * left;
      const double score = shift * shift / (left * right) * total_weight;
      const int allowed = (weights[j] > 0) & (left >= limits.weight) & (right >= limits.weight);
      scores[j] = allowed ? score_bits(score) : -1;
    }
  } else {
    const double whole = log_term(total_sum, total_weight);
    for (int64_t j = 0; j < count; j++) {
      const double left = weights[j] + missing_weight;
      const double right = total_weight - left;
      scores[j] = -1;
      if (weights[j] <= 0 || left < limits.weight || right < limits.weight) continue;
      const double sum = sums[j] + missing_sum;
      const double score = log_term(sum, left) + log_term(total_sum - sum, right) - whole;
      if (score > -INFINITY) scores[j] = score > 0 ? score_bits(score) : 0;
    }
  }
  if (limits.rows > 1) {
    for (int64_t j = 0; j < count; j++) {
      const int32_t left = (all->rows ? all->rows[j] : (int32_t)j + 1) + missing_rows;
      if (left < limits.rows || all->total_rows - left < limits.rows) scores[j] = -1;
    }
  }
  int64_t best = -1;
  for (int64_t j = 0; j < count; j++) best = scores[j] > best ? scores[j] : best;
  if (best < 0) return -1;
  *best_score = score_value(best);
  int64_t first = 0;
  while (scores[first] != best) first++;
  return first;
}

// Tries missing values on the right and, where the node has some, on the left.
INLINE int64_t choose(int criterion, const split_positions *all, forest_leaf_limits limits,
                             int64_t *scores, forest_split *best) {
  best->decrease = -1;
  best->missing_left = all->missing_weight > 0 ? 0 : -1;
  int64_t position = best_position(criterion, all, all->count, 0, 0, 0, limits, scores, &best->decrease);
  if (all->missing_weight > 0 && all->known_count > 1) {
    double score = -1;
    const int64_t other = best_position(criterion, all, all->known_count - 1, all->missing_sum,
                                        all->missing_weight, all->missing_rows, limits, scores, &score);
    if (other >= 0 && score > best->decrease) {
      position = other;
      best->decrease = score;
      best->missing_left = 1;
    }
  }
  return position;
}

// The ranks of unique keys.
#define RANKS(LANES, KEY)                                                                                    \
  INLINE void ranks_##LANES##_##KEY(const KEY *keys, int64_t count, KEY *ranks) {                            \
    for (int i = 0; i < LANES; i++) ranks[i] = 0;                                                            \
    for (int64_t j = 0; j < count; j++) {                                                                    \
      const KEY key = keys[j];                                                                               \
      for (int i = 0; i < LANES; i++) ranks[i] += keys[i] > key;                                             \
    }                                                                                                        \
  }

RANKS(8, int16_t)
RANKS(16, int16_t)
RANKS(32, int16_t)
RANKS(8, int32_t)
RANKS(16, int32_t)
RANKS(32, int32_t)

// The ranks of up to SMALL_NODE codes, of equal ones in the order of the rows: a code with the row's place below it is
// a key; keys of codes that spread little are short, and twice as many fit into a vector.
#define SMALL_RANKS(KEY, LARGEST)                                                                            \
  INLINE void small_ranks_##KEY(const uint16_t *codes, int64_t count, int32_t lowest, uint16_t *places) {    \
    KEY keys[SMALL_NODE], ranks[SMALL_NODE];                                                                 \
    const int lanes = count <= 8 ? 8 : count <= 16 ? 16 : 32;                                                \
    for (int64_t i = 0; i < lanes; i++) keys[i] = LARGEST;                                                   \
    for (int64_t i = 0; i < count; i++) keys[i] = (KEY)((codes[i] - lowest) << 5 | i);                       \
    if (lanes == 8) {                                                                                        \
      ranks_8_##KEY(keys, count, ranks);                                                                     \
    } else if (lanes == 16) {                                                                                \
      ranks_16_##KEY(keys, count, ranks);                                                                    \
    } else {                                                                                                 \
      ranks_32_##KEY(keys, count, ranks);                                                                    \
    }                                                                                                        \
    for (int64_t i = 0; i < count; i++) places[i] = (uint16_t)ranks[i];                                      \
  }

SMALL_RANKS(int16_t, INT16_MAX)
SMALL_RANKS(int32_t, INT32_MAX)

// Splits between rows in sorted order: running totals over `count` rows, then the choice.
INLINE void split_rows(int criterion, const uint16_t *codes, const int64_t *sums,
                              const double *weights, int64_t count, double total_sum, double total_weight,
                              int32_t missing_code, forest_leaf_limits limits, double *restrict running_sums,
                              double *restrict running_weights, int64_t *scores, forest_split *best) {
  int64_t sum = 0, known = count, known_sum = 0;
  double weight = 0, known_weight = 0;
  for (int64_t j = 0; j < count; j++) {
    sum += sums[j];
    weight += weights[j];
    running_sums[j] = (double)sum;
    running_weights[j] = weight;
  }
  for (int64_t j = 0; j + 1 < count; j++) running_weights[j] = codes[j] != codes[j + 1] ? running_weights[j] : 0;
  split_positions all = {.sums = running_sums, .weights = running_weights, .count = count - 1,
                         .known_count = count, .total_sum = total_sum, .total_weight = total_weight,
                         .total_rows = (int32_t)count};
  if (codes[count - 1] == missing_code) {
    while (known > 0 && codes[known - 1] == missing_code) known--;
    for (int64_t j = 0; j < known; j++) {
      known_sum += sums[j];
      known_weight += weights[j];
    }
    all.known_count = known;
    all.missing_sum = (double)(sum - known_sum);
    all.missing_weight = weight - known_weight;
    all.missing_rows = (int32_t)(count - known);
  }
  const int64_t position = choose(criterion, &all, limits, scores, best);
  best->last_left = position < 0 ? 0 : codes[position];
}

CKERNELS_CLONES
static void split_small(int criterion, const uint16_t *codes, int64_t count, int32_t lowest, int32_t range,
                        const int64_t *sums, const double *weights, double total_sum, double total_weight,
                        int32_t missing_code, forest_leaf_limits limits, forest_split *best) {
  uint16_t ranks[SMALL_NODE], sorted_codes[SMALL_NODE];
  int64_t sorted_sums[SMALL_NODE], scores[SMALL_NODE];
  double sorted_weights[SMALL_NODE], running_sums[SMALL_NODE], running_weights[SMALL_NODE];
  if (range <= SMALL_RANGE) {
    small_ranks_int16_t(codes, count, lowest, ranks);
  } else {
    small_ranks_int32_t(codes, count, lowest, ranks);
  }
  for (int64_t i = 0; i < count; i++) {
    const uint16_t rank = ranks[i];
    sorted_codes[rank] = codes[i];
    sorted_sums[rank] = sums[i];
    sorted_weights[rank] = weights[i];
  }
  split_rows(criterion, sorted_codes, sorted_sums, sorted_weights, count, total_sum, total_weight,
             missing_code, limits, running_sums, running_weights, scores, best);
}

typedef int64_t Longs __attribute__((ext_vector_type(4)));
typedef double Doubles __attribute__((ext_vector_type(4)));

// Splits the squared error between three or four rows without putting them in order: what lies left of each row's
// threshold is summed for all rows at once. With more rows, order wins.
CKERNELS_CLONES
static void split_few(const uint16_t *codes, int64_t count, const int64_t *sums, const double *weights,
                      double total_sum, double total_weight, double least_weight, forest_split *best) {
  Longs own = (Longs)(UINT16_MAX + 1), left_sums = (Longs)(0);
  Doubles left = (Doubles)(0);
  for (int64_t i = 0; i < count; i++) own[i] = codes[i];
  for (int64_t i = 0; i < count; i++) {
    const Longs is_left = own >= (Longs)((int64_t)codes[i]);
    left_sums += is_left & (Longs)(sums[i]);
    left += (Doubles)(is_left & (Longs)((Doubles)(weights[i])));
  }
  const double mean = total_sum / total_weight;
  const Doubles right = total_weight - left;
  const Doubles shift = __builtin_convertvector(left_sums, Doubles) - mean * left;
  const Doubles score = shift * shift / (left * right) * total_weight;
  // Past the last row, and at the highest code, nothing is left on the right.
  const Longs allowed = (left >= least_weight) & (right >= least_weight);
  const Longs bits = (allowed & (Longs)score) | ~allowed;
  int64_t highest = -1, code = UINT16_MAX;
  for (int lane = 0; lane < 4; lane++) highest = bits[lane] > highest ? bits[lane] : highest;
  for (int lane = 0; lane < 4; lane++) code = bits[lane] == highest && own[lane] < code ? own[lane] : code;
  best->decrease = highest < 0 ? -1 : score_value(highest);
  best->last_left = highest < 0 ? 0 : (int32_t)code;
  best->missing_left = -1;
}

// Sums the rows of equal code in a cell, then splits between cells.
CKERNELS_CLONES
static void split_cells(int criterion, const uint16_t *codes, int64_t count, int32_t lowest, int32_t highest,
                        const int64_t *sums, const double *weights, double total_sum, double total_weight,
                        int32_t missing_code, forest_leaf_limits limits, const forest_scratch *scratch,
                        forest_split *best) {
  const int64_t width = highest - lowest + 1;
  int64_t *restrict cell_sums = scratch->cell_sums;
  double *restrict cell_weights = scratch->cell_weights;
  memset(cell_sums, 0, (size_t)width * sizeof(int64_t));
  memset(cell_weights, 0, (size_t)width * sizeof(double));
  for (int64_t i = 0; i < count; i++) {
    const int64_t cell = codes[i] - lowest;
    cell_sums[cell] += sums[i];
    cell_weights[cell] += weights[i];
  }
  double *restrict running_sums = scratch->sums;
  double *restrict running_weights = scratch->weights;
  int64_t sum = 0;
  double weight = 0;
  for (int64_t j = 0; j < width; j++) {
    sum += cell_sums[j];
    weight += cell_weights[j];
    running_sums[j] = (double)sum;
    running_weights[j] = weight;
  }
  split_positions all = {.sums = running_sums, .weights = running_weights, .count = width - 1,
                         .known_count = width, .total_sum = total_sum, .total_weight = total_weight,
                         .total_rows = (int32_t)count};
  int32_t *rows = scratch->cell_rows;
  if (limits.rows > 1 || highest == missing_code) {
    memset(rows, 0, (size_t)width * sizeof(int32_t));
    for (int64_t i = 0; i < count; i++) rows[codes[i] - lowest]++;
    if (highest == missing_code) {
      all.known_count = width - 1;
      all.missing_sum = (double)cell_sums[width - 1];
      all.missing_weight = cell_weights[width - 1];
      all.missing_rows = rows[width - 1];
    }
    for (int64_t j = 1; j < width; j++) rows[j] += rows[j - 1];
    all.rows = rows;
  }
  const int64_t position = choose(criterion, &all, limits, scratch->scores, best);
  best->last_left = position < 0 ? 0 : (int32_t)position + lowest;
}

static void split_sorted(int criterion, const uint16_t *codes, int64_t count, int32_t lowest,
                         int32_t highest, const int64_t *sums, const double *weights, double total_sum,
                         double total_weight, int32_t missing_code, forest_leaf_limits limits,
                         const forest_scratch *scratch, forest_split *best) {
  forest_sort(codes, count, lowest, highest, scratch);
  const uint64_t *order = scratch->order;
  // The sort is done with its room, so the sorted columns may lie there.
  uint16_t *sorted_codes = (uint16_t *)scratch->order_buffer;
  int64_t *sorted_sums = scratch->cell_sums;
  double *sorted_weights = scratch->cell_weights;
  for (int64_t j = 0; j < count; j++) {
    const uint64_t key = order[j];
    const uint32_t row = (uint32_t)key;
    sorted_codes[j] = (uint16_t)(key >> 32);
    sorted_sums[j] = sums[row];
    sorted_weights[j] = weights[row];
  }
  split_rows(criterion, sorted_codes, sorted_sums, sorted_weights, count, total_sum, total_weight,
             missing_code, limits, scratch->sums, scratch->weights, scratch->scores, best);
}

void forest_regression_split(int criterion, const uint16_t *codes, int64_t count, int32_t lowest,
                             int32_t highest, const int64_t *sums, const double *weights, double total_sum,
                             double total_weight, int32_t missing_code, forest_leaf_limits limits,
                             const forest_scratch *scratch, forest_split *best) {
  const int32_t range = highest - lowest;
  if (count == 2 && criterion == 0 && highest != missing_code && limits.rows <= 1) {
    // Half of all nodes: there is one split.
    const double left = weights[codes[0] > codes[1]], right = total_weight - left;
    const double shift = (double)sums[codes[0] > codes[1]] - total_sum / total_weight * left;
    const int allowed = (left >= limits.weight) & (right >= limits.weight);
    best->decrease = allowed ? shift * shift / (left * right) * total_weight : -1;
    best->last_left = lowest;
    best->missing_left = -1;
  } else if (count <= 4 && criterion == 0 && highest != missing_code && limits.rows <= 1) {
    split_few(codes, count, sums, weights, total_sum, total_weight, limits.weight, best);
  } else if (count <= SMALL_NODE) {
    split_small(criterion, codes, count, lowest, range, sums, weights, total_sum, total_weight, missing_code,
                limits, best);
  } else if (range < 256 || range < 4 * count) {
    split_cells(criterion, codes, count, lowest, highest, sums, weights, total_sum, total_weight,
                missing_code, limits, scratch, best);
  } else {
    split_sorted(criterion, codes, count, lowest, highest, sums, weights, total_sum, total_weight,
                 missing_code, limits, scratch, best);
  }
}
