// A machine image without a file: RAM as a map of the pages that are not zero, so that copying hundreds
// of MiB of nothing costs nothing.

import { FaultError } from '../../src/core/errors.ts'
import { contains, type Ranges } from '../../src/core/ranges.ts'
import type { MachineImage, MachineRam } from '../../src/formats/machine-image/image.ts'
import { ramAsSource } from '../../src/formats/machine-image/ram.ts'
import type { MachineState } from '../../src/formats/machine-image/state.ts'

const pageSize = 4096

export function makeMemoryMachine(first: MachineState, firstTree: Uint8Array): MachineImage {
  let state = first
  let deviceTree = firstTree
  let sequence = 1
  const ram = makeRam(first.memory)
  return {
    path: 'machine',
    get state() {
      return state
    },
    get deviceTree() {
      return deviceTree
    },
    get slot() {
      return { sequence, damaged: undefined }
    },
    warnings: [],
    ram,
    update(next, tree = deviceTree) {
      // As through the file: what JSON loses is lost here too.
      state = JSON.parse(JSON.stringify(next)) as MachineState
      deviceTree = tree
      sequence++
    },
    ramSource: () => ramAsSource(ram, 'machine'),
    [Symbol.dispose]() {},
  }
}

function makeRam(ranges: Ranges): MachineRam {
  const pages = new Map<number, Uint8Array>()

  function check(address: number, length: number): void {
    if (length > 0 && !contains(ranges, { start: address, end: address + length })) {
      throw new FaultError('physical', address, length, 'hole')
    }
  }
  /** Parts of [address, address + length) that lie in one page each. */
  function* parts(address: number, length: number) {
    for (let done = 0; done < length; ) {
      const inPage = (address + done) % pageSize
      const size = Math.min(pageSize - inPage, length - done)
      yield { page: (address + done - inPage) / pageSize, inPage, done, size }
      done += size
    }
  }
  const read = (address: number, into: Uint8Array): void => {
    check(address, into.length)
    for (const { page, inPage, done, size } of parts(address, into.length)) {
      const bytes = pages.get(page)
      if (bytes === undefined) into.fill(0, done, done + size)
      else into.set(bytes.subarray(inPage, inPage + size), done)
    }
  }
  const write = (address: number, bytes: Uint8Array): void => {
    check(address, bytes.length)
    for (const { page, inPage, done, size } of parts(address, bytes.length)) {
      const kept = pages.get(page) ?? new Uint8Array(pageSize)
      kept.set(bytes.subarray(done, done + size), inPage)
      pages.set(page, kept)
    }
  }
  const copy = (source: number, destination: number, length: number): void => {
    check(source, length)
    check(destination, length)
    const bytes = new Uint8Array(pageSize)
    for (const { page, inPage, done, size } of parts(destination, length)) {
      const part = bytes.subarray(0, size)
      const sourcePage = Math.floor((source + done) / pageSize)
      if (!pages.has(sourcePage) && !pages.has(sourcePage + 1) && !pages.has(page)) continue
      read(source + done, part)
      write(page * pageSize + inPage, part)
    }
  }
  return { ranges, read, write, copy, sync() {} }
}
