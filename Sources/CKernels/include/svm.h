// The inner loops of support vector machines: rows of the kernel matrix, and the steps of sequential minimal
// optimisation.
#ifndef APUS_SVM_KERNELS_H
#define APUS_SVM_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/// The points that lie side by side in a block of the table of points; tables are padded to a multiple of it.
enum { SVMLanes = 32 };

/// The kernel functions.
enum { SVMLinear = 0, SVMPolynomial = 1, SVMRadial = 2, SVMSigmoid = 3 };

/// k(x, t) for a point and every point of a table, from the product q of both: ‖x − t‖² for the radial kernel and x·t for
/// the others. The values are q, (factor · q + constant)^degree, exp(−factor · q) or tanh(factor · q + constant).
///
/// `table` holds `blocks` blocks of SVMLanes points, dimension by dimension. Writes `blocks * SVMLanes` values.
void ckernels_svm_row(const float *table, ptrdiff_t dims, ptrdiff_t blocks, const float *x, int32_t kind,
                      float factor, float constant, int32_t degree, float *row);

/// The products of `count` points with every point of a table, in rows of `stride` numbers: to the bit those that
/// `ckernels_svm_row` forms.
void ckernels_svm_products(const float *table, ptrdiff_t dims, ptrdiff_t blocks, const float *x, ptrdiff_t count,
                           int32_t isRadial, float *out, ptrdiff_t stride);

/// The kernel values of products, which may stand in the same place.
void ckernels_svm_values(const float *products, ptrdiff_t count, int32_t kind, float factor, float constant,
                         int32_t degree, float *values);

/// Σ row(t) · coefficients(t), added up in double precision.
double ckernels_svm_dot(const float *row, const double *coefficients, ptrdiff_t count);

/// What one pass over the gradient finds.
typedef struct {
  /// The variable that may go up with the largest value, or -1.
  int64_t highest;
  /// That value, or -infinity.
  double highestValue;
  /// The smallest value of a variable that may go down, or infinity.
  double lowestValue;
} SVMExtremes;

/// Subtracts `step * (rowI - rowJ)` from the values of `count` variables, and finds their extremes.
///
/// `up` and `down` hold 0 for variables that may go up (down) and -infinity (infinity) for the others. Ties go
/// to the lower variable.
SVMExtremes ckernels_svm_update(double *values, const float *up, const float *down, const float *rowI,
                                const float *rowJ, double step, ptrdiff_t count);

/// Of `count` variables that may go down, the one that promises the largest gain together with variable i:
/// (highest - value)² / (k(i,i) + k(t,t) - 2 k(i,t)); -1 if there is none. Writes the gain.
int64_t ckernels_svm_partner(const double *values, const float *down, const float *rowI,
                             const float *diagonal, float diagonalI, double highest, ptrdiff_t count,
                             float *gain);

#endif
