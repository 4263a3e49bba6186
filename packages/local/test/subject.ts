import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ConformanceSubject, OpenedSubject } from "@coffer/testkit";
import { LOCAL_CAPABILITIES, openLocalDriver } from "../src/driver.ts";
import type { CheckedSettings } from "../src/settings-types.ts";

interface OpenedLocal extends OpenedSubject {
  readonly settings: CheckedSettings;
}

/** A store in a directory of its own for every case. */
export const localSubject: ConformanceSubject<OpenedLocal> = {
  flavor: "local",
  capabilities: LOCAL_CAPABILITIES,
  patienceMs: 5_000,
  async open() {
    const folder = mkdtempSync(join(tmpdir(), "coffer-local-"));
    const settings: CheckedSettings = { path: join(folder, "data/secrets.db"), key_file: join(folder, "state/key"), revisions: 10 };
    const opened: OpenedLocal = {
      settings,
      driver: await openLocalDriver(settings),
      dispose() {
        rmSync(folder, { recursive: true });
      },
    };
    return opened;
  },
  second: ({ settings }) => openLocalDriver(settings),
};
