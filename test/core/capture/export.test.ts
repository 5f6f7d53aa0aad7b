import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { MiB } from '../../../src/core/address.ts'
import { BufferSource, type ByteSource } from '../../../src/core/byte-source.ts'
import { exportVmcore } from '../../../src/core/capture/export.ts'
import { InterruptedError } from '../../../src/core/errors.ts'
import { OutputFile } from '../../../src/core/output-file.ts'
import { makeFolder } from '../../make/folder.ts'

describe('export of /proc/vmcore', () => {
  it('copies every byte', async () => {
    const path = join(makeFolder(), 'vmcore')
    const bytes = Buffer.alloc(9 * MiB + 12345)
    for (let at = 0; at < bytes.length; at += 99_991) bytes[at] = at % 251
    using output = new OutputFile(path)
    await exportVmcore(new BufferSource(bytes), output)
    expect(readFileSync(path).equals(bytes)).toBe(true)
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('leaves zeros as holes, at the end too', async () => {
    const path = join(makeFolder(), 'vmcore')
    const size = 600 * MiB
    const source: ByteSource = {
      name: 'zeros',
      size,
      read(offset, into) {
        const length = Math.max(0, Math.min(into.length, size - offset))
        into.fill(0, 0, length)
        if (offset === 300 * MiB) into[5] = 1
        return length
      },
      [Symbol.dispose]() {},
    }
    const progress: number[] = []
    using output = new OutputFile(path)
    await exportVmcore(source, output, { onProgress: ({ done }) => progress.push(done) })
    expect(statSync(path).size).toBe(size)
    expect(statSync(path).blocks * 512).toBeLessThan(65536)
    expect(progress).toHaveLength(150)
    expect(progress.at(-1)).toBe(size)
  })

  it('leaves nothing behind when it is interrupted', async () => {
    const folder = makeFolder()
    {
      using output = new OutputFile(join(folder, 'vmcore'))
      const abort = new AbortController()
      const options = { signal: abort.signal, onProgress: () => abort.abort() }
      const work = exportVmcore(new BufferSource(new Uint8Array(9 * MiB)), output, options)
      await expect(work).rejects.toThrow(InterruptedError)
    }
    expect(readdirSync(folder)).toEqual([])
    expect(existsSync(join(folder, 'vmcore'))).toBe(false)
  })
})
