/** Whether text can be the name of a region: it becomes part of a host name, so nothing else gets there. */
export function isRegion(text: string): boolean {
  return /^[a-z]{2,}(?:-[a-z0-9]+)+$/.test(text) && text.length <= 63;
}
