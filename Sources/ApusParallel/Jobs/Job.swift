import Foundation

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

  /// The job as bytes, as it crosses a process boundary; JSON unless the type has something smaller.
  ///
  /// Types that travel by the thousand can save most of the cost of a message with bytes of their own.
  func encoded() throws -> [UInt8]

  /// Makes the job from the bytes of ``encoded()``.
  static func decoded(from bytes: [UInt8]) throws -> Self

  /// An output as bytes; JSON unless the type has something smaller.
  static func encodedOutput(_ output: Output) throws -> [UInt8]

  /// Makes an output from the bytes of ``encodedOutput(_:)``.
  static func decodedOutput(from bytes: [UInt8]) throws -> Output
}

extension Job {
  /// The wire name.
  public var label: String { Self.wireName }

  /// The job as JSON.
  public func encoded() throws -> [UInt8] { Array(try JSONEncoder.sharedByJobs.encode(self)) }

  /// Makes the job from JSON.
  public static func decoded(from bytes: [UInt8]) throws -> Self {
    try JSONDecoder.sharedByJobs.decode(Self.self, from: Data(bytes))
  }

  /// An output as JSON.
  public static func encodedOutput(_ output: Output) throws -> [UInt8] {
    Array(try JSONEncoder.sharedByJobs.encode(output))
  }

  /// Makes an output from JSON.
  public static func decodedOutput(from bytes: [UInt8]) throws -> Output {
    try JSONDecoder.sharedByJobs.decode(Output.self, from: Data(bytes))
  }
}
