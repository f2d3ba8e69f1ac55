// The part of CBLAS and LAPACK that Apus calls, declared here because Debian's OpenBLAS has no LAPACKE and
// its headers bring a second LAPACK with them. LAPACK's Fortran routines take every argument by address and,
// after the last one, the length of each character argument.
#ifndef APUS_COPENBLAS_H
#define APUS_COPENBLAS_H

#include <stddef.h>
#include <stdint.h>

typedef int32_t blas_int;

enum BLASOrder { BLASRowMajor = 101, BLASColumnMajor = 102 };
enum BLASTranspose { BLASNoTranspose = 111, BLASTransposed = 112 };
enum BLASTriangle { BLASUpper = 121, BLASLower = 122 };
enum BLASDiagonal { BLASNonUnit = 131, BLASUnit = 132 };
enum BLASSide { BLASLeft = 141, BLASRight = 142 };

void openblas_set_num_threads(int count);
// Ends the threads of OpenBLAS' own; a call that wanted several would start them anew.
int blas_thread_shutdown_(void);
int openblas_get_num_threads(void);
char *openblas_get_config(void);
char *openblas_get_corename(void);

double cblas_ddot(blas_int n, const double *x, blas_int incx, const double *y, blas_int incy);
float cblas_sdot(blas_int n, const float *x, blas_int incx, const float *y, blas_int incy);
void cblas_daxpy(blas_int n, double alpha, const double *x, blas_int incx, double *y, blas_int incy);
void cblas_saxpy(blas_int n, float alpha, const float *x, blas_int incx, float *y, blas_int incy);
void cblas_dscal(blas_int n, double alpha, double *x, blas_int incx);
void cblas_sscal(blas_int n, float alpha, float *x, blas_int incx);
double cblas_dnrm2(blas_int n, const double *x, blas_int incx);
float cblas_snrm2(blas_int n, const float *x, blas_int incx);

void cblas_dgemv(enum BLASOrder order, enum BLASTranspose trans, blas_int m, blas_int n, double alpha,
                 const double *a, blas_int lda, const double *x, blas_int incx, double beta, double *y,
                 blas_int incy);
void cblas_sgemv(enum BLASOrder order, enum BLASTranspose trans, blas_int m, blas_int n, float alpha,
                 const float *a, blas_int lda, const float *x, blas_int incx, float beta, float *y,
                 blas_int incy);
void cblas_dgemm(enum BLASOrder order, enum BLASTranspose transa, enum BLASTranspose transb, blas_int m,
                 blas_int n, blas_int k, double alpha, const double *a, blas_int lda, const double *b,
                 blas_int ldb, double beta, double *c, blas_int ldc);
void cblas_sgemm(enum BLASOrder order, enum BLASTranspose transa, enum BLASTranspose transb, blas_int m,
                 blas_int n, blas_int k, float alpha, const float *a, blas_int lda, const float *b,
                 blas_int ldb, float beta, float *c, blas_int ldc);
void cblas_dsyrk(enum BLASOrder order, enum BLASTriangle uplo, enum BLASTranspose trans, blas_int n,
                 blas_int k, double alpha, const double *a, blas_int lda, double beta, double *c,
                 blas_int ldc);
void cblas_ssyrk(enum BLASOrder order, enum BLASTriangle uplo, enum BLASTranspose trans, blas_int n,
                 blas_int k, float alpha, const float *a, blas_int lda, float beta, float *c, blas_int ldc);

void cblas_dger(enum BLASOrder order, blas_int m, blas_int n, double alpha, const double *x, blas_int incx,
                const double *y, blas_int incy, double *a, blas_int lda);
void cblas_sger(enum BLASOrder order, blas_int m, blas_int n, float alpha, const float *x, blas_int incx,
                const float *y, blas_int incy, float *a, blas_int lda);
void cblas_dtrsm(enum BLASOrder order, enum BLASSide side, enum BLASTriangle uplo, enum BLASTranspose trans,
                 enum BLASDiagonal diag, blas_int m, blas_int n, double alpha, const double *a, blas_int lda,
                 double *b, blas_int ldb);
void cblas_strsm(enum BLASOrder order, enum BLASSide side, enum BLASTriangle uplo, enum BLASTranspose trans,
                 enum BLASDiagonal diag, blas_int m, blas_int n, float alpha, const float *a, blas_int lda,
                 float *b, blas_int ldb);

// Cholesky: factor, solve with the factor, both in one.
void dpotrf_(const char *uplo, const blas_int *n, double *a, const blas_int *lda, blas_int *info,
             size_t uplo_length);
void dpotrs_(const char *uplo, const blas_int *n, const blas_int *nrhs, const double *a, const blas_int *lda,
             double *b, const blas_int *ldb, blas_int *info, size_t uplo_length);
void spotrf_(const char *uplo, const blas_int *n, float *a, const blas_int *lda, blas_int *info,
             size_t uplo_length);
void spotrs_(const char *uplo, const blas_int *n, const blas_int *nrhs, const float *a, const blas_int *lda,
             float *b, const blas_int *ldb, blas_int *info, size_t uplo_length);

// The factors L and Q of A = L·Q.
void dgelqf_(const blas_int *m, const blas_int *n, double *a, const blas_int *lda, double *tau, double *work,
             const blas_int *lwork, blas_int *info);
void sgelqf_(const blas_int *m, const blas_int *n, float *a, const blas_int *lda, float *tau, float *work,
             const blas_int *lwork, blas_int *info);

// Symmetric eigenproblem, divide and conquer.
void dsyevd_(const char *jobz, const char *uplo, const blas_int *n, double *a, const blas_int *lda, double *w,
             double *work, const blas_int *lwork, blas_int *iwork, const blas_int *liwork, blas_int *info,
             size_t jobz_length, size_t uplo_length);
void ssyevd_(const char *jobz, const char *uplo, const blas_int *n, float *a, const blas_int *lda, float *w,
             float *work, const blas_int *lwork, blas_int *iwork, const blas_int *liwork, blas_int *info,
             size_t jobz_length, size_t uplo_length);

// Singular value decomposition, divide and conquer.
void dgesdd_(const char *jobz, const blas_int *m, const blas_int *n, double *a, const blas_int *lda,
             double *s, double *u, const blas_int *ldu, double *vt, const blas_int *ldvt, double *work,
             const blas_int *lwork, blas_int *iwork, blas_int *info, size_t jobz_length);
void sgesdd_(const char *jobz, const blas_int *m, const blas_int *n, float *a, const blas_int *lda, float *s,
             float *u, const blas_int *ldu, float *vt, const blas_int *ldvt, float *work,
             const blas_int *lwork, blas_int *iwork, blas_int *info, size_t jobz_length);

// Least squares through the singular value decomposition, rank-deficient systems included.
void dgelsd_(const blas_int *m, const blas_int *n, const blas_int *nrhs, double *a, const blas_int *lda,
             double *b, const blas_int *ldb, double *s, const double *rcond, blas_int *rank, double *work,
             const blas_int *lwork, blas_int *iwork, blas_int *info);
void sgelsd_(const blas_int *m, const blas_int *n, const blas_int *nrhs, float *a, const blas_int *lda,
             float *b, const blas_int *ldb, float *s, const float *rcond, blas_int *rank, float *work,
             const blas_int *lwork, blas_int *iwork, blas_int *info);

#endif
