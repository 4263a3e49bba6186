/** A point in time, with the text that Vault gives for it: nine digits behind the second. */
export interface Moment {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly text: string;
}

let told = 0;

/** The present, or another time in milliseconds. No two texts are the same. */
export function moment(at = Date.now()): Moment {
  told = (told + 1) % 1_000_000;
  return { at, text: new Date(at).toISOString().replace("Z", `${String(told).padStart(6, "0")}Z`) };
}

/** A number of seconds as Go writes a duration: `768h0m0s`. */
export function goDuration(seconds: number): string {
  const hours = Math.floor(seconds / 3_600);
  const minutes = Math.floor((seconds % 3_600) / 60);
  const rest = `${seconds % 60}s`;
  if (hours > 0) return `${hours}h${minutes}m${rest}`;
  return minutes > 0 ? `${minutes}m${rest}` : rest;
}

const UNITS: ReadonlyMap<string, number> = new Map([
  ["s", 1],
  ["m", 60],
  ["h", 3_600],
  ["d", 86_400],
]);

/** The seconds in a number or a text such as `90`, `30s` or `1h30m`; `undefined` for anything else. */
export function secondsIn(value: unknown): number | undefined {
  if (typeof value === "number") return Math.trunc(value);
  if (typeof value !== "string" || value === "") return undefined;
  if (/^\d+$/.test(value)) return Number(value);
  if (!/^(?:\d+[smhd])+$/.test(value)) return undefined;
  return [...value.matchAll(/(\d+)([smhd])/g)].reduce((sum, [, count, unit]) => sum + Number(count) * (UNITS.get(unit ?? "") ?? 0), 0);
}
