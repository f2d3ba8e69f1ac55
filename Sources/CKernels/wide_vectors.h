// What the files that are compiled for wide vectors alone offer to the others.
#ifndef APUS_WIDE_VECTORS_H
#define APUS_WIDE_VECTORS_H

#include <stddef.h>
#include <stdint.h>

void wide_narrow_scores(long rows, long columns, long stride, const double *x, const double *w, double *out);
void wide_narrow_gradient(long rows, long columns, long stride, const double *x, const double *r, double *out);
void wide_narrow_scores_single(long rows, long columns, long stride, const float *x, const float *w, float *out);
void wide_narrow_gradient_single(long rows, long columns, long stride, const float *x, const float *r, float *out);
double wide_softmax_residuals_single(long rows, long stride, float *scores, const float *offset,
                                     const int32_t *labels, const double *weights, double *columnSums);
void wide_nearest_two(const float *points, ptrdiff_t dims, const int32_t *rows, ptrdiff_t count,
                      const float *centres, const float *offsets, ptrdiff_t groups, float *scratch,
                      int32_t *nearest, float *best, float *second);

#endif
