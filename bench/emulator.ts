// Runs the emulator of one service in a process of its own until its parent goes: emulator.ts TITLE FOLDER
// Tells the parent how the service is reached, then takes latencies from it, and tells each back when it holds.
import { SERVICES } from "./service-table.ts";

const [, , title = "", folder = ""] = process.argv;
const service = SERVICES.find((each) => each.title === title);
if (service === undefined) throw new Error(`There is no service ${title}.`);
process.on("disconnect", () => process.exit());
const { settings, env, storedName, setLatency } = await service.start(folder);
process.on("message", (milliseconds: number) => {
  setLatency(milliseconds);
  process.send?.(milliseconds);
});
process.send?.({ settings, env, storedName: storedName("secret-0042") });
