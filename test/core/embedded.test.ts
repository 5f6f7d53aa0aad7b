import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { openAsset, wasmBytes, workerProgram } from '../../src/core/embedded.ts'
import { demoMachine } from '../fixtures/index.ts'
import { makeFolder } from '../make/folder.ts'

describe('what the program carries', () => {
  it.each(['pages-simd', 'pages-plain'])('is valid WASM: %s', (name) => {
    expect([...wasmBytes(name).subarray(0, 8)]).toEqual([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])
    expect(WebAssembly.validate(wasmBytes(name))).toBe(true)
  })

  it('is a worker that loads nothing from beside itself', () => {
    const wanted = [...workerProgram().matchAll(/require\("([^"]+)"\)/g)].map((match) => match[1])
    expect(wanted.length).toBeGreaterThan(3)
    expect(wanted.filter((name) => name?.startsWith('node:') !== true)).toEqual([])
  })

  it('is the file itself in a checkout', () => {
    using asset = openAsset('ppc64le-7.2.kdump', makeFolder())
    expect(asset.path).toBe(demoMachine)
    expect(existsSync(asset.path)).toBe(true)
  })
})
