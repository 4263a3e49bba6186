import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { inspect } from "node:util";
import type { SecretsManager, SecretsManagerDriver } from "@coffer/core";
import { mysql } from "@coffer/core/schemas";
import { leakForms } from "../../leak-forms.ts";
import {
  type CaseDefinition,
  demand,
  deletesSoftly,
  comparesAndSwaps,
  fixtures,
  limitsPayloads,
  type Need,
  needsFault,
  writes,
} from "../definition.ts";
import { collect, type Lab } from "../lab.ts";
import { managerOn } from "../manager-lab.ts";
import { listenToOutput } from "../output.ts";
import type { ConformanceFaults, OpenedSubject } from "../subject.ts";

const FAULTS: readonly (readonly [keyof ConformanceFaults<OpenedSubject>, string, (lab: Lab) => Promise<void>, ...Need[]])[] = [
  ["deny", "the call is forbidden", (lab) => lab.fault("deny")],
  ["unauthenticated", "the credential is refused", (lab) => lab.fault("unauthenticated")],
  ["unreachable", "the service is out of reach", (lab) => lab.fault("unreachable")],
  ["throttle", "the service throttles", (lab) => lab.fault("throttle", 1_000_000)],
  ["garble", "something else answers", (lab) => lab.fault("garble")],
  ["loseAnswer", "the answer is lost", (lab) => lab.fault("loseAnswer"), writes],
  ["echo", "the service repeats what it was sent", (lab) => lab.fault("echo"), writes],
];

/** Errors and output show neither values nor credentials. */
export const secrecyCases: readonly CaseDefinition[] = [
  ...FAULTS.map(([kind, when, breakIt, ...needs]) =>
    demand(`secrecy: no value and no credential is shown when ${when}`, [fixtures, needsFault(kind), ...needs], async (lab) => {
      await Scene.play(lab, async (scene) => {
        await breakIt(lab);
        // A driver that finds out what became of a write whose answer was lost has nothing to say about it.
        if (kind === "loseAnswer") scene.mayRecover = true;
        await scene.tryEverything();
      });
    }),
  ),

  demand("secrecy: no value and no credential is shown when a call is refused", [writes], async (lab) => {
    await Scene.play(lab, async (scene) => {
      const { manager } = scene;
      await scene.attempt(() => manager.registerSecret({ name: "there", values: scene.fresh() }));
      await scene.attempt(() => manager.getSecret("absent"));
      await scene.attempt(() => manager.replaceSecret({ name: "absent", schema: "arbitrary", values: scene.fresh() }));
      await scene.attempt(() => manager.updateSecret("there", { values: scene.fresh(), removeKeys: ["no_such_key"] }));
      await scene.attempt(() => manager.registerSecret({ name: "new", values: { "not a key": scene.canary() } }));
      await scene.attempt(() => manager.registerSecret({ name: "new", schema: mysql, values: { ssl_verify_server_cert: scene.canary() } }));
      await scene.attempt(() => manager.getSecret("there", mysql));
      await scene.attempt(() => manager.registerSecret({ name: "half", values: { broken: `${scene.canary()}\ud800` } }));
    });
  }),

  demand("secrecy: no value is shown when a revision has changed", [writes, comparesAndSwaps], async (lab) => {
    await Scene.play(lab, async (scene) => {
      const { revision } = await scene.manager.getSecret("there");
      await scene.manager.updateSecret("there", { values: scene.fresh() });
      await scene.attempt(() => scene.manager.updateSecret("there", { values: scene.fresh(), expected: revision ?? "" }));
      await scene.attempt(() => scene.manager.replaceSecret({ name: "there", values: scene.fresh(), expected: revision ?? "" }));
    });
  }),

  demand("secrecy: no value is shown when a name is reserved", [writes, deletesSoftly], async (lab) => {
    await Scene.play(lab, async (scene) => {
      await scene.manager.deleteSecret("there");
      await scene.attempt(() => scene.manager.registerSecret({ name: "there", values: scene.fresh() }));
    });
  }),

  demand("secrecy: no value is shown when a payload is too large", [writes, limitsPayloads], async (lab) => {
    // The manager would refuse it unasked; here the driver and its service are to say no.
    const driver = { ...lab.driver, capabilities: { ...lab.driver.capabilities, maxValueBytes: null } };
    await Scene.play(
      lab,
      async (scene) => {
        const text = `${scene.canary()} `.repeat(Math.ceil((lab.capabilities.maxValueBytes ?? 0) / 16));
        await scene.attempt(() => scene.manager.registerSecret({ name: "large", values: { text } }));
      },
      driver,
    );
  }),
];

/** Secrets with canaries in them, and the errors that calls about them have thrown. */
class Scene {
  readonly manager: SecretsManager;
  /** Whether it is fine when no call fails. */
  mayRecover = false;
  readonly #lab: Lab;
  readonly #canaries: string[] = [];
  readonly #errors: unknown[] = [];
  readonly #output = listenToOutput();

  private constructor(lab: Lab, driver: SecretsManagerDriver) {
    this.#lab = lab;
    this.manager = managerOn(lab, { driver }).manager;
  }

  /** Lets calls fail, and demands that nothing was shown by then. */
  static async play(lab: Lab, act: (scene: Scene) => Promise<void>, driver: SecretsManagerDriver = lab.driver): Promise<void> {
    const scene = new Scene(lab, driver);
    try {
      await lab.stored(lab.name("there"), scene.fresh());
      await act(scene);
      scene.#expectSilence();
    } finally {
      scene.#output.stop();
    }
  }

  /** A value that occurs nowhere else, with characters that every encoding writes in its own way. */
  canary(): string {
    const canary = `${randomUUID().slice(0, 8)}"${randomUUID()}" ü&/+`;
    this.#canaries.push(canary);
    return canary;
  }

  /** Values of their own, one of several lines. */
  fresh(): Record<string, string> {
    return { token: this.canary(), key: `${this.canary()}\n${this.canary()}` };
  }

  async attempt(call: () => Promise<unknown>): Promise<void> {
    try {
      await this.#lab.patiently("a call that fails", call());
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      this.#errors.push(error);
    }
  }

  async tryEverything(): Promise<void> {
    const { manager } = this;
    await this.attempt(() => manager.getSecret("there"));
    await this.attempt(async () => {
      for await (const outcome of manager.getSecrets(["there"])) if ("error" in outcome) throw outcome.error;
    });
    await this.attempt(() => collect(manager.listSecrets()));
    if (this.#lab.capabilities.revisions) await this.attempt(() => collect(manager.history("there")));
    if (!this.#lab.capabilities.writable) return;
    await this.attempt(() => manager.registerSecret({ name: "new", values: this.fresh() }));
    await this.attempt(() => manager.updateSecret("there", { values: this.fresh() }));
    await this.attempt(() => manager.replaceSecret({ name: "there", schema: "arbitrary", values: this.fresh() }));
    await this.attempt(() => manager.deleteSecret("there"));
    await this.attempt(() => manager.deleteAllSecrets());
  }

  /** Neither the errors nor what was written to the terminal hold a value or a credential, in any form. */
  #expectSilence(): void {
    const shown = [...this.#errors.flatMap((error) => textsOf(error)), ...this.#output.stop()];
    assert.ok(this.mayRecover || this.#errors.length > 0, "not one call failed");
    const leaks = new Set<string>();
    for (const [what, values] of [
      ["a value", this.#canaries],
      ["a credential", this.#lab.credentials()],
    ] as const) {
      for (const { form, text } of values.flatMap((value) => leakForms(value))) {
        // The leaking text itself is not repeated: a failing test is printed as well.
        for (const { where, shown: said } of shown) if (said.includes(text)) leaks.add(`${what} (${form}) in ${where}`);
      }
    }
    assert.deepEqual([...leaks], []);
  }
}

/** Everything that a program might print of an error. */
function textsOf(error: unknown): { readonly where: string; readonly shown: string }[] {
  const { code = "", cause } = error as { readonly code?: string; readonly cause?: unknown };
  const looks: Record<string, string | undefined> = {
    "the text of an error": String(error),
    "the stack of an error": (error as Error).stack,
    "what inspect shows of an error": inspect(error, { depth: 12, showHidden: true, getters: false, maxStringLength: null }),
    "the JSON of an error": JSON.stringify(error, (_key, value: unknown) => (typeof value === "bigint" ? String(value) : value)),
    "the fields of an error": inspect(Object.entries(error as object), { depth: 12, maxStringLength: null }),
    "the cause of an error": inspect(cause, { depth: 12, showHidden: true, maxStringLength: null }),
  };
  return Object.entries(looks).map(([where, shown]) => ({ where: `${where} (${code})`, shown: shown ?? "" }));
}
