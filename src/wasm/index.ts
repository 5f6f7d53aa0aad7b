// The module of the hot loops: what a worker's thread does with every byte of a page. One instance a
// thread. The host grows the memory and puts its buffers behind `heapStart`; in front of it are the
// encoders' tables. Built twice from this one source, with SIMD and without (ASC_FEATURE_SIMD).

export { findZeroPages } from './scan'
export { canPack, packPages } from './pack'

/** First byte of the memory that the module does not use itself. */
export function heapStart(): usize {
  return __heap_base
}
