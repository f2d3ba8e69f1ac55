/// The kernel functions of support vector machines.
public enum SupportVectorKernel: String, ParameterChoice {
  /// exp(−γ‖x − y‖²), the radial basis function.
  case rbf
  /// x·y.
  case linear
  /// (γ x·y + c₀)^degree; scikit-learn's `poly`.
  case polynomial
  /// tanh(γ x·y + c₀).
  case sigmoid

  /// Takes one of the words, or `poly`.
  public init?(parameterValue: ParameterValue) {
    guard case .string(let word) = parameterValue else { return nil }
    guard let kernel = Self(rawValue: word == "poly" ? "polynomial" : word.lowercased()) else { return nil }
    self = kernel
  }
}

/// The factor γ of a kernel.
public enum KernelGamma: Sendable, Hashable, Codable {
  /// 1 / (p · variance of all elements of the features).
  case scale
  /// 1 / p.
  case auto
  /// A number above 0.
  case value(Double)

  /// The factor for features of `p` columns whose elements have a variance.
  func resolved(featureCount: Int, variance: Double) -> Double {
    switch self {
    case .scale: variance > 0 ? 1 / (Double(featureCount) * variance) : 1
    case .auto: 1 / Double(featureCount)
    case .value(let value): value
    }
  }
}

extension KernelGamma: ParameterConvertible {
  /// `"scale", "auto" or a number`.
  public static var parameterType: String { "\"scale\", \"auto\" or a number" }

  /// Takes `scale`, `auto`, or a number.
  public init?(parameterValue: ParameterValue) {
    switch parameterValue {
    case .string("scale"): self = .scale
    case .string("auto"): self = .auto
    default:
      guard let number = parameterValue.number else { return nil }
      self = .value(number)
    }
  }

  /// The word or the number.
  public var parameterValue: ParameterValue {
    switch self {
    case .scale: .string("scale")
    case .auto: .string("auto")
    case .value(let value): .real(value)
    }
  }
}
