import { expectTypeOf, test } from "vitest";
import { z } from "zod";
import { defineFlavor } from "./define.ts";
import type { Locality, SecretsManagerDriver } from "./spec.ts";

const settings = z.object({ url: z.string() });
declare const open: () => Promise<SecretsManagerDriver>;

test("a flavor says in its type where its components live", () => {
  const remote = defineFlavor({ name: "remote", settings, open });
  expectTypeOf(remote.locality({})).toEqualTypeOf<"remote">();
  const local = defineFlavor({ name: "here", settings, locality: () => "local", open });
  expectTypeOf(local.locality({})).toEqualTypeOf<"local">();
  const either = defineFlavor({ name: "either", settings, locality: ({ url }) => (url === "file:" ? "local" : "remote"), open });
  expectTypeOf(either.locality({})).toEqualTypeOf<Locality>();
});
