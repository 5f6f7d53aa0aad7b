// The part of the WebAssembly interface that is used; TypeScript declares it only together with the DOM.

declare namespace WebAssembly {
  class Memory {
    readonly buffer: ArrayBuffer
    /** By 64 KiB pages. */
    grow(pages: number): number
  }
  class Module {
    constructor(bytes: Uint8Array)
  }
  class Instance {
    constructor(module: Module, imports: Readonly<Record<string, Record<string, (value: number) => number>>>)
    readonly exports: Readonly<Record<string, unknown>>
  }
  function validate(bytes: Uint8Array): boolean
}
