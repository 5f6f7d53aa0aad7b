// Everything the program does with a dump, one step after the other. A step may fail with a DumpError;
// anything else that is thrown is a bug.

import { analyzeDump } from '../../src/core/analyze/index.ts'
import { rendererList } from '../../src/core/analyze/render/index.ts'
import { plain } from '../../src/core/analyze/render/page.ts'
import type { ByteSink } from '../../src/core/byte-sink.ts'
import { DumpError } from '../../src/core/errors.ts'
import { filterDump } from '../../src/core/filter/index.ts'
import { renderFilterResult } from '../../src/core/filter/render.ts'
import { classifyPages } from '../../src/core/kernel/classify-pages.ts'
import { renderDmesg } from '../../src/core/kernel/dmesg.ts'
import { readDumpPages } from '../../src/core/kernel/dump-pages.ts'
import { openKernel } from '../../src/core/kernel/kernel.ts'
import { readLog } from '../../src/core/kernel/printk.ts'
import { withVmcoreinfo } from '../../src/core/kernel/search-vmcoreinfo.ts'
import type { Dump } from '../../src/formats/dump.ts'
import { isPrstatus } from '../../src/formats/elf/notes.ts'
import { openDump } from '../../src/formats/index.ts'

/** In the order in which they are done. */
export const steps = [
  'open',
  'notes',
  'read',
  'search',
  'kernel',
  'classify',
  'dmesg',
  'analyze',
  'filter to kdump',
  'filter to ELF',
] as const
export type Step = (typeof steps)[number]

/** Which steps gave an answer. @throws what is not a DumpError */
export async function exercise(paths: readonly string[]): Promise<readonly Step[]> {
  const done: Step[] = []
  const attempt = async <T>(step: Step, work: () => T | Promise<T>): Promise<T | undefined> => {
    try {
      const value = await work()
      done.push(step)
      return value
    } catch (error) {
      if (error instanceof DumpError) return undefined
      throw new Error(`${step}: ${error instanceof Error ? error.stack : error}`, { cause: error })
    }
  }
  using dump = await attempt('open', () => openDump(paths))
  if (dump === undefined) return done
  await attempt('notes', () => dump.notes.filter(isPrstatus).length)
  await attempt('read', () => readSome(dump))
  const described = (await attempt('search', () => withVmcoreinfo(dump))) ?? dump
  const kernel = await attempt('kernel', () => openKernel(described))
  if (kernel !== undefined) {
    await attempt('classify', () =>
      classifyPages(kernel, { level: 31, pages: readDumpPages(dump.memory, kernel.pageSize) }),
    )
    await attempt('dmesg', () => renderDmesg(readLog(kernel).records))
  }
  await attempt('analyze', () => {
    const report = analyzeDump(described)
    for (const { render } of rendererList) render(report, { columns: 100, style: plain })
  })
  await attempt('filter to kdump', () => filterDump(described, nowhere(), { ...filter, codec: 'zlib' }))
  await attempt('filter to ELF', async () =>
    renderFilterResult(await filterDump(described, nowhere(), { ...filter, format: 'elf', level: 1 })),
  )
  return done
}

const filter = { level: 31, format: 'kdump', threads: 0 } as const

/** The ends of every range of memory and every page there, some hundred of each at most. */
function readSome({ memory, pageSize = 4096 }: Dump): void {
  const read = (address: number, into: Uint8Array): void => {
    try {
      memory.read(address, into)
    } catch (error) {
      if (!(error instanceof DumpError)) throw error
    }
  }
  const byte = new Uint8Array(1)
  for (const { start, end } of memory.ranges.slice(0, 200)) {
    read(start, byte)
    read(end - 1, byte)
  }
  const stored = memory.storedPages(pageSize)
  const page = new Uint8Array(pageSize)
  for (let pfn = stored.next(0), left = 300; pfn >= 0 && left > 0; pfn = stored.next(pfn + 1), left--) {
    read(pfn * pageSize, page)
  }
}

const nowhere = (): ByteSink => ({ name: 'nowhere', write: async () => {}, finish: async () => {} })
