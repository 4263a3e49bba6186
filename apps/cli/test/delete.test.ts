import { describe, expect, test } from "vitest";
import { Home } from "./support/home.ts";
import { atTerminal, hasTerminal } from "./support/terminal.ts";

async function homeWith(...names: readonly string[]): Promise<Home> {
  const home = new Home();
  for (const name of names) await home.succeed(["secret", "register", name, "--a=1"]);
  return home;
}

async function names(home: Home): Promise<readonly string[]> {
  const rows = JSON.parse((await home.succeed(["secret", "list", "-o", "json"])).stdout) as readonly { readonly name: string }[];
  return rows.map(({ name }) => name);
}

describe("without a question", () => {
  test("98, 99: -y deletes one; cleanup -y deletes all", async () => {
    const home = await homeWith("a", "b", "c");
    expect((await home.succeed(["secret", "delete", "b", "--yes"])).stderr).toBe('Deleted the secret "b".\n');
    expect(await names(home)).toEqual(["a", "c"]);
    expect((await home.succeed(["secret", "cleanup", "-y"])).stderr).toBe("Deleted 2 secrets.\n");
    expect(await names(home)).toEqual([]);
    expect(JSON.parse((await home.succeed(["secret", "cleanup", "-yo", "json"])).stdout)).toEqual({ deleted: 0 });
  });
});

// What plays the person is Python's module `pty`.
describe.skipIf(!hasTerminal)("at a terminal (skipped without python3)", () => {
  test("98, T42: delete asks and names what it deletes; declining changes nothing", async () => {
    const home = await homeWith("team/db");
    for (const answer of ["n\r", "\r", "no\r"]) {
      const { status, output } = await atTerminal(
        home,
        ["secret", "delete", "team/db"],
        [{ expect: 'Delete the secret "team/db" with all its keys? [y/N] ', send: answer }],
      );
      expect({ status, output }).toMatchObject({ status: 0, output: expect.stringContaining("Nothing was deleted.") });
    }
    expect(await names(home)).toEqual(["team/db"]);
    expect((await atTerminal(home, ["secret", "delete", "team/db"], [{ expect: "[y/N] ", send: "y\r" }])).status).toBe(0);
    expect(await names(home)).toEqual([]);
  });

  test("98, T42: nobody is asked about a name that is not there, and its control characters are shown", async () => {
    const home = await homeWith("a");
    const absent = await atTerminal(home, ["secret", "delete", "b"], []);
    expect(absent.status).toBe(3);
    expect(absent.output).not.toContain("[y/N]");
    const nasty = await atTerminal(home, ["secret", "delete", "a\u001B[2Kb"], []);
    expect(nasty.status).toBe(5);
    expect(nasty.output).toContain(String.raw`\x1b[2Kb`);
    expect(nasty.output).not.toContain("\u001B[2K");
  });

  test("99: cleanup asks, says how many, and keeps everything unless the answer is yes", async () => {
    const home = await homeWith("a", "b");
    const question = "Delete all 2 secrets of this secrets manager (local, scope global)? [y/N] ";
    const declined = await atTerminal(home, ["secret", "cleanup"], [{ expect: question, send: "\r" }]);
    expect(declined).toMatchObject({ status: 0, output: expect.stringContaining("Nothing was deleted.") });
    const left = await atTerminal(home, ["secret", "cleanup"], [{ expect: question, send: "\u0003" }]);
    expect(left).toMatchObject({ status: 130, echoAfter: true });
    expect(await names(home)).toEqual(["a", "b"]);
    expect((await atTerminal(home, ["secret", "cleanup"], [{ expect: question, send: "yes\r" }])).status).toBe(0);
    expect(await names(home)).toEqual([]);
  });
});
