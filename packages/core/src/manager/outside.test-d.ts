// Everything by the name of the package, as a program or another package sees it.
import { defineSecretSchema, type SecretsManager } from "@coffer/core";
import { textNumber } from "@coffer/core/schemas";
import { expectTypeOf, test } from "vitest";
import { z } from "zod";

const broker = defineSecretSchema({ type: "outside_broker", fields: z.object({ url: z.string(), port: textNumber() }) });

declare module "@coffer/core" {
  interface SecretSchemas {
    outside_broker: typeof broker;
  }
}

declare const manager: SecretsManager;

test("a schema that a program has added to the known ones types what is read and written by its type", async () => {
  expectTypeOf((await manager.getSecret("a", "outside_broker")).content.port).toEqualTypeOf<number>();
  await manager.registerSecret({ name: "a", schema: "outside_broker", values: { url: "amqp://host", port: 5672 } });
  // @ts-expect-error: `port` is required
  await manager.registerSecret({ name: "a", schema: "outside_broker", values: { url: "amqp://host" } });
});
