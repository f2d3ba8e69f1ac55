#include "CKernels.h"
#include "ForestKernels.h"
#include "forest_order.h"
#include <math.h>
#include <string.h>

// The same bits on every machine: no clone may fuse what another does not.
#pragma clang fp contract(off)

// Inlined into every clone, so that each is compiled for its instruction set.
#define INLINE static inline __attribute__((always_inline))

// Up to this many rows, comparing all pairs beats order.
#define FEW 16
// Up to this many rows, ranks by counting beat a sort, and cells of codes that spread far.
#define SMALL_NODE 32
// The positions that are scored at once.
#define SCORED_AT_ONCE 8
// The widest range of codes whose keys fit the ranks' 16 bits.
#define SMALL_RANGE 1000

// Up to this range, cells of the codes that occur beat cells of all codes and a sort, where codes spread over more than
// so many times the rows.
#define OCCUPIED_RANGE 2048
#define OCCUPIED_SPREAD 2

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

// The ranks of up to COUNT codes, of equal ones in the order of the rows: a code with the row's place below it is a
// unique key. Keys are made as whole vectors, since a load of what was just written in parts waits for all of it.
#define RANKS(COUNT, KEY, LARGEST)                                                                           \
  INLINE void ranks_##COUNT##_##KEY(const uint16_t *codes, int64_t count, int32_t lowest, uint16_t *places) { \
    KEY keys[COUNT], ranks[COUNT];                                                                           \
    for (int i = 0; i < COUNT; i++) {                                                                        \
      const KEY key = (KEY)(((int32_t)codes[i] - lowest) << 5 | i);                                          \
      keys[i] = i < count ? key : LARGEST;                                                                   \
      ranks[i] = 0;                                                                                          \
    }                                                                                                        \
    for (int64_t j = 0; j < count; j++) {                                                                    \
      const KEY key = keys[j];                                                                               \
      for (int i = 0; i < COUNT; i++) ranks[i] += keys[i] > key;                                             \
    }                                                                                                        \
    for (int i = 0; i < COUNT; i++) places[i] = (uint16_t)ranks[i];                                          \
  }

RANKS(8, int16_t, INT16_MAX)
RANKS(16, int16_t, INT16_MAX)
RANKS(32, int16_t, INT16_MAX)
RANKS(8, int32_t, INT32_MAX)
RANKS(16, int32_t, INT32_MAX)
RANKS(32, int32_t, INT32_MAX)

// The ranks of up to SMALL_NODE codes. Keys of codes that spread little are short, and twice as many fit into a vector.
INLINE void small_ranks(const uint16_t *codes, int64_t count, int32_t lowest, int32_t range, uint16_t *places) {
  if (range <= SMALL_RANGE) {
    if (count <= 8) ranks_8_int16_t(codes, count, lowest, places);
    else if (count <= 16) ranks_16_int16_t(codes, count, lowest, places);
    else ranks_32_int16_t(codes, count, lowest, places);
  } else {
    if (count <= 8) ranks_8_int32_t(codes, count, lowest, places);
    else if (count <= 16) ranks_16_int32_t(codes, count, lowest, places);
    else ranks_32_int32_t(codes, count, lowest, places);
  }
}

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
    scores[j] = sum;
    running_weights[j] = weight;
  }
  // Several at once, and not one with each sum.
  for (int64_t j = 0; j < count; j++) running_sums[j] = (double)scores[j];
  // A mask and no branch: nobody can predict which codes are equal.
  for (int64_t j = 0; j + 1 < count; j++) {
    const int64_t differs = -(int64_t)(codes[j] != codes[j + 1]);
    running_weights[j] = score_value(score_bits(running_weights[j]) & differs);
  }
  // Up to the next whole vector, weights of zero are cheaper than an end that is no whole vector.
  const int64_t padded = (count - 1 + SCORED_AT_ONCE - 1) / SCORED_AT_ONCE * SCORED_AT_ONCE;
  for (int64_t j = count - 1; j < padded; j++) running_sums[j] = running_weights[j] = 0;
  split_positions all = {.sums = running_sums, .weights = running_weights, .count = padded,
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
  small_ranks(codes, count, lowest, range, ranks);
  for (int64_t i = 0; i < count; i++) {
    const uint16_t rank = ranks[i];
    sorted_codes[rank] = codes[i];
    sorted_sums[rank] = sums[i];
    sorted_weights[rank] = weights[i];
  }
  split_rows(criterion, sorted_codes, sorted_sums, sorted_weights, count, total_sum, total_weight,
             missing_code, limits, running_sums, running_weights, scores, best);
}

// Vectors for as many rows at once.
#define LANES(COUNT)                                                                                         \
  typedef uint16_t Codes##COUNT __attribute__((ext_vector_type(COUNT)));                                     \
  typedef int64_t Longs##COUNT __attribute__((ext_vector_type(COUNT)));                                      \
  typedef double Doubles##COUNT __attribute__((ext_vector_type(COUNT)));

LANES(4)
LANES(8)
LANES(16)

// Splits the squared error between a few rows without putting them in order: what lies left of each row's threshold is
// summed for all rows at once. Codes are loaded as one vector, since a load of what was just written in parts waits
// for all of it: with 5 rows that alone took three quarters of the time.
#define SPLIT_FEW(COUNT)                                                                                     \
  CKERNELS_CLONES                                                                                            \
  static void split_few_##COUNT(const uint16_t *codes, int64_t count, const int64_t *sums,                   \
                                const double *weights, double total_sum, double total_weight,                \
                                forest_leaf_limits limits, forest_split *best) {                             \
    Codes##COUNT loaded;                                                                                     \
    memcpy(&loaded, codes, sizeof loaded);                                                                   \
    Longs##COUNT own = __builtin_convertvector(loaded, Longs##COUNT);                                        \
    for (int64_t i = 0; i < COUNT; i++) own[i] = i < count ? own[i] : UINT16_MAX + 1;                        \
    Longs##COUNT left_sums = (Longs##COUNT)(0);                                                              \
    Doubles##COUNT left = (Doubles##COUNT)(0);                                                               \
    for (int64_t i = 0; i < count; i++) {                                                                    \
      const Longs##COUNT is_left = own >= (Longs##COUNT)((int64_t)codes[i]);                                 \
      left_sums += is_left & (Longs##COUNT)(sums[i]);                                                        \
      left += (Doubles##COUNT)(is_left & (Longs##COUNT)((Doubles##COUNT)(weights[i])));                      \
    }                                                                                                        \
    const double mean = total_sum / total_weight;                                                            \
    const Doubles##COUNT right = total_weight - left;                                                        \
    const Doubles##COUNT shift = __builtin_convertvector(left_sums, Doubles##COUNT) - mean * left;           \
    const Doubles##COUNT score = shift * shift / (left * right) * total_weight;                              \
    /* Past the last row, and at the highest code, nothing is left on the right. */                          \
    Longs##COUNT allowed = (left >= limits.weight) & (right >= limits.weight);                               \
    if (limits.rows > 1) {                                                                                   \
      Longs##COUNT left_rows = (Longs##COUNT)(0);                                                            \
      for (int64_t i = 0; i < count; i++) left_rows -= own >= (Longs##COUNT)((int64_t)codes[i]);             \
      allowed &= (left_rows >= (Longs##COUNT)((int64_t)limits.rows)) &                                       \
                 (left_rows <= (Longs##COUNT)(count - limits.rows));                                         \
    }                                                                                                        \
    const Longs##COUNT bits = (allowed & (Longs##COUNT)score) | ~allowed;                                    \
    const int64_t highest = __builtin_reduce_max(bits);                                                      \
    const Longs##COUNT is_best = bits == highest;                                                            \
    const int64_t code = __builtin_reduce_min((is_best & own) | (~is_best & (Longs##COUNT)(UINT16_MAX)));    \
    best->decrease = highest < 0 ? -1 : score_value(highest);                                                \
    best->last_left = highest < 0 ? 0 : (int32_t)code;                                                       \
    best->missing_left = -1;                                                                                 \
  }

SPLIT_FEW(4)
SPLIT_FEW(8)
SPLIT_FEW(16)

// Splits between cells in whose order the sums and weights of rows of equal code stand in the scratch; `rows` has how
// many rows each cell has, NULL where nobody asks. Returns the last cell on the left, or -1.
INLINE int64_t best_cell(int criterion, int64_t width, int64_t count, int has_missing, int32_t *rows,
                         double total_sum, double total_weight, forest_leaf_limits limits,
                         const forest_scratch *scratch, forest_split *best) {
  const int64_t *restrict cell_sums = scratch->cell_sums;
  const double *restrict cell_weights = scratch->cell_weights;
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
  if (rows) {
    if (has_missing) {
      all.known_count = width - 1;
      all.missing_sum = (double)cell_sums[width - 1];
      all.missing_weight = cell_weights[width - 1];
      all.missing_rows = rows[width - 1];
    }
    for (int64_t j = 1; j < width; j++) rows[j] += rows[j - 1];
    all.rows = rows;
  }
  return choose(criterion, &all, limits, scratch->scores, best);
}

// A cell for each code.
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
  const int has_missing = highest == missing_code;
  int32_t *rows = limits.rows > 1 || has_missing ? scratch->cell_rows : NULL;
  if (rows) {
    memset(rows, 0, (size_t)width * sizeof(int32_t));
    for (int64_t i = 0; i < count; i++) rows[codes[i] - lowest]++;
  }
  const int64_t cell =
      best_cell(criterion, width, count, has_missing, rows, total_sum, total_weight, limits, scratch, best);
  best->last_left = cell < 0 ? 0 : (int32_t)cell + lowest;
}

// A cell for each code that occurs, where few of them do: its number is how many lower ones occur, which the bits that
// stand for them say without a sort.
CKERNELS_CLONES
static void split_occupied(int criterion, const uint16_t *codes, int64_t count, int32_t lowest, int32_t highest,
                           const int64_t *sums, const double *weights, double total_sum, double total_weight,
                           int32_t missing_code, forest_leaf_limits limits, const forest_scratch *scratch,
                           forest_split *best) {
  uint64_t bits[OCCUPIED_RANGE / 64] = {0};
  int32_t before[OCCUPIED_RANGE / 64];
  uint16_t code_of_cell[OCCUPIED_RANGE];
  for (int64_t i = 0; i < count; i++) {
    const uint32_t code = (uint32_t)(codes[i] - lowest);
    bits[code >> 6] |= (uint64_t)1 << (code & 63);
  }
  int32_t width = 0;
  for (int32_t word = 0; word <= (highest - lowest) >> 6; word++) {
    before[word] = width;
    width += __builtin_popcountll(bits[word]);
  }
  int64_t *restrict cell_sums = scratch->cell_sums;
  double *restrict cell_weights = scratch->cell_weights;
  int32_t *restrict rows = scratch->cell_rows;
  for (int32_t j = 0; j < width; j++) {
    cell_sums[j] = 0;
    cell_weights[j] = 0;
    rows[j] = 0;
  }
  for (int64_t i = 0; i < count; i++) {
    const uint32_t code = (uint32_t)(codes[i] - lowest);
    const uint64_t lower = ((uint64_t)1 << (code & 63)) - 1;
    const int32_t cell = before[code >> 6] + __builtin_popcountll(bits[code >> 6] & lower);
    cell_sums[cell] += sums[i];
    cell_weights[cell] += weights[i];
    rows[cell]++;
    code_of_cell[cell] = codes[i];
  }
  const int has_missing = highest == missing_code;
  const int64_t cell = best_cell(criterion, width, count, has_missing, limits.rows > 1 || has_missing ? rows : NULL,
                                 total_sum, total_weight, limits, scratch, best);
  best->last_left = cell < 0 ? 0 : code_of_cell[cell];
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
  } else if (count <= FEW && criterion == 0 && highest != missing_code) {
    (count <= 4   ? split_few_4
     : count <= 8 ? split_few_8
                  : split_few_16)(codes, count, sums, weights, total_sum, total_weight, limits, best);
  } else if (count <= FEW || (count <= SMALL_NODE && range >= OCCUPIED_RANGE)) {
    split_small(criterion, codes, count, lowest, range, sums, weights, total_sum, total_weight, missing_code,
                limits, best);
  } else if (range < OCCUPIED_SPREAD * count) {
    split_cells(criterion, codes, count, lowest, highest, sums, weights, total_sum, total_weight,
                missing_code, limits, scratch, best);
  } else if (range < OCCUPIED_RANGE) {
    split_occupied(criterion, codes, count, lowest, highest, sums, weights, total_sum, total_weight, missing_code,
                   limits, scratch, best);
  } else {
    split_sorted(criterion, codes, count, lowest, highest, sums, weights, total_sum, total_weight,
                 missing_code, limits, scratch, best);
  }
}
