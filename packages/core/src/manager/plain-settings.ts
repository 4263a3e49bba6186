/**
 * For `checkPlainly` of a flavor: the settings when they are a plain object and each of them is right by itself, otherwise `undefined`, and the schema looks.
 * @param isRight whether a setting of this name is plainly right with this value; `false` for every name that it does not know
 */
export function plainSettings(settings: unknown, isRight: (name: string, value: unknown) => boolean): object | undefined {
  if (typeof settings !== "object" || settings === null) return undefined;
  // An object of a class may have settings that are not its own, and a list is none at all.
  const prototype: unknown = Object.getPrototypeOf(settings);
  if (prototype !== Object.prototype && prototype !== null) return undefined;
  return Object.entries(settings).every(([name, value]) => isRight(name, value)) ? { ...settings } : undefined;
}
