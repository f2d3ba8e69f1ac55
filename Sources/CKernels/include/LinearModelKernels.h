// Loops over rows for linear models. Matrices lie row by row without gaps.
#ifndef APUS_LINEAR_MODEL_KERNELS_H
#define APUS_LINEAR_MODEL_KERNELS_H

#include <stdint.h>

// out[i] = scale[i] · (x[i] − shift, y[i] − yShift, 1), `columns + 2` wide, or `columns + 1` without y.
// `scale` may be null for ones.
void ckernels_shifted_rows(long rows, long columns, const double *x, const double *shift, const double *y,
                           double yShift, const double *scale, double *out);

// The lower triangle of ZᵀZ for those rows Z, of which the first `width` columns count: at most 60.
void ckernels_narrow_gram(long rows, long columns, long width, const double *x, const double *shift,
                          const double *y, double yShift, const double *scale, double *out, long outStride);

// out = x·w for x of rows × columns and few columns of w: w and out have rows of `stride` numbers, a multiple of 4.
// Where that is below some 40, faster than a general product, which is made for wide matrices.
void ckernels_narrow_scores(long rows, long columns, long stride, const double *x, const double *w, double *out);

// out += xᵀ·r for r of rows × stride and out of columns × stride.
void ckernels_narrow_gradient(long rows, long columns, long stride, const double *x, const double *r, double *out);

// Replaces scores (without the offsets; rows of `stride` numbers, of which `classes` count) by
// weight · (softmax(score + offset) − indicator of the row's class), adds their column sums, and returns the weighted
// sum of the log losses. `weights` may be null for ones.
double ckernels_softmax_residuals(long rows, long classes, double *scores, long stride, const double *offset,
                                  const int32_t *labels, const double *weights, double *columnSums);

// The two products in single precision, with rows of a multiple of 8 numbers.
void ckernels_narrow_scores_single(long rows, long columns, long stride, const float *x, const float *w, float *out);
void ckernels_narrow_gradient_single(long rows, long columns, long stride, const float *x, const float *r, float *out);

// The residuals in single precision: of all `stride` numbers a row, 8 to 48, with `stride` offsets; those of gaps are so
// low that their exponentials are nothing beside 1. `columnSums` has room for `stride`.
double ckernels_softmax_residuals_single(long rows, long stride, float *scores, const float *offset,
                                         const int32_t *labels, const double *weights, double *columnSums);

// The same for two classes and one score a row, the log-odds of class 1.
double ckernels_logistic_residuals(long rows, double *scores, double offset, const int32_t *labels,
                                   const double *weights, double *sum);

// Replaces scores (rows × classes) by softmax(score + offset).
void ckernels_softmax(long rows, long classes, double *scores, const double *offset);

// Replaces scores by 1 / (1 + exp(−score − offset)).
void ckernels_sigmoid(long rows, double *scores, double offset);

/// Whether none of `count` numbers is infinite or missing.
int ckernels_all_finite(const double *x, long count);

/// The predictions x·w + b of `rows` rows of `columns` features; returns whether all are finite.
int ckernels_linear_predictions(long rows, long columns, const double *x, const double *w, double b, double *out);

#endif
