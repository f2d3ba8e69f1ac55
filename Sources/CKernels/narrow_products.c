#include "CKernels.h"

typedef double Scalar;
typedef double Vector __attribute__((ext_vector_type(4)));
enum { lanes = 4 };
#define NARROW_SCORES ckernels_narrow_scores
#define NARROW_GRADIENT ckernels_narrow_gradient
#include "narrow_tiles.h"
