// Hot loops that swiftc does not vectorise, each measured in Benchmarks/ before it was written in C.
#ifndef APUS_CKERNELS_H
#define APUS_CKERNELS_H

// Compiles a function for several instruction sets and picks one when the program starts.
#if defined(__x86_64__) && defined(__linux__)
#define CKERNELS_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CKERNELS_CLONES
#endif

#include "LinearModelKernels.h"
#include "ForestKernels.h"
#include "decimal.h"
#include "kmeans.h"
#include "svm.h"

#endif
