// The residuals of the softmax in single precision, written once for two widths of vectors. Whoever includes this says how
// many numbers make a vector (SOFTMAX_LANES: 8 or 16).

#include <math.h>
#include <string.h>

#if defined(__clang__)
#pragma clang fp reassociate(off) contract(fast)
// Vectors are passed to functions that are always part of their caller: no convention of calls is concerned.
#pragma clang diagnostic ignored "-Wpsabi"
#endif

typedef float Vector __attribute__((ext_vector_type(SOFTMAX_LANES)));
typedef int32_t Integers __attribute__((ext_vector_type(SOFTMAX_LANES)));
typedef float Eight __attribute__((ext_vector_type(8)));
enum { lanes = SOFTMAX_LANES, mostVectors = 48 / lanes };

static inline __attribute__((always_inline)) float sumOf(Eight v) {
  typedef float Four __attribute__((ext_vector_type(4)));
  typedef float Two __attribute__((ext_vector_type(2)));
  Four four = v.lo + v.hi;
  Two two = four.lo + four.hi;
  return two.x + two.y;
}

// Eights are added in their order, whatever makes a vector.
static inline __attribute__((always_inline)) void add(Eight *sums, Vector v) {
#if SOFTMAX_LANES == 16
  *sums += v.lo;
  *sums += v.hi;
#else
  *sums += v;
#endif
}

static inline __attribute__((always_inline)) Vector larger(Vector a, Vector b) { return a > b ? a : b; }

static inline __attribute__((always_inline)) float largestOf(Vector v) {
#if SOFTMAX_LANES == 16
  Eight eight = v.lo > v.hi ? v.lo : v.hi;
#else
  Eight eight = v;
#endif
  Eight other = eight.s45670123;
  eight = eight > other ? eight : other;
  other = eight.s23016745;
  eight = eight > other ? eight : other;
  other = eight.s10325476;
  eight = eight > other ? eight : other;
  return eight.x;
}

// e^x for x ≤ 0 within 2 units in the last place: x = k·ln 2 + r, a polynomial for e^r, k into the exponent.
static inline __attribute__((always_inline)) Vector exponential(Vector x) {
  const float shifter = 0x1.8p23f;
  x = larger(x, (Vector)(-87.0f));
  Vector shifted = x * 0x1.715476p0f + shifter;
  Vector k = shifted - shifter;
  Vector r = x - k * 0x1.62e400p-1f;
  r -= k * 0x1.7f7d1cp-20f;
  Vector e = r * (1.0f / 5040) + 1.0f / 720;
  e = e * r + 1.0f / 120;
  e = e * r + 1.0f / 24;
  e = e * r + 1.0f / 6;
  e = e * r + 0.5f;
  e = e * r + 1;
  e = e * r + 1;
  Integers bits;
  memcpy(&bits, &shifted, sizeof bits);
  bits = (bits + 127) << 23;
  Vector power;
  memcpy(&power, &bits, sizeof power);
  return e * power;
}

// Rows of so many vectors, all of them in registers.
static inline __attribute__((always_inline)) double softmaxRows(int vectors, long rows, float *scores,
                                                                const float *offset, const int32_t *labels,
                                                                const double *weights, double *columnSums) {
  const long stride = vectors * lanes;
  Vector offsets[mostVectors], totals[mostVectors];
  for (int v = 0; v < vectors; v++) {
    memcpy(&offsets[v], offset + lanes * v, sizeof(Vector));
    totals[v] = (Vector)(0);
  }
  // A logarithm takes as long as all else that is done for a row: without weights one serves several rows. A row's sum
  // is 48 at most.
  double loss = 0, product = 1;
  for (long i = 0; i < rows; i++, scores += stride) {
    Vector row[mostVectors];
    for (int v = 0; v < vectors; v++) {
      memcpy(&row[v], scores + lanes * v, sizeof(Vector));
      row[v] += offsets[v];
    }
    Vector most = row[0];
    for (int v = 1; v < vectors; v++) most = larger(most, row[v]);
    float largest = largestOf(most);
    float own = scores[labels[i]] + offset[labels[i]] - largest;
    Eight sums = (Eight)(0);
    for (int v = 0; v < vectors; v++) {
      row[v] = exponential(row[v] - largest);
      add(&sums, row[v]);
    }
    float sum = sumOf(sums), weight = weights ? (float)weights[i] : 1;
    for (int v = 0; v < vectors; v++) {
      row[v] *= weight / sum;
      totals[v] += row[v];
      memcpy(scores + lanes * v, &row[v], sizeof(Vector));
    }
    scores[labels[i]] -= weight;
    columnSums[labels[i]] -= weight;
    loss -= (double)weight * own;
    if (weights) {
      loss += (double)weight * log(sum);
    } else {
      product *= sum;
      if ((i & 15) == 15) loss += log(product), product = 1;
    }
  }
  for (int v = 0; v < vectors; v++)
    for (int l = 0; l < lanes; l++) columnSums[lanes * v + l] += totals[v][l];
  return loss + log(product);
}
