// fadump filter -R [STREAM] OUTPUT: a flattened stream as the file it describes.

import { createReadStream } from 'node:fs'
import { FileSource } from '../../core/byte-source.ts'
import { rearrange } from '../../core/filter/rearrange.ts'
import { renderRearranged } from '../../core/filter/render.ts'
import type { Ui } from '../../ui/output.ts'
import { startProgress, tellResult } from './messages.ts'
import type { Options } from './options.ts'

export async function rearrangeStream(ui: Ui, paths: readonly string[], options: Options): Promise<void> {
  const [source, output] = paths.length === 1 ? ['-', paths[0] as string] : (paths as [string, string])
  using input = openInput(source)
  using progress = startProgress(ui, options, `Rearranging ${output}`)
  const result = await rearrange(input.stream, input.name, output, {
    force: options.force ?? false,
    sources: [source],
    sizeLimit: options.sizeLimit,
    streamSize: input.size,
    signal: ui.signal,
    onProgress: progress.report,
  })
  tellResult(ui, options, result, renderRearranged)
}

interface Input extends Disposable {
  readonly stream: AsyncIterable<Uint8Array>
  readonly name: string
  readonly size: number | undefined
}

function openInput(path: string): Input {
  if (path === '-') {
    const stop = (): void => void process.stdin.destroy()
    return { stream: process.stdin, name: 'standard input', size: undefined, [Symbol.dispose]: stop }
  }
  // Says what is wrong with it as with every other source.
  using file = new FileSource(path)
  const { name, size } = file
  const stream = createReadStream(path, { highWaterMark: 2 ** 20 })
  return { stream, name, size, [Symbol.dispose]: () => void stream.destroy() }
}
