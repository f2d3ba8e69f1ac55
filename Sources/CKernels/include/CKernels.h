// Hot loops that swiftc does not vectorise, each measured in Benchmarks/ before it was written in C.
#ifndef APUS_CKERNELS_H
#define APUS_CKERNELS_H

// Compiles a function for several instruction sets and picks one when the program starts.
#if defined(__x86_64__) && defined(__linux__)
#define CKERNELS_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CKERNELS_CLONES
#endif

// Loops with vectors of 64 bytes and twice as many accumulators, which only the newest of these instruction sets has the
// registers for, are written apart and chosen by `ckernels_has_wide_vectors`. Unless told that such vectors are wanted,
// compilers halve them, as early CPUs that had them ran slower with them.
#if defined(__x86_64__) && defined(__linux__)
#define CKERNELS_WIDE __attribute__((target("arch=x86-64-v4"), __min_vector_width__(512)))
static inline int ckernels_has_wide_vectors(void) { return __builtin_cpu_supports("x86-64-v4"); }
#endif

#include "LinearModelKernels.h"
#include "ForestKernels.h"
#include "decimal.h"
#include "kmeans.h"
#include "neighbours.h"
#include "svm.h"

#endif
