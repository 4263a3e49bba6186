// Calls a service as a program does, in a process without an emulator: service-calls.ts fill|values TITLE SETTINGS PAIRS
// `fill` registers a thousand secrets; `values` prints what reading all of them takes, against the anchor of the service.
import { createRegistry, openSecretsManager, type SecretsManager } from "@coffer/core";
import { ratioOfTasks } from "./measure.ts";
import { type Service, SERVICES } from "./service-table.ts";

const COUNT = 1_000;
// Reading one by one takes as long for each: a tenth of them tells what all would take.
const SAMPLE = 100;
const AT_ONCE = 16;

const nameOf = (index: number): string => `secret-${String(index).padStart(4, "0")}`;

async function open({ load, flavor }: Service, settings: object): Promise<SecretsManager> {
  const { default: integration } = await load();
  const registry = createRegistry();
  registry.add(integration);
  return openSecretsManager({ ...settings, flavor }, { registry, timeoutMs: 600_000 });
}

async function fill(manager: SecretsManager): Promise<void> {
  let next = 0;
  const writer = async (): Promise<void> => {
    while (next < COUNT) {
      const name = nameOf((next += 1) - 1);
      await manager.registerSecret({ name, values: { user: "etl", value: "x".repeat(160) } });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, writer));
}

async function* names(manager: SecretsManager): AsyncGenerator<string> {
  for await (const { name } of manager.listSecrets()) yield name;
}

async function list(manager: SecretsManager): Promise<void> {
  let count = 0;
  for await (const page of manager.listSecretPages()) count += page.length;
  if (count !== COUNT) throw new Error(`The list has ${count} names.`);
}

async function readAll(manager: SecretsManager): Promise<void> {
  let count = 0;
  for await (const outcome of manager.getSecrets(names(manager))) {
    if ("error" in outcome) throw outcome.error;
    count += 1;
  }
  if (count !== COUNT) throw new Error(`There are ${count} values.`);
}

async function readOneByOne(manager: SecretsManager): Promise<void> {
  for (let index = 0; index < SAMPLE; index += 1) await manager.getSecret(nameOf(index));
}

const [, , task, title, settings = "{}", pairs = "1"] = process.argv;
const service = SERVICES.find((each) => each.title === title);
if (service === undefined) throw new Error(`There is no service ${title}.`);
await using manager = await open(service, JSON.parse(settings) as object);
if (task === "fill") await fill(manager);
else {
  const byName = service.values.anchor === "one by one";
  const ratio = await ratioOfTasks(
    () => readAll(manager),
    () => (byName ? readOneByOne(manager) : list(manager)),
    Number(pairs),
  );
  process.stdout.write(String(byName ? ratio * (SAMPLE / COUNT) : ratio));
}
