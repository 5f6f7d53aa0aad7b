// The name of a crash's directory: HOST-YYYY-MM-DD-HH:MM:SS, as kdump names it, in UTC. The host's name
// comes from the dump, so it may be anything.

/**
 * @param host nodename of the crashed machine, as found in the dump; undefined when it is not known
 * @param time seconds since 1970
 */
export function crashFolder(host: string | undefined, time: number): string {
  return `${hostPart(host ?? '')}-${timePart(time)}`
}

/** A time that no calendar has stays a number: it may come from a damaged header. */
function timePart(time: number): string {
  const date = new Date(time * 1000)
  if (!(date.getUTCFullYear() <= 9999)) return `${time}`
  return date.toISOString().slice(0, 19).replace('T', '-')
}

/** Letters, digits, dot, dash and underscore; no hidden name, no option; at most 64 characters. */
function hostPart(host: string): string {
  const safe = host
    .slice(0, 64)
    .replace(/[^A-Za-z0-9._-]/g, '_')
    .replace(/^[.-]+/, '')
  return safe === '' ? 'unknown' : safe
}
