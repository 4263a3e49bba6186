import { defineFlavor } from "@coffer/core";
import { createMemoryService } from "@coffer/testkit";
import { z } from "zod";
import { serviceAt } from "../test/fake-acme.ts";

// Stands for the reader's own flavor, where the README speaks of one.
export const ACME_CAPABILITIES = createMemoryService().capabilities;

export const acme = defineFlavor({
  name: "acme",
  settings: async () => z.strictObject({ url: z.url(), token: z.string() }),
  open: async ({ url }) => serviceAt(url).open(),
});
