import { basename } from "node:path";
import type { Reporter, TestModule } from "vitest/node";

/** Prints a table server | passed | failed | not run, with the reason where nothing was run: a server that could not be had never counts as passed. */
export default class ServersReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const lines = [`${"server".padEnd(28)} | passed | failed | not run`];
    for (const module of modules) {
      const count = { passed: 0, failed: 0, skipped: 0 };
      let reason = "";
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state !== "pending") count[result.state] += 1;
        if (result.state === "skipped" && result.note !== undefined) reason = result.note;
      }
      // A module that failed before its first test has no failed test to count.
      if (module.state() === "failed" && count.failed === 0) count.failed = 1;
      const ran = count.passed + count.failed > 0;
      const name = `${/integrations\/([^/]+)/.exec(module.moduleId)?.[1] ?? ""}: ${basename(module.moduleId, ".server.test.ts")}`;
      const row = [name.padEnd(28), String(count.passed).padStart(6), String(count.failed).padStart(6), String(count.skipped).padStart(7)];
      lines.push(row.join(" | ") + (ran ? "" : `  NOT RUN: ${reason || "no test of it ran"}`));
    }
    process.stdout.write(`\n${lines.join("\n")}\n`);
  }
}
