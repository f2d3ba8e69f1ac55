/// A piece of work as a value: what to do and on which inputs, able to travel to another process or host.
///
/// Jobs are data, never code. A closure cannot be sent to another process, so a job's *type* is registered in
/// the executable (see ``JobRegistry``) and its value travels.
///
/// ```swift
/// struct Square: Job {
///   static let wireName = "example.square"
///   let number: Int
///   func run(in context: JobContext) throws -> Int { number * number }
/// }
/// ```
public protocol Job: Codable, Sendable {
  /// What the job computes.
  associatedtype Output: Codable & Sendable

  /// The type's stable name on the wire, chosen by hand; renaming the Swift type does not change it.
  static var wireName: String { get }

  /// A few words that name this job in progress lines, logs and failure reports; the wire name unless given.
  var label: String { get }

  /// Does the work.
  ///
  /// - Throws: whatever went wrong; the error's description becomes the job's failure, and no other job is
  ///   touched by it.
  func run(in context: JobContext) throws -> Output
}

extension Job {
  /// The wire name.
  public var label: String { Self.wireName }
}
