// The inner loops of k-means: distances between points and centres in single precision.
#ifndef APUS_KMEANS_KERNELS_H
#define APUS_KMEANS_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/// The most points that are handled side by side, one a vector lane: scratch space has room for them.
enum { KMeansLanes = 32 };

/// The centres that are handled together; tables of centres are padded to a multiple of it.
enum { KMeansCentreGroup = 4 };

/// For chosen points, the centre with the lowest score ‖c‖²/2 − x·c, that score, and the next lowest one.
///
/// `points` are `dims` floats each. `rows` numbers the points to look at, or is NULL for the first `count`.
/// `centres` holds the negated centres in groups of KMeansCentreGroup, dimension by dimension; `offsets` one
/// number a centre (‖c‖²/2, infinite for padding). `scratch` has room for `KMeansLanes * dims` floats. Results
/// are written one a chosen point. Ties go to the lower centre.
void ckernels_nearest_two(const float *points, ptrdiff_t dims, const int32_t *rows, ptrdiff_t count,
                          const float *centres, const float *offsets, ptrdiff_t groups, float *scratch,
                          int32_t *nearest, float *best, float *second);

/// The largest of |x − shift| over `rows` points of `dims` numbers.
double ckernels_kmeans_reach(const double *x, ptrdiff_t rows, ptrdiff_t dims, const double *shift);

/// Writes (x − shift)·scale in single precision, and the squared length of each point.
void ckernels_kmeans_scale(const double *x, ptrdiff_t rows, ptrdiff_t dims, const double *shift, double scale,
                           float *points, float *squaredNorms);

/// Adds (x − shift)·weight of a point to the sums of the cluster that gains it, and takes it from those of the one that
/// loses it, if there is one.
void ckernels_kmeans_move(const double *row, ptrdiff_t dims, const double *shift, double weight, double *gains,
                          double *losses);

/// Turns what `ckernels_nearest_two` found for chosen points into distance bounds; returns how many of the points
/// need a look, and writes their positions among the chosen ones to `open`: those that change their cluster and
/// those whose two nearest centres single precision cannot tell.
///
/// `best` and `second` become the bounds, which are also written to `upper` and `lower` of the points. A point is
/// undecided when its `second` is negative.
ptrdiff_t ckernels_kmeans_bounds(const int32_t *rows, ptrdiff_t count, const int32_t *nearest,
                                 const int32_t *labels, const float *squaredNorms, const float *pointErrors,
                                 const float *centreErrors, float *best, float *second, float *upper,
                                 float *lower, int32_t *open);

/// Moves the distance bounds of points `0 ..< count` along with their centres and lists the points whose
/// nearest centre may have changed; returns how many.
///
/// A point keeps its centre while `upper` (its distance to it) is below `lower` (its distance to every other
/// centre) or below `apart` (half the distance from its centre to the next one). `moves` and `othersMove` say,
/// for each centre, how far it and the farthest of the others moved. `centres` are `dims` floats each and
/// `errors` bounds, for each centre, the rounding of a distance to it; a point's own share is `pointErrors`.
ptrdiff_t ckernels_kmeans_active(const float *points, ptrdiff_t dims, ptrdiff_t count, const int32_t *labels,
                                 float *upper, float *lower, const float *moves, const float *othersMove,
                                 const float *apart, const float *centres, const float *errors,
                                 const float *pointErrors, int32_t *rows);

/// For each of `candidates` points (at most 32), what the squared distance of every point to its nearest
/// chosen centre would become: `shrunk[candidate * stride + point]`, and its weighted sum in `potentials`.
///
/// `weights` may be NULL for ones. `scratch` has room for `KMeansLanes * dims` floats.
void ckernels_kmeans_candidates(const float *points, ptrdiff_t dims, ptrdiff_t count, const float *candidates,
                                ptrdiff_t candidateCount, const float *closest, const float *weights,
                                float *shrunk, ptrdiff_t stride, float *scratch, double *potentials);

#endif
