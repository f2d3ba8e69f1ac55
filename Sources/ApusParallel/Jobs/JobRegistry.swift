/// The job types that an executable can run when only their name and bytes arrive.
///
/// A program that lets its jobs run in other processes registers each type once:
///
/// ```swift
/// var registry = JobRegistry()
/// registry.register(Square.self)
/// ```
public struct JobRegistry: Sendable {
  /// A job type with its value encoded and its output encoded, as it crosses a process boundary.
  public typealias Runner = @Sendable (_ job: [UInt8], _ context: JobContext) throws -> [UInt8]

  private var runners: [String: Runner] = [:]

  /// A registry without job types.
  public init() {}

  /// The wire names of all registered types, sorted.
  public var wireNames: [String] { runners.keys.sorted() }

  /// Makes a job type known by its wire name; registering it again changes nothing.
  public mutating func register<J: Job>(_ type: J.Type) {
    runners[J.wireName] = { bytes, context in
      try J.encodedOutput(J.decoded(from: bytes).run(in: context))
    }
  }

  /// Decodes and runs a job that arrived as bytes, and encodes what it computed.
  ///
  /// - Throws: ``ApusError`` of kind `job` that lists the known types when this one is not registered; else
  ///   what the job threw.
  public func run(wireName: String, job: [UInt8], in context: JobContext) throws -> [UInt8] {
    try runner(for: wireName)(job, context)
  }

  /// Checks that a job type is registered, before anything is sent.
  ///
  /// - Throws: ``ApusError`` of kind `job` that names the line to add.
  public func checkRegistered<J: Job>(_ type: J.Type) throws {
    guard runners[J.wireName] == nil else { return }
    throw ApusError(
      .job, "job type '\(J.wireName)' is not registered; known: \(wireNames.joined(separator: ", "))",
      hint: "add `registry.register(\(J.self).self)` where the program sets up its job types")
  }

  private func runner(for wireName: String) throws -> Runner {
    if let runner = runners[wireName] { return runner }
    throw ApusError(
      .job, "job type '\(wireName)' is not registered here; known: \(wireNames.joined(separator: ", "))",
      hint: "the program that runs jobs must register the same types as the one that sends them")
  }
}
