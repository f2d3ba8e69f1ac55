import Apus
import FlyingFox
import FlyingSocks
import Foundation

/// Serves the page of a study, its data, and metrics for Prometheus.
struct StudyServer: Sendable {
  private let pages: StudyPages
  private let host: String
  private let port: UInt16
  /// What a request must know when the address can be reached from other machines.
  private let token: String?

  /// - Throws: ``ApusError`` of kind `invalidParameter` for an address that is none.
  init(_ study: Study, path: String, host: String, port: UInt16) throws {
    pages = StudyPages(study, path: path)
    self.host = host
    self.port = port
    let parts = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
    guard parts.count == 4, parts.allSatisfy({ $0 != nil }) else {
      throw ApusError(
        .invalidParameter, "'\(host)' is not an IPv4 address", hint: "for example 127.0.0.1 or 0.0.0.0")
    }
    var system = SystemRandomNumberGenerator()
    token =
      parts[0] == 127
      ? nil
      : (0..<32).map { _ in String(UInt8.random(in: 0..<16, using: &system), radix: 16) }.joined()
  }

  /// Serves until it is cancelled.
  ///
  /// - Parameters:
  ///   - cancellation: raised to end it.
  ///   - onStart: called with the address of the page once it can be asked for.
  /// - Throws: ``ApusError`` of kind `file` when the address cannot be listened on.
  func run(until cancellation: Cancellation, onStart: @escaping @Sendable (String) -> Void) async throws {
    let server = HTTPServer(
      config: .init(address: try .inet(ip4: host, port: port), timeout: 15, logger: .disabled),
      handler: ClosureHTTPHandler { try await answer($0) })
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        do { try await server.run() } catch is CancellationError {} catch {
          if cancellation.isCancelled { return }
          throw ApusError(
            .file, "cannot listen on \(host):\(port): \(error)", hint: "try another port: --port 0 takes any")
        }
      }
      group.addTask {
        try await server.waitUntilListening(timeout: 10)
        guard case .ip4(_, let port) = await server.listeningAddress else { return }
        onStart("http://\(host == "0.0.0.0" ? ProcessInfo.processInfo.hostName : host):\(port)/\(query)")
        while !cancellation.isCancelled { try await Task.sleep(for: .milliseconds(100)) }
        await server.stop(timeout: 1)
      }
      try await group.waitForAll()
    }
  }

  private var query: String { token.map { "?token=\($0)" } ?? "" }

  private func answer(_ request: HTTPRequest) async throws -> HTTPResponse {
    guard isKnown(request) else { return HTTPResponse(statusCode: .unauthorized) }
    guard request.method == .GET else { return HTTPResponse(statusCode: .methodNotAllowed) }
    let (type, body): (String, Data)
    switch request.path {
    case "/": (type, body) = ("text/html; charset=utf-8", try await pages.page())
    case "/data.json": (type, body) = ("application/json", try await pages.data())
    case "/metrics": (type, body) = ("text/plain; version=0.0.4; charset=utf-8", try await pages.metrics())
    default: return HTTPResponse(statusCode: .notFound)
    }
    return HTTPResponse(
      statusCode: .ok,
      headers: [
        .contentType: type, HTTPHeader("Cache-Control"): "no-store",
        // The page names its own address to nobody, and runs nothing but what it carries.
        HTTPHeader("Referrer-Policy"): "no-referrer", HTTPHeader("X-Content-Type-Options"): "nosniff",
      ], body: body)
  }

  /// Whether a request may be answered; a token is compared in a time that does not tell where it differs.
  private func isKnown(_ request: HTTPRequest) -> Bool {
    guard let token else {
      // A page of another site that resolves its name to this machine sends its own name here.
      let name = request.headers[.host]?.split(separator: ":").first ?? ""
      return name == "localhost" || name.hasPrefix("127.")
    }
    let bearer = request.headers[.authorization].flatMap { $0.hasPrefix("Bearer ") ? $0.dropFirst(7) : nil }
    let given = bearer.map(String.init) ?? request.query.first { $0.name == "token" }?.value ?? ""
    let (left, right) = (Array(given.utf8), Array(token.utf8))
    guard left.count == right.count else { return false }
    return zip(left, right).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
  }
}
