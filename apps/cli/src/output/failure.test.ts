import { SecretsError } from "@coffer/core";
import { expect, test } from "vitest";
import { Context } from "../context.ts";
import { reportFailure } from "./failure.ts";

class ListeningContext extends Context {
  said = "";
  override say(text: string): void {
    this.said += `${text}\n`;
  }
  override isTerminal(): boolean {
    return false;
  }
}

function report(error: SecretsError): { status: number; said: string } {
  const context = new ListeningContext();
  return { status: reportFailure(error, context), said: context.said };
}

test("a write that took too long says once that it may have happened, and nothing of the library's options", () => {
  const error = new SecretsError("timeout", "aws did not finish. The change may have happened nevertheless.", {
    operation: "updateSecret",
    outcome: "unknown",
    hint: "Try again, or allow more time with timeoutMs.",
  });
  expect(report(error)).toEqual({
    status: 7,
    said: "error: aws did not finish. The change may have happened nevertheless. Look before you repeat it.\nhint: Run the command again later.\n",
  });
});

test("a lost answer that the message does not tell of is told", () => {
  const { said } = report(new SecretsError("unavailable", "3 secrets were deleted, 2 are left.", { outcome: "unknown" }));
  expect(said).toContain("2 are left. It may have been done all the same. Look before you repeat it.");
});
