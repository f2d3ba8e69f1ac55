import ApusLinearAlgebra
import ApusParallel

/// What fits on the same data with kernels of one sort share.
struct SharedKernel: Sendable {
  let points: Matrix<Float>
  let products: KernelProducts

  /// - Parameter order: the rows; those that are wanted together stand together.
  /// - Throws: ``ApusError`` of kind `cancelled`.
  init(
    _ kernel: KernelFunction, _ features: Matrix<Double>, order: [Int], _ compute: ComputeContext
  ) throws {
    points = kernel.points(features)
    products = try KernelProducts(kernel, points, order: order, compute)
  }
}
