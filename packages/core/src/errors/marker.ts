/** Whether an object carries the marker. What is thrown may be anything, also a proxy that throws when it is looked at. */
export function isMarked(value: unknown, marker: symbol): boolean {
  try {
    return typeof value === "object" && value !== null && marker in value;
  } catch {
    return false;
  }
}
