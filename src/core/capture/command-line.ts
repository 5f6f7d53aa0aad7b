// The capture kernel's command line: that of the production kernel and, after one blank, what was put
// into the parameter area; even when that is empty. Nothing is removed: later words win by themselves.
// Source: Linux arch/powerpc/kernel/fadump.c (fadump_append_bootargs).

export interface MergedCommandLine {
  readonly commandLine: string
  /** What the kernel prints. */
  readonly messages: readonly string[]
}

/** `size` is COMMAND_LINE_SIZE, with room for the NUL. */
export function mergeCommandLine(old: string, append: string, size: number): MergedCommandLine {
  const messages: string[] = []
  if (old.length + append.length >= size - 1) {
    messages.push('fadump: WARNING: Appending parameters exceeds cmdline size. Truncating!')
  }
  const commandLine = `${old} ${append}`.slice(0, size - 1)
  messages.push(`fadump: Updated cmdline: ${commandLine}`)
  return { commandLine, messages }
}
