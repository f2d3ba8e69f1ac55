import Apus
import ApusTestSupport
import Foundation
import FoundationNetworking
import Testing

/// `apus study serve`, asked as a browser and Prometheus would.
@Suite(.blocking) struct ServeTests {
  /// A server that is stopped when the test is over.
  private final class Server {
    let process: Process
    let url: String

    init(_ study: String, _ arguments: String...) throws {
      let output = Pipe()
      process = try ApusBinary.start(
        ["study", "serve", study, "--port", "0"] + arguments,
        output: output, errors: FileHandle.nullDevice)
      var line = Data()
      while !line.contains(10), let byte = try output.fileHandleForReading.read(upToCount: 1) { line += byte }
      let words = String(decoding: line, as: UTF8.self).split(whereSeparator: \.isWhitespace)
      url = String(try #require(words.last))
    }

    deinit {
      process.interrupt()
      process.waitUntilExit()
    }
  }

  private func get(_ url: String, headers: [String: String] = [:]) async throws -> (status: Int, body: String)
  {
    var request = URLRequest(url: try #require(URL(string: url)))
    for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
    let (body, response) = try await URLSession(configuration: .ephemeral).data(for: request)
    return ((response as? HTTPURLResponse)?.statusCode ?? 0, String(decoding: body, as: UTF8.self))
  }

  private func study(_ scratch: Scratch) throws -> String {
    let path = scratch.path("sweep.sqlite")
    let run = try ApusBinary.run(
      "search", "iris", "--estimator", "svc", "--param", "c=[0.1,1,10]", "--study", path, "--quiet")
    try #require(run.status == 0, "\(run.errors)")
    return path
  }

  @Test func thePageItsDataAndTheMetricsAreServed() async throws {
    let scratch = try Scratch()
    let server = try Server(study(scratch))
    defer { withExtendedLifetime(server) {} }
    #expect(server.url.hasPrefix("http://127.0.0.1:"))
    let page = try await get(server.url)
    #expect(page.status == 200 && page.body.contains("\"isLive\":true"))
    let data = try await get(server.url + "data.json")
    #expect(data.status == 200 && data.body.contains("\"fitCount\":15"))
    let metrics = try await get(server.url + "metrics")
    #expect(metrics.body.contains("\napus_study_fits_total 15.0\n"))
    #expect(
      metrics.body.contains(
        "# TYPE apus_study_best_score gauge\napus_study_best_score{metric=\"accuracy\"} 0.9"))
    #expect(try await get(server.url + "sweep.sqlite").status == 404)
    // A foreign page that points its own name at this machine is not answered.
    #expect(try await get(server.url, headers: ["Host": "evil.example"]).status == 401)
  }

  @Test func otherMachinesNeedTheToken() async throws {
    let scratch = try Scratch()
    let server = try Server(study(scratch), "--host", "0.0.0.0")
    defer { withExtendedLifetime(server) {} }
    let parts = server.url.split(separator: "?token=")
    try #require(parts.count == 2)
    #expect(parts[1].count == 32)
    let port = try #require(parts[0].split(separator: ":").last).dropLast()
    let address = "http://127.0.0.1:\(port)/"
    #expect(try await get(address).status == 401)
    #expect(try await get(address + "metrics?token=" + String(repeating: "0", count: 32)).status == 401)
    #expect(try await get(address + "?token=\(parts[1])").status == 200)
    #expect(
      try await get(address + "metrics", headers: ["Authorization": "Bearer \(parts[1])"]).status == 200)
  }

  @Test func anAddressThatIsNoneIsRefused() throws {
    let scratch = try Scratch()
    let run = try ApusBinary.run("study", "serve", study(scratch), "--host", "everywhere")
    #expect(run.status == 2 && run.errors.contains("not an IPv4 address"))
  }

  @Test(.enabled(if: Browser.isInstalled, "there is no browser"))
  func thePageFollowsASearchInABrowser() async throws {
    let scratch = try Scratch()
    let path = scratch.path("sweep.sqlite")
    let search = try ApusBinary.start(
      [
        "search", "letter", "--estimator", "random-forest-classifier", "--param", "treeCount=[20]", "--param",
        "maxFeatures=range(1,16)", "--param", "minSamplesLeaf=range(1,20)", "--cv", "3", "--study", path,
        "--quiet",
      ], output: FileHandle.nullDevice, errors: FileHandle.nullDevice)
    defer {
      search.terminate()
      search.waitUntilExit()
    }
    for _ in 0..<200 {
      if let file = try? StudyFile(path, creates: false), try file.studies().first?.progress().fits ?? 0 > 2 {
        break
      }
      try await Task.sleep(for: .milliseconds(50))
    }
    let server = try Server(path)
    // The server ends with its value, which would be gone after its last use.
    let page = try withExtendedLifetime(server) {
      try Browser.document(server.url, milliseconds: 9000, scratch)
    }
    #expect(page.contains("data-updates=\"") && !page.contains("data-problem"))
    #expect(page.contains("Live: "))
  }
}
