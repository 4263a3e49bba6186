import { z } from "zod/mini";
import { isMemoryService, type MemoryService } from "./service.ts";

/** The settings of the memory flavor, checked. Apart from the flavor, so that naming the flavor loads no zod. */
export const memorySettings = z.strictObject({
  service: z.optional(z.custom<MemoryService>(isMemoryService, "a service made by createMemoryService")),
});
