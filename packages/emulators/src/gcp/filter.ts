import { ServiceError } from "./service-error.ts";

/** What can be asked of one resource. */
export interface Filterable {
  readonly name: string;
  readonly state?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** The part of the filter language that this emulator understands: `name:part`, `labels.key=value`, `state:STATE`, joined by AND. */
export function parseFilter(filter: string): (resource: Filterable) => boolean {
  if (filter.trim() === "") return () => true;
  const terms = filter.split(/\s+AND\s+/).map((term) => {
    const [, field = "", operator = "", value = ""] = /^([a-z_.-]+)([:=])"?([A-Za-z0-9_-]+)"?$/.exec(term) ?? [];
    if (/^(AND|OR|NOT)$/.test(value)) throw refused(filter);
    if (field === "name") return ({ name }: Filterable) => (operator === ":" ? name.includes(value) : name === value);
    if (field === "state") return ({ state }: Filterable) => state === value;
    if (field.startsWith("labels.")) return ({ labels = {} }: Filterable) => labels[field.slice("labels.".length)] === value;
    throw refused(filter);
  });
  return (resource) => terms.every((matches) => matches(resource));
}

function refused(filter: string): ServiceError {
  return new ServiceError("INVALID_ARGUMENT", `Invalid filter: ${filter}`);
}
