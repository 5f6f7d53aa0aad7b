// Sizes, counts, times and addresses as people read them.

const binaryUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** `320.1 MiB`, `512 B`. */
export function renderSize(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < binaryUnits.length - 1) {
    value /= 1024
    unit++
  }
  const digits = unit === 0 || value >= 100 || Number.isInteger(value) ? 0 : 1
  return `${value.toFixed(digits)} ${binaryUnits[unit]}`
}

/** `15,359`. Intl would do it, and take 14 ms to begin. */
export const renderCount = (count: number): string => `${count}`.replace(/\B(?=(\d{3})+$)/g, ',')

/** `1 page`, `2 pages`. */
export const renderPlural = (count: number, noun: string, plural = `${noun}s`): string =>
  `${renderCount(count)} ${count === 1 ? noun : plural}`

/** `12.3 s`, `2 min 5 s`. */
export function renderDuration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
