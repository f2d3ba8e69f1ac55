#include "CKernels.h"
#include "wide_vectors.h"

#ifdef CKERNELS_WIDE
#define KMEANS_WIDTH 16
#define KMEANS_NEAREST_TWO wide_nearest_two
#define KMEANS_TARGET CKERNELS_WIDE
#include "kmeans_tiles.h"
#endif
