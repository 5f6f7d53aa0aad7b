// The note QEMU writes for each CPU of an x86 guest beside NT_PRSTATUS: control registers and hidden
// parts of segments, which the kernel's own notes lack. Source: QEMU target/i386/arch_dump.c.

import { abi64le, array, big64, nested, type Of, struct, u32 } from '../../core/struct.ts'
import type { Note } from './notes.ts'

const qemuSegment = struct('QEMUCPUSegment', {
  selector: u32('selector'),
  limit: u32('bytes - 1'),
  flags: u32('descriptor word'),
  pad: u32('0'),
  base: big64('address'),
})

export const qemuCpuState = struct('QEMUCPUState', {
  version: u32('1'),
  size: u32('bytes of this structure'),
  general: array(18, big64(''), 'rax rbx rcx rdx rsi rdi rsp rbp r8…r15 rip rflags'),
  segments: array(10, nested(qemuSegment, ''), 'cs ds es fs gs ss ldt tr gdt idt'),
  control: array(5, big64(''), 'cr0…cr4'),
  kernelGsBase: big64('MSR 0xc0000102; later versions of QEMU'),
})
export type QemuCpuState = Of<typeof qemuCpuState>

/** In CPU order; empty for dumps that QEMU did not write and other architectures. */
export const findQemuCpus = (notes: readonly Note[]): QemuCpuState[] =>
  notes
    .filter(({ name, desc }) => name === 'QEMU' && desc.length === qemuCpuState.layout(abi64le).size)
    .map(({ desc }) => qemuCpuState.parse(desc, abi64le, { file: 'QEMU note' }))
