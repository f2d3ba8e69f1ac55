import ApusML
import ApusParallel
import Testing

@Suite struct ParameterValueTests {
  @Test func wholeNumbersAreTakenForNumbersAndBack() {
    #expect(Double(parameterValue: .integer(3)) == 3)
    #expect(Int(parameterValue: .real(3)) == 3)
    #expect(Int(parameterValue: .real(3.5)) == nil)
    #expect(Int?(parameterValue: .null) == .some(nil))
  }
}
