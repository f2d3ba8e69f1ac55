/// An error of Apus: what kind it is, what was wrong, where, and what to do about it.
///
/// One type serves the whole toolkit, so a caller that catches an error can always ask for its ``kind`` (the
/// `apus` command line derives its exit code from it) and print its ``description``:
///
/// ```swift
/// do {
///   let data = try Dataset(csv: "iris.csv", target: "species")
/// } catch let error as ApusError where error.kind == .data {
///   print(error)  // iris.csv:12:3: expected a number, found "abc" …
/// }
/// ```
public struct ApusError: Error, Sendable {
  /// What sort of mistake an error reports; decides the exit code of the command line.
  public enum Kind: String, Sendable, Codable, CaseIterable {
    /// A hyperparameter or option has a value it cannot take, or does not exist.
    case invalidParameter
    /// The data cannot be used: a malformed file, a value an estimator cannot take, one class only.
    case data
    /// Two matrices, or a matrix and a vector, do not fit together.
    case shape
    /// A file cannot be opened, read or written.
    case file
    /// A saved model or another stored format is foreign, damaged or newer than this version reads.
    case format
    /// A numerical method met a problem it cannot solve, such as a singular matrix.
    case numerical
    /// The work was cancelled.
    case cancelled
    /// A job failed, or was sent to a process that does not know its type.
    case job
    /// What was asked for is not supported here.
    case unsupported
  }

  /// A place in a text file, counted from 1.
  public struct Location: Sendable, Hashable, Codable {
    /// The file's path as the user gave it.
    public var file: String
    /// The line, counted from 1; nil when the whole file is meant.
    public var line: Int?
    /// The field of the line, counted from 1; nil when the whole line is meant.
    public var column: Int?

    /// Creates a location.
    public init(file: String, line: Int? = nil, column: Int? = nil) {
      self.file = file
      self.line = line
      self.column = column
    }
  }

  /// What sort of mistake it is.
  public var kind: Kind
  /// What was wrong, in one sentence without a final full stop.
  public var message: String
  /// What to do about it, where there is something to say.
  public var hint: String?
  /// Where in a file the mistake stands, if it stands in one.
  public var location: Location?
  /// The error that led to this one, if any.
  public var cause: (any Error)?

  /// Creates an error.
  public init(
    _ kind: Kind, _ message: String, hint: String? = nil, at location: Location? = nil,
    cause: (any Error)? = nil
  ) {
    self.kind = kind
    self.message = message
    self.hint = hint
    self.location = location
    self.cause = cause
  }
}

extension ApusError: CustomStringConvertible {
  /// `file:line:column: message (cause); hint` with the parts that are there.
  public var description: String {
    var text = ""
    if let location { text += "\(location): " }
    text += message
    if let cause { text += " (\(cause))" }
    if let hint { text += "; \(hint)" }
    return text
  }
}

extension ApusError.Location: CustomStringConvertible {
  /// `file:line:column` with the parts that are known.
  public var description: String {
    [file, line.map(String.init), column.map(String.init)].compactMap { $0 }.joined(separator: ":")
  }
}
