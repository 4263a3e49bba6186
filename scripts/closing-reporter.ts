import type { Reporter, TestModule } from "vitest/node";

/** Ends every run with one plain line, so that a reader of a long log (or a script) finds the result without parsing a table. */
export default class ClosingReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      let failedHere = 0;
      for (const test of module.children.allTests()) {
        const state = test.result().state;
        if (state === "passed") count.passed += 1;
        else if (state === "failed") failedHere += 1;
        else count.skipped += 1;
      }
      // A module that failed before its first test (a syntax error, a broken import) has no failed test to count.
      count.failed += failedHere === 0 && module.state() === "failed" ? 1 : failedHere;
    }
    process.stdout.write(`\n${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`);
  }
}
