/// BLAS and LAPACK for one element type, under their classic names, on matrices stored row by row.
///
/// Arguments are those of the reference documentation with strides in elements; `lda` and its like are the
/// distance between rows. Call them through ``BLAS``, which knows the element type from its arguments.
/// LAPACK routines return its `info`: zero when all went well.
public protocol LinearAlgebraRoutines {
  /// The element type.
  associatedtype Scalar: MatrixScalar

  /// C (`m × n`) ← α·op(A)·op(B) + β·C; op(A) is `m × k`, op(B) is `k × n`.
  static func gemm(
    _ transposeA: Bool, _ transposeB: Bool, _ m: Int, _ n: Int, _ k: Int, _ alpha: Scalar,
    _ a: UnsafePointer<Scalar>, _ lda: Int, _ b: UnsafePointer<Scalar>, _ ldb: Int, _ beta: Scalar,
    _ c: UnsafeMutablePointer<Scalar>, _ ldc: Int)

  /// y ← α·op(A)·x + β·y; A itself is `m × n`.
  static func gemv(
    _ transpose: Bool, _ m: Int, _ n: Int, _ alpha: Scalar, _ a: UnsafePointer<Scalar>, _ lda: Int,
    _ x: UnsafePointer<Scalar>, _ incx: Int, _ beta: Scalar, _ y: UnsafeMutablePointer<Scalar>, _ incy: Int)

  /// The lower triangle of C (`n × n`) ← α·AᵀA + β·C (`transpose`, A is `k × n`), or of α·AAᵀ + β·C (A is
  /// `n × k`).
  static func syrk(
    _ transpose: Bool, _ n: Int, _ k: Int, _ alpha: Scalar, _ a: UnsafePointer<Scalar>, _ lda: Int,
    _ beta: Scalar, _ c: UnsafeMutablePointer<Scalar>, _ ldc: Int)

  /// A (`m × n`) ← A + α·x·yᵀ.
  static func ger(
    _ m: Int, _ n: Int, _ alpha: Scalar, _ x: UnsafePointer<Scalar>, _ incx: Int, _ y: UnsafePointer<Scalar>,
    _ incy: Int, _ a: UnsafeMutablePointer<Scalar>, _ lda: Int)

  /// B (`m × n`) ← L⁻¹·B, or L⁻ᵀ·B when transposed, for a lower triangular L.
  static func trsm(
    _ transpose: Bool, _ m: Int, _ n: Int, _ l: UnsafePointer<Scalar>, _ ldl: Int,
    _ b: UnsafeMutablePointer<Scalar>, _ ldb: Int)

  /// Σ xᵢ·yᵢ.
  static func dot(
    _ n: Int, _ x: UnsafePointer<Scalar>, _ incx: Int, _ y: UnsafePointer<Scalar>, _ incy: Int
  ) -> Scalar

  /// y ← α·x + y.
  static func axpy(
    _ n: Int, _ alpha: Scalar, _ x: UnsafePointer<Scalar>, _ incx: Int, _ y: UnsafeMutablePointer<Scalar>,
    _ incy: Int)

  /// x ← α·x.
  static func scal(_ n: Int, _ alpha: Scalar, _ x: UnsafeMutablePointer<Scalar>, _ incx: Int)

  /// √Σ xᵢ², without overflow.
  static func nrm2(_ n: Int, _ x: UnsafePointer<Scalar>, _ incx: Int) -> Scalar

  /// Writes the Cholesky factor L of A = L·Lᵀ over A's lower triangle; a positive result is the order of the
  /// first leading minor that is not positive.
  static func potrf(_ n: Int, _ a: UnsafeMutablePointer<Scalar>, _ lda: Int) -> Int

  /// b ← (L·Lᵀ)⁻¹·b for one vector.
  static func potrs(_ n: Int, _ l: UnsafePointer<Scalar>, _ ldl: Int, _ b: UnsafeMutablePointer<Scalar>)

  /// Eigenvalues of a symmetric matrix (read from its lower triangle) in ascending order, and eigenvector j in
  /// row j of `a`.
  static func syevd(
    _ n: Int, _ a: UnsafeMutablePointer<Scalar>, _ values: UnsafeMutablePointer<Scalar>
  ) -> Int

  /// Writes the factor R of A = Q·R, `m ≥ n`, over the upper triangle of A's first `n` rows; the rest is destroyed.
  static func geqrf(_ m: Int, _ n: Int, _ a: UnsafeMutablePointer<Scalar>)

  /// The thin decomposition A = U·diag(s)·Vᵀ: `u` is `m × r`, `vt` is `r × n`, r the smaller of both; `a` is
  /// destroyed.
  static func gesdd(
    _ m: Int, _ n: Int, _ a: UnsafeMutablePointer<Scalar>, _ s: UnsafeMutablePointer<Scalar>,
    _ u: UnsafeMutablePointer<Scalar>, _ vt: UnsafeMutablePointer<Scalar>
  ) -> Int

  /// The least-squares solution of smallest norm, for A and B stored *column by column*; the solution lies in
  /// the first `n` elements of each column of `b`. Both are destroyed.
  static func gelsd(
    _ m: Int, _ n: Int, _ count: Int, _ a: UnsafeMutablePointer<Scalar>, _ b: UnsafeMutablePointer<Scalar>,
    _ ldb: Int, _ s: UnsafeMutablePointer<Scalar>, _ tolerance: Scalar, _ rank: inout Int
  ) -> Int
}
